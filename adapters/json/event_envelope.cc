#include "adapters/json/event_envelope.h"

#include "adapters/json/characters.h"

#include <algorithm>
#include <array>
#include <utility>

#include <simdjson.h>

namespace helsekontakter::json {
namespace {

bool ends_ignoring_case(std::string_view text, std::string_view lower_case) {
  return text.size() >= lower_case.size() &&
         equal_ignoring_case(text.substr(text.size() - lower_case.size()), lower_case);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string_view media_type(std::string_view content_type) {
  return trimmed(content_type.substr(0, content_type.find(';')));
}

/// False when a charset parameter structured_names something that is not UTF-8 (or its subset
/// ASCII).
bool is_utf8(std::string_view content_type) {
  for (auto at = content_type.find(';'); at != std::string_view::npos;) {
    const auto next = content_type.find(';', at + 1);
    const auto length = next == std::string_view::npos ? next : next - at - 1;
    const std::string_view parameter = trimmed(content_type.substr(at + 1, length));
    at = next;
    constexpr std::string_view charset = "charset=";
    if (!equal_ignoring_case(parameter.substr(0, charset.size()), charset)) continue;
    std::string_view value = parameter.substr(charset.size());
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    return equal_ignoring_case(value, "utf-8") || equal_ignoring_case(value, "us-ascii");
  }
  return true;
}

/// The attribute's name of a CloudEvents header, or nothing for any other header.
std::string_view attribute_name(std::string_view header) {
  static constexpr std::array<std::string_view, 3> prefixes{"ce_", "cloudEvents:", "cloudEvents_"};
  for (const std::string_view prefix : prefixes) {
    if (header.starts_with(prefix)) return header.substr(prefix.size());
  }
  return {};
}

using Attribute = std::pair<std::string_view, std::string_view Envelope::*>;

constexpr std::array<Attribute, 10> known_attributes{
    {{"specversion", &Envelope::specversion},
     {"id", &Envelope::id},
     {"source", &Envelope::source},
     {"type", &Envelope::type},
     {"subject", &Envelope::subject},
     {"time", &Envelope::time},
     {"traceparent", &Envelope::traceparent},
     {"tracestate", &Envelope::tracestate},
     {"resend", &Envelope::resend},
     {"resendversion", &Envelope::resend_version}}};

/// Collects the attributes of the binary mode; the first fault stays.
class AttributeReader {
 public:
  explicit AttributeReader(Packing& packing) : packing_(packing) {}

  void read(std::string_view name, std::string_view value) {
    const auto found = std::find_if(known_attributes.begin(), known_attributes.end(),
                                    [name](const Attribute& each) { return each.first == name; });
    if (found == known_attributes.end()) return;
    const auto bit = std::uint32_t{1} << (found - known_attributes.begin());
    if ((seen_ & bit) != 0) {
      refuse(name, Reason::duplicate_name);
    } else if (!simdjson::validate_utf8(value.data(), value.size())) {
      refuse(name, Reason::invalid_utf8);
    } else {
      packing_.attributes.*(found->second) = value;
    }
    seen_ |= bit;
  }

  /// True when the headers are those of a CloudEvent.
  [[nodiscard]] bool any() const { return seen_ != 0; }

 private:
  void refuse(std::string_view name, Reason reason) {
    if (!packing_.fault) packing_.fault = attribute_fault(Mode::binary, reason, name);
  }

  Packing& packing_;
  std::uint32_t seen_ = 0;
};

/// W3C trace context as headers of its own, where no CloudEvents extension carries it.
struct Trace {
  std::string_view parent;
  std::string_view state;

  void read(std::string_view name, std::string_view value) {
    const bool is_parent = equal_ignoring_case(name, "traceparent");
    if (!is_parent && !equal_ignoring_case(name, "tracestate")) return;
    if (!simdjson::validate_utf8(value.data(), value.size())) return;
    (is_parent ? parent : state) = value;
  }
};

/// Forms of the structured mode that nearly all senders write, told at one glance.
bool is_usual_structured(std::string_view content_type) {
  return content_type == "application/cloudevents+json" ||
         content_type == "application/cloudevents+json; charset=utf-8" ||
         content_type == "application/cloudevents+json; charset=UTF-8";
}

std::optional<Mode> mode_of(std::string_view content_type, bool has_attributes) {
  if (equal_ignoring_case(media_type(content_type), "application/cloudevents+json")) {
    return Mode::structured;
  }
  if (has_attributes) return Mode::binary;
  return std::nullopt;
}

bool is_readable(std::string_view content_type, std::optional<Mode> mode) {
  if (mode == Mode::structured) return is_utf8(content_type);
  constexpr std::string_view cloud_events = "application/cloudevents";
  const std::string_view media = media_type(content_type);
  if (equal_ignoring_case(media.substr(0, cloud_events.size()), cloud_events)) return false;
  return is_json(content_type);
}

/// Attributes of the structured mode; the last two are known but not used.
enum Name : std::size_t {
  specversion,
  id,
  source,
  type,
  subject,
  time_,
  datacontenttype,
  data_,
  traceparent,
  tracestate,
  resend,
  resendversion,
  data_base64,
};
constexpr std::array<std::string_view, 15> structured_names{
    "specversion",     "id",         "source",      "type",       "subject", "time",
    "datacontenttype", "data",       "traceparent", "tracestate", "resend",  "resendversion",
    "data_base64",     "dataschema", "partitionkey"};

}  // namespace

Fault attribute_fault(Mode mode, Reason reason, std::string_view name) {
  return {reason, (mode == Mode::binary ? "ce_" : "/") + std::string(name)};
}

Check StructuredAttributes::read(const simdjson::dom::object& event, Envelope& envelope,
                                 std::uint64_t& unknown) {
  Check first = fields_.read(event, structured_names, root_, unknown);
  // All of them, also after a fault: what can be read goes into the result.
  const auto take = [&](Name at, std::string_view& out) {
    Check wrong = fields_.optional_text(at, out);
    if (wrong && !first) first = std::move(wrong);
  };
  take(specversion, envelope.specversion);
  take(id, envelope.id);
  take(source, envelope.source);
  take(type, envelope.type);
  take(subject, envelope.subject);
  take(time_, envelope.time);
  // One trace context, not the parent of one and the state of another.
  if (fields_.find(traceparent) != nullptr) envelope.tracestate = {};
  take(traceparent, envelope.traceparent);
  take(tracestate, envelope.tracestate);
  take(resend, envelope.resend);
  take(datacontenttype, envelope.data_content_type);
  Check wrong = read_resend_version(envelope);
  if (wrong && !first) first = std::move(wrong);
  return first;
}

Check StructuredAttributes::read_resend_version(Envelope& envelope) {
  const simdjson::dom::element* value = fields_.find(resendversion);
  if (value == nullptr) return std::nullopt;
  // CloudEvents integers have 32 bits, so a large one travels as a string; both are read.
  std::int64_t number = 0;
  if (value->get(number) != simdjson::SUCCESS) {
    return fields_.optional_text(resendversion, envelope.resend_version);
  }
  resend_version_ = std::to_string(number);
  envelope.resend_version = resend_version_;
  return std::nullopt;
}

const simdjson::dom::element* StructuredAttributes::data() const {
  return fields_.find(data_);
}

Check StructuredAttributes::check_data(const Envelope& envelope) const {
  if (fields_.find(data_base64) != nullptr) {
    return fields_.fault(data_base64, Reason::unsupported_content);
  }
  if (!is_json(envelope.data_content_type)) {
    return fields_.fault(datacontenttype, Reason::unsupported_content);
  }
  if (data() == nullptr) return fields_.fault(data_, Reason::field_missing);
  return std::nullopt;
}

bool is_json(std::string_view content_type) {
  if (content_type == "application/json") return true;
  const std::string_view media = media_type(content_type);
  if (media.empty()) return true;
  const bool json = equal_ignoring_case(media, "application/json") ||
                    equal_ignoring_case(media, "text/json") || ends_ignoring_case(media, "+json");
  return json && is_utf8(content_type);
}

Packing packing_of(const RawEvent& raw) {
  Packing packing;
  AttributeReader reader(packing);
  Trace trace;
  std::string_view content_type = raw.content_type;
  std::string_view content_encoding;
  for (const auto& [name, value] : raw.headers) {
    if (const std::string_view attribute = attribute_name(name); !attribute.empty()) {
      reader.read(attribute, value);
    } else if (equal_ignoring_case(name, "content-type")) {
      content_type = value;
    } else if (equal_ignoring_case(name, "content-encoding")) {
      content_encoding = value;
    } else {
      trace.read(name, value);
    }
  }
  const bool usual = is_usual_structured(content_type);
  packing.mode = usual ? Mode::structured : mode_of(content_type, reader.any());
  if (packing.mode != Mode::binary && reader.any()) {
    packing.fault.reset();
    packing.attributes = {};
  }
  if (packing.attributes.traceparent.empty()) {
    packing.attributes.traceparent = trace.parent;
    packing.attributes.tracestate = trace.state;
  }
  if (packing.fault) return packing;
  if (!content_encoding.empty() && !equal_ignoring_case(content_encoding, "identity")) {
    packing.fault = Fault{Reason::unsupported_content, "content-encoding"};
  } else if (!usual && !is_readable(content_type, packing.mode)) {
    packing.fault = Fault{Reason::unsupported_content, "content-type"};
  }
  return packing;
}

}  // namespace helsekontakter::json
