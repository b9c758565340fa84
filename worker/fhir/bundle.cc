#include "worker/fhir/bundle.h"

#include <array>
#include <cstdint>
#include <cstring>

namespace helsekontakter::fhir {
namespace {

constexpr std::string_view urn_uuid = "urn:uuid:";
/// Volven 7618, service area.
constexpr std::string_view area_system = "urn:oid:2.16.578.1.12.4.1.1.7618";

/// True when one of eight bytes must be escaped. Each line sets the high bit of a byte that is
/// below 0x20, a quote or a backslash (the usual has-zero-byte trick); a byte above 0x7f never is.
bool holds_special(const char* at) {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t high = 0x8080808080808080;
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  const std::uint64_t quote = word ^ (ones * '"');
  const std::uint64_t backslash = word ^ (ones * '\\');
  const std::uint64_t found =
      ((word - ones * 0x20) | (quote - ones) | (backslash - ones)) & ~word & high;
  return found != 0;
}

bool is_special(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

/// How many bytes from the start need no escape.
std::size_t plain_length(std::string_view text) {
  std::size_t at = 0;
  while (at + 8 <= text.size() && !holds_special(text.data() + at)) at += 8;
  while (at < text.size() && !is_special(text[at])) ++at;
  return at;
}

void append_escape(std::string& out, char c) {
  static constexpr std::string_view digits = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  out += "\\u00";
  out += digits[static_cast<unsigned char>(c) >> 4];
  out += digits[static_cast<unsigned char>(c) & 0xf];
}

/// The text without its quotes.
void append_escaped(std::string& out, std::string_view text) {
  for (;;) {
    const std::size_t plain = plain_length(text);
    out += text.substr(0, plain);
    if (plain == text.size()) return;
    append_escape(out, text[plain]);
    text.remove_prefix(plain + 1);
  }
}

bool writes_request(const BundleForm& form, BundleType type) {
  switch (form.entry_request) {
    case EntryRequest::always:
      return true;
    case EntryRequest::never:
      return false;
    case EntryRequest::automatic:
      break;
  }
  return type != BundleType::collection;
}

void append_head(std::string& out, const BundleForm& form, const Uuid& full_url,
                 std::string_view resource_type) {
  out += R"({"fullUrl":"urn:uuid:)";
  full_url.append_to(out);
  out += R"(","resource":{"resourceType":")";
  out += resource_type;
  if (!form.meta_security_area.empty()) {
    out += R"(","meta":{"security":[{"system":")";
    out += area_system;
    out += R"(","code":)";
    append_json_string(out, form.meta_security_area);
    out += "}]}";
  } else {
    out += '"';
  }
}

/// Closes the resource and the entry.
void append_tail(std::string& out, const BundleForm& form, BundleType type,
                 std::string_view resource_type) {
  if (!writes_request(form, type)) {
    out += "}}";
    return;
  }
  out += R"(},"request":{"method":"POST","url":")";
  if (form.entry_request_url_prefix) {
    append_escaped(out, *form.entry_request_url_prefix);
    out += resource_type;
  }
  out += R"("}})";
}

/// {"system":…,"value":"<prefix><value>"}; FHIR forbids empty strings, so an empty system is left
/// out.
void append_identifier(std::string& out, std::string_view system, std::string_view value,
                       std::string_view prefix = {}) {
  if (system.empty()) {
    out += R"({"value":")";
  } else {
    out += R"({"system":")";
    append_escaped(out, system);
    out += R"(","value":")";
  }
  out += prefix;
  append_escaped(out, value);
  out += R"("})";
}

void append_uri_identifier(std::string& out, const Uuid& uuid) {
  out += R"({"system":"urn:ietf:rfc:3986","value":"urn:uuid:)";
  uuid.append_to(out);
  out += R"("})";
}

void append_urn_reference(std::string& out, const Uuid& full_url) {
  out += R"({"reference":"urn:uuid:)";
  full_url.append_to(out);
  out += R"("})";
}

/// The business id as element id, as logical reference, or both. An element that has an id only
/// breaks ele-1, so the form element_id carries the organisation's name as display. An element id
/// holds no white space; a business id that does is left to the identifier.
void append_organization_endpoint(std::string& out, const BundleForm& form,
                                  const Organization& organization) {
  using enum OrganizationEndpointForm;
  if (organization.business_id.empty()) return;
  const OrganizationEndpointForm chosen = form.organization_endpoint_form;
  const bool fits = can_be_element_id(organization.business_id);
  out += R"(,"endpoint":[{)";
  if (chosen != identifier && fits) {
    out += R"("id":)";
    append_json_string(out, organization.business_id);
    out += ',';
  }
  if (chosen == element_id && fits) {
    out += R"("display":)";
    append_json_string(out,
                       organization.name.empty() ? organization.business_id : organization.name);
  } else {
    out += R"("identifier":)";
    append_identifier(out, form.system_her, organization.business_id);
  }
  out += "}]";
}

/// Appends ,"name":"text" or, after an opening brace, "name":"text"; nothing for an empty text.
void append_member(std::string& out, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  if (out.back() != '{') out += ',';
  out += '"';
  out += name;
  out += "\":";
  append_json_string(out, text);
}

void append_lines(std::string& out, std::span<const std::string_view> lines) {
  bool open = false;
  for (const std::string_view line : lines) {
    if (line.empty()) continue;
    out += open ? "," : R"("line":[)";
    open = true;
    append_json_string(out, line);
  }
  if (open) out += ']';
}

