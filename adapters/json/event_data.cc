#include "adapters/json/event_data.h"

#include <array>

namespace helsekontakter::json {
namespace {

namespace dom = simdjson::dom;

DataVersion version_of(const dom::element& value) {
  std::int64_t number = 0;
  if (value.get(number) != simdjson::SUCCESS || number < 0 || number > version_max) {
    return {DataVersion::State::invalid, 0};
  }
  return {DataVersion::State::valid, number};
}

Check read_version(const Fields& fields, std::size_t at, DataVersion& out) {
  const dom::element* value = fields.find(at);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) return fields.fault(at, Reason::wrong_type);
  out = version_of(*value);
  return std::nullopt;
}

Check read_period(const dom::object& object, const Place& place, std::uint64_t& unknown,
                  MembershipFields& out) {
  static constexpr std::array<std::string_view, 2> names{"start", "end"};
  Fields fields;
  if (Check fault = fields.read(object, names, place, unknown)) return fault;
  if (Check fault = fields.required_text(0, out.start)) return fault;
  return fields.optional_text(1, out.end);
}

Check read_organization(const dom::object& object, const Place& place, std::uint64_t& unknown,
                        OfferingFields& out) {
  static constexpr std::array<std::string_view, 3> names{"number", "name", "businessId"};
  Fields fields;
  if (Check fault = fields.read(object, names, place, unknown)) return fault;
  if (Check fault = fields.required_text(0, out.number)) return fault;
  if (Check fault = fields.required_text(1, out.name)) return fault;
  return fields.required_text(2, out.business_id);
}

Check read_service(const dom::object& object, const Place& place, std::uint64_t& unknown,
                   OfferingFields& out) {
  static constexpr std::array<std::string_view, 5> names{"id", "active", "name", "comment",
                                                         "herId"};
  Fields fields;
  if (Check fault = fields.read(object, names, place, unknown)) return fault;
  if (Check fault = fields.required_text(0, out.service_id)) return fault;
  if (Check fault = fields.required_flag(1, out.service.active)) return fault;
  if (Check fault = fields.required_text(2, out.service.name)) return fault;
  if (Check fault = fields.optional_text(3, out.service.comment)) return fault;
  return fields.required_text(4, out.service.her_id);
}

Check read_lines(const dom::array& array, const Place& place, std::vector<std::string_view>& out) {
  for (const dom::element element : array) {
    const Place here(place, out.size());
    std::string_view line;
    if (element.get(line) != simdjson::SUCCESS) return here.fault(Reason::wrong_type);
    if (line.empty()) return here.fault(Reason::field_missing);
    out.push_back(line);
  }
  return std::nullopt;
}

Check read_telecoms(const dom::array& array, const Place& place, std::uint64_t& unknown,
                    std::vector<fhir::Telecom>& out) {
  static constexpr std::array<std::string_view, 2> names{"system", "value"};
  for (const dom::element element : array) {
    const Place here(place, out.size());
    dom::object object;
    if (element.get(object) != simdjson::SUCCESS) return here.fault(Reason::wrong_type);
    Fields fields;
    fhir::Telecom telecom;
    if (Check fault = fields.read(object, names, here, unknown)) return fault;
    if (Check fault = fields.required_text(0, telecom.system)) return fault;
    if (Check fault = fields.required_text(1, telecom.value)) return fault;
    out.push_back(telecom);
  }
  return std::nullopt;
}

Check read_location(const dom::object& object, const Place& place, std::uint64_t& unknown,
                    LocationFields& out) {
  enum : std::size_t { id, line, city, postal_code, telecom };
  static constexpr std::array<std::string_view, 5> names{"id", "line", "city", "postalCode",
                                                         "telecom"};
  Fields fields;
  if (Check fault = fields.read(object, names, place, unknown)) return fault;
  if (Check fault = fields.optional_text(id, out.id)) return fault;
  dom::array array;
  if (Check fault = fields.required_array(line, array)) return fault;
  if (Check fault = read_lines(array, Place(place, names[line]), out.location.line)) return fault;
  if (Check fault = fields.required_text(city, out.location.city)) return fault;
  if (Check fault = fields.required_text(postal_code, out.location.postal_code)) return fault;
  if (fields.find(telecom) == nullptr) return std::nullopt;
  if (Check fault = fields.required_array(telecom, array)) return fault;
  return read_telecoms(array, Place(place, names[telecom]), unknown, out.location.telecom);
}

Check read_locations(const dom::array& array, const Place& place, std::uint64_t& unknown,
                     std::vector<LocationFields>& out) {
  for (const dom::element element : array) {
    const Place here(place, out.size());
    dom::object object;
    if (element.get(object) != simdjson::SUCCESS) return here.fault(Reason::wrong_type);
    if (Check fault = read_location(object, here, unknown, out.emplace_back())) return fault;
  }
  return std::nullopt;
}

}  // namespace

Check read_membership(const dom::object& data, const Place& place, std::uint64_t& unknown,
                      MembershipFields& out) {
  enum : std::size_t { organization, member, period, version, ended };
  static constexpr std::array<std::string_view, 5> names{"organization", "member", "period",
                                                         "version", "ended"};
  Fields fields;
  if (Check fault = fields.read(data, names, place, unknown)) return fault;
  if (Check fault = fields.required_text(organization, out.organization)) return fault;
  if (Check fault = fields.required_text(member, out.member)) return fault;
  dom::object object;
  if (Check fault = fields.required_object(period, object)) return fault;
  if (Check fault = read_period(object, Place(place, names[period]), unknown, out)) return fault;
  if (Check fault = read_version(fields, version, out.version)) return fault;
  return fields.optional_flag(ended, out.ended);
}

Check read_offering(const dom::object& data, const Place& place, std::uint64_t& unknown,
                    OfferingFields& out) {
  enum : std::size_t { organization, service, locations, version };
  static constexpr std::array<std::string_view, 4> names{"organization", "service", "locations",
                                                         "version"};
  Fields fields;
  if (Check fault = fields.read(data, names, place, unknown)) return fault;
  dom::object object;
  if (Check fault = fields.required_object(organization, object)) return fault;
  if (Check fault = read_organization(object, Place(place, names[organization]), unknown, out)) {
    return fault;
  }
  if (Check fault = fields.required_object(service, object)) return fault;
  if (Check fault = read_service(object, Place(place, names[service]), unknown, out)) return fault;
  dom::array array;
  if (Check fault = fields.required_array(locations, array)) return fault;
  if (Check fault = read_locations(array, Place(place, names[locations]), unknown, out.locations)) {
    return fault;
  }
  return read_version(fields, version, out.version);
}

Glimpse glimpse(const dom::element& data) {
  Glimpse seen;
  dom::object object;
  if (data.get(object) != simdjson::SUCCESS) return seen;
  dom::element value;
  if (object["version"].get(value) == simdjson::SUCCESS && value.is_number()) {
    seen.version = version_of(value);
  }
  if (object["organization"].get(value) != simdjson::SUCCESS) return seen;
  dom::object organization;
  if (value.get(organization) == simdjson::SUCCESS &&
      organization["number"].get(value) != simdjson::SUCCESS) {
    return seen;
  }
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) seen.organization = text;
  return seen;
}

}  // namespace helsekontakter::json
