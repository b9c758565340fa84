#include "adapters/helseid/json_object.h"

#include "worker/fhir/bundle.h"

namespace helsekontakter::helseid {

void JsonObject::begin(std::string_view name) {
  if (out_.size() > 1) out_ += ',';
  fhir::append_json_string(out_, name);
  out_ += ':';
}

JsonObject& JsonObject::text(std::string_view name, std::string_view value) {
  begin(name);
  fhir::append_json_string(out_, value);
  return *this;
}

JsonObject& JsonObject::number(std::string_view name, std::int64_t value) {
  begin(name);
  out_ += std::to_string(value);
  return *this;
}

JsonObject& JsonObject::raw(std::string_view name, std::string_view json) {
  begin(name);
  out_ += json;
  return *this;
}

}  // namespace helsekontakter::helseid