void append_address(std::string& out, const Location& location) {
  constexpr std::string_view opening = R"(,"address":{)";
  const std::size_t before = out.size();
  out += opening;
  append_lines(out, location.line);
  append_member(out, "city", location.city);
  append_member(out, "postalCode", location.postal_code);
  if (out.size() == before + opening.size()) {
    out.resize(before);  // an empty object is illegal
    return;
  }
  out += '}';
}

/// cpt-2: a value needs a system.
void append_telecom(std::string& out, std::span<const Telecom> telecom) {
  bool open = false;
  for (const Telecom& point : telecom) {
    if (point.value.empty()) continue;
    out += open ? ",{" : R"(,"telecom":[{)";
    open = true;
    append_member(out, "system", point.system.empty() ? "other" : point.system);
    append_member(out, "value", point.value);
    out += '}';
  }
  if (open) out += ']';
}

void append_location_entry(std::string& out, const BundleForm& form, const Location& location) {
  append_head(out, form, location.full_url, "Location");
  if (form.reference_form == ReferenceForm::logical_identifier) {
    out += R"(,"identifier":[)";
    append_uri_identifier(out, location.full_url);
    out += ']';
  }
  append_address(out, location);
  append_telecom(out, location.telecom);
  append_tail(out, form, form.bundle_type_offerings, "Location");
}

void append_provided_by(std::string& out, const BundleForm& form,
                        const Organization& organization) {
  out += R"(,"providedBy":)";
  if (form.reference_form == ReferenceForm::urn_uuid) {
    append_urn_reference(out, organization.full_url);
    return;
  }
  out += R"({"type":"Organization","identifier":)";
  append_identifier(out, form.system_orgnr, organization.number);
  out += '}';
}

void append_locations(std::string& out, const BundleForm& form,
                      std::span<const Location> locations) {
  if (locations.empty()) return;
  out += R"(,"location":[)";
  bool first = true;
  for (const Location& location : locations) {
    if (!first) out += ',';
    first = false;
    if (form.reference_form == ReferenceForm::urn_uuid) {
      append_urn_reference(out, location.full_url);
    } else {
      out += R"({"type":"Location","identifier":)";
      append_uri_identifier(out, location.full_url);
      out += '}';
    }
  }
  out += ']';
}

void append_service_entry(std::string& out, const BundleForm& form,
                          const Organization& organization, std::span<const Location> locations,
                          const Service& service) {
  append_head(out, form, service.full_url, "HealthcareService");
  out += R"(,"identifier":[)";
  append_identifier(out, form.system_service_id, service.id,
                    form.service_id_bare ? std::string_view() : urn_uuid);
  out += service.active ? R"(],"active":true)" : R"(],"active":false)";
  append_provided_by(out, form, organization);
  append_locations(out, form, locations);
  append_member(out, "name", service.name);
  append_member(out, "comment", service.comment);
  if (!service.her_id.empty()) {
    out += R"(,"endpoint":[{"identifier":)";
    append_identifier(out, form.system_her, service.her_id);
    out += "}]";
  }
  append_tail(out, form, form.bundle_type_offerings, "HealthcareService");
}

}  // namespace

bool can_be_element_id(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= ' ') return false;
  }
  return true;
}

void append_member_entry(std::string& out, const BundleForm& form, const Membership& membership) {
  append_head(out, form, membership.full_url, "Patient");
  out += R"(,"identifier":[)";
  append_identifier(out, membership.is_d_number ? form.system_dnr : form.system_fnr,
                    membership.member);
  out += R"(],"contact":[{"organization":{"identifier":)";
  append_identifier(out, form.system_orgnr, membership.organization);
  out += R"(},"period":{"start":")";
  out += membership.start;
  if (!membership.end.empty() && form.member_end_form == MembershipEndForm::period_end) {
    out += R"(","end":")";
    out += membership.end;
  }
  out += R"("}}])";
  append_tail(out, form, form.bundle_type_members, "Patient");
}

void append_organization_entry(std::string& out, const BundleForm& form,
                               const Organization& organization) {
  append_head(out, form, organization.full_url, "Organization");
  out += R"(,"identifier":[)";
  append_identifier(out, form.system_orgnr, organization.number);
  out += ']';
  append_member(out, "name", organization.name);
  append_organization_endpoint(out, form, organization);
  append_tail(out, form, form.bundle_type_offerings, "Organization");
}

std::size_t append_offering_entries(std::string& out, const BundleForm& form,
                                    const Organization& organization,
                                    std::span<const Location> locations, const Service& service) {
  for (const Location& location : locations) {
    append_location_entry(out, form, location);
    out += ',';
  }
  append_service_entry(out, form, organization, locations, service);
  return locations.size() + 1;
}

std::string bundle_prefix(const BundleForm& form, Lane lane) {
  static constexpr std::array<std::string_view, 3> names{"transaction", "batch", "collection"};
  const BundleType type =
      lane == Lane::offerings ? form.bundle_type_offerings : form.bundle_type_members;
  std::string out = R"({"resourceType":"Bundle","type":")";
  out += names[static_cast<std::size_t>(type)];
  out += R"(","entry":[)";
  return out;
}

std::string_view bundle_suffix() {
  return "]}";
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text);
  out += '"';
}

}  // namespace helsekontakter::fhir
