#include "tests/simulator/bundle.h"

#include "tests/simulator/assertion.h"

#include <algorithm>
#include <cstring>

namespace helsekontakter::simulator {
namespace {

namespace dom = simdjson::dom;

bool is_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < 36; ++i) {
    const char c = text[i];
    const bool is_hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    const bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (is_hyphen ? c != '-' : !is_hex) return false;
  }
  return true;
}

/// FHIR JSON has no nulls, empty texts, lists or objects.
bool has_empty_value(dom::element element) {
  switch (element.type()) {
    case dom::element_type::OBJECT: {
      std::size_t members = 0;
      for (const auto field : dom::object(element)) {
        ++members;
        if (has_empty_value(field.value)) return true;
      }
      return members == 0;
    }
    case dom::element_type::ARRAY: {
      std::size_t items = 0;
      for (const auto item : dom::array(element)) {
        ++items;
        if (has_empty_value(item)) return true;
      }
      return items == 0;
    }
    case dom::element_type::STRING:
      return std::string_view(element).empty();
    case dom::element_type::NULL_VALUE:
      return true;
    default:
      return false;
  }
}

/// The elements of a list member; empty when it is absent or no list.
std::vector<dom::element> items(dom::object object, const char* name) {
  dom::array array;
  std::vector<dom::element> out;
  if (object[name].get(array) != simdjson::SUCCESS) return out;
  for (const auto item : array) out.push_back(item);
  return out;
}

std::string_view text(dom::object object, const char* name) {
  return text_of(object, name).value_or("");
}

struct Identifier {
  std::string_view system;
  std::string_view value;
};

Identifier identifier(dom::element element) {
  dom::object object;
  if (element.get(object) != simdjson::SUCCESS) return {};
  return {text(object, "system"), text(object, "value")};
}

}  // namespace

bool BundleReader::refuse(const char* reason, std::string text) {
  flaw_ = {reason, position_ > 0 ? "entry " + std::to_string(position_) + ": " + std::move(text)
                                 : std::move(text)};
  return false;
}

Checked<Bundle> BundleReader::read(std::string& body) {
  bundle_ = {};
  flaw_ = {};
  references_.clear();
  position_ = 0;
  body.reserve(body.size() + simdjson::SIMDJSON_PADDING);
  dom::element document;
  if (parser_.parse(body.data(), body.size(), false).get(document) != simdjson::SUCCESS) {
    return flaw("not_json", "the body is not JSON");
  }
  if (!read_all(document)) return tl::unexpected<Flaw>(flaw_);
  return std::move(bundle_);
}

bool BundleReader::read_all(dom::element document) {
  dom::object bundle;
  if (document.get(bundle) != simdjson::SUCCESS || text(bundle, "resourceType") != "Bundle") {
    return refuse("resource_type", "resourceType must be Bundle");
  }
  if (has_empty_value(document)) {
    return refuse("empty_value", "FHIR JSON has no nulls and no empty texts, lists or objects");
  }
  type_ = text(bundle, "type");
  bundle_.is_transaction = type_ == "transaction";
  dom::array entries;
  if (bundle["entry"].get(entries) != simdjson::SUCCESS) {
    return refuse("no_entries", "entry must be a list that is not empty");
  }
  bool is_first = true;
  for (const auto entry : entries) {
    ++position_;
    if (position_ > behaviour_.entries_max) {
      return refuse("entries_max", "more entries than the limit");
    }
    if (!read_entry(entry)) return false;
    if (is_first && !check_type(type_)) return false;
    is_first = false;
  }
  position_ = 0;
  return check_uniqueness() && check_references();
}

bool BundleReader::check_type(std::string_view type) {
  const auto& allowed =
      bundle_.members.empty() ? behaviour_.bundle_types_offerings : behaviour_.bundle_types_members;
  if (contains(allowed, type)) return true;
  return refuse("bundle_type", "Bundle.type '" + std::string(type) + "' is not taken here");
}

bool BundleReader::read_entry(dom::element element) {
  dom::object entry;
  dom::object resource;
  if (element.get(entry) != simdjson::SUCCESS ||
      entry["resource"].get(resource) != simdjson::SUCCESS) {
    return refuse("resource_missing", "has no resource (bdl-5)");
  }
  if (entry["response"].error() == simdjson::SUCCESS) {
    return refuse("bdl_4", "entry.response does not belong in a request (bdl-4)");
  }
  const std::string_view kind = text(resource, "resourceType");
  if (!check_request(entry, kind)) return false;
  const auto full_url = read_full_url(entry);
  if (!full_url) return false;
  if (kind == "Patient") {
    if (!bundle_.offerings.empty()) return refuse("mixed_lanes", "members among offerings");
    return read_patient(resource, *full_url);
  }
  if (!bundle_.members.empty()) return refuse("mixed_lanes", "offerings among members");
  OfferingEntry offering;
  offering.full_url = *full_url;
  if (kind == "Organization") {
    offering.kind = OfferingEntry::Kind::organization;
    if (!read_organization(resource)) return false;
  } else if (kind == "Location") {
    offering.kind = OfferingEntry::Kind::location;
    if (!read_location(resource)) return false;
  } else if (kind == "HealthcareService") {
    offering.kind = OfferingEntry::Kind::service;
    if (!read_service(resource, offering)) return false;
  } else {
    return refuse("resource_type", "only Patient, Organization, Location, HealthcareService");
  }
  bundle_.offerings.push_back(std::move(offering));
  return true;
}

bool BundleReader::check_request(dom::object entry, std::string_view resource_type) {
  const bool is_needed = type_ == "batch" || type_ == "transaction" || type_ == "history";
  dom::object request;
  const bool is_there = entry["request"].get(request) == simdjson::SUCCESS;
  if (is_needed != is_there) {
    return refuse("bdl_3", is_needed ? "entry.request is missing (bdl-3)"
                                     : "entry.request is forbidden in this type (bdl-3)");
  }
  if (!is_there) return true;
  if (text(request, "method") != "POST") return refuse("request_method", "method must be POST");
  const std::string_view url = text(request, "url");
  if (!url.ends_with(resource_type)) {
    return refuse("request_url", "request.url does not name the resource type");
  }
  return true;
}

std::optional<std::string_view> BundleReader::read_full_url(dom::object entry) {
  constexpr std::string_view prefix = "urn:uuid:";
  const std::string_view full_url = text(entry, "fullUrl");
  if (!full_url.starts_with(prefix) || !is_uuid(full_url.substr(prefix.size()))) {
    (void)refuse("full_url", "fullUrl must be urn:uuid: and a UUID in lower case");
    return std::nullopt;
  }
  return full_url;
}

bool BundleReader::check_uniqueness() {
  std::vector<std::string_view> urls;
  urls.reserve(bundle_.entries());
  std::vector<MemberHash::Digest> keys;
  keys.reserve(bundle_.members.size());
  for (const MemberEntry& entry : bundle_.members) {
    urls.push_back(bundle_.full_url(entry));
    keys.push_back(entry.key);
  }
  for (const OfferingEntry& entry : bundle_.offerings) urls.push_back(entry.full_url);
  std::sort(urls.begin(), urls.end());
  if (std::adjacent_find(urls.begin(), urls.end()) != urls.end()) {
    return refuse("bdl_7", "two entries have the same fullUrl (bdl-7)");
  }
  std::sort(keys.begin(), keys.end());
  if (std::adjacent_find(keys.begin(), keys.end()) != keys.end()) {
    return refuse("member_twice", "a member stands twice in one Bundle");
  }
  return true;
}

bool BundleReader::set_organization(dom::element element, const char* where) {
  const Identifier found = identifier(element);
  if (!contains(behaviour_.organization_systems, found.system)) {
    return refuse("organization_system",
                  std::string(where) + ": this identifier system is not taken");
  }
  if (!is_organization_number(found.value)) {
    return refuse("organization_number", std::string(where) + ": not an organisation number");
  }
  if (bundle_.organization.empty()) bundle_.organization = found.value;
  if (bundle_.organization != found.value) {
    return refuse("two_organizations", "more than one organisation in one request");
  }
  return true;
}

bool BundleReader::read_patient(dom::object patient, std::string_view full_url) {
  MemberEntry entry;
  if (!read_number(patient, entry) || !read_contact(patient, entry)) return false;
  entry.full_url_at = static_cast<std::uint32_t>(bundle_.texts.size());
  entry.full_url_size = static_cast<std::uint32_t>(full_url.size());
  bundle_.texts += full_url;
  entry.key = hash_(bundle_.organization, entry.member());
  bundle_.members.push_back(entry);
  return true;
}

bool BundleReader::read_number(dom::object patient, MemberEntry& entry) {
  const auto identifiers = items(patient, "identifier");
  if (identifiers.size() != 1) {
    return refuse("member_identifier", "Patient.identifier must be a list of one");
  }
  const Identifier found = identifier(identifiers.front());
  if (!contains(behaviour_.member_systems, found.system)) {
    return refuse("member_system", "Patient.identifier has a system that is not taken");
  }
  if (found.value.size() != entry.number.size() || !is_digits(found.value)) {
    return refuse("member_number", "Patient.identifier.value is not eleven digits");
  }
  std::memcpy(entry.number.data(), found.value.data(), entry.number.size());
  entry.check_digits_right = has_right_check_digits(found.value);
  return true;
}

bool BundleReader::read_contact(dom::object patient, MemberEntry& entry) {
  const auto contacts = items(patient, "contact");
  dom::object contact;
  dom::element organization;
  if (contacts.size() != 1 || contacts.front().get(contact) != simdjson::SUCCESS ||
      contact["organization"]["identifier"].get(organization) != simdjson::SUCCESS) {
    return refuse("contact", "Patient.contact must be one with organization.identifier");
  }
  if (!set_organization(organization, "contact.organization")) return false;
  dom::object period;
  if (contact["period"].get(period) != simdjson::SUCCESS) {
    return refuse("period", "contact.period is missing");
  }
  const auto start = read_date(text(period, "start"));
  if (!start) return refuse("period_start", "period.start is not a date");
  entry.start = entry.end = *start;
  if (period["end"].error() != simdjson::SUCCESS) {
    return behaviour_.period_end_required ? refuse("period_end_missing", "period.end is missing")
                                          : true;
  }
  const auto end = read_date(text(period, "end"));
  if (!end) return refuse("period_end", "period.end is not a date");
  if (*end < *start) return refuse("period_order", "the period ends before it starts");
  entry.end = *end;
  return true;
}

bool BundleReader::read_organization(dom::object organization) {
  const auto identifiers = items(organization, "identifier");
  if (identifiers.size() != 1) {
    return refuse("organization_identifier", "Organization.identifier must be a list of one");
  }
  if (!set_organization(identifiers.front(), "Organization")) return false;
  if (text(organization, "name").empty()) return refuse("organization_name", "has no name");
  const auto endpoints = items(organization, "endpoint");
  dom::object endpoint;
  if (endpoints.size() != 1 || endpoints.front().get(endpoint) != simdjson::SUCCESS) {
    return refuse("organization_endpoint", "Organization.endpoint must be a list of one");
  }
  dom::element business;
  const bool has_identifier = endpoint["identifier"].get(business) == simdjson::SUCCESS &&
                              !identifier(business).value.empty();
  if (!has_identifier && text(endpoint, "id").empty()) {
    return refuse("business_id", "Organization.endpoint has neither id nor identifier");
  }
  return true;
}

bool BundleReader::read_location(dom::object location) {
  dom::object address;
  if (location["address"].get(address) != simdjson::SUCCESS || items(address, "line").empty() ||
      text(address, "city").empty() || text(address, "postalCode").empty()) {
    return refuse("location_address", "Location.address needs line, city and postalCode");
  }
  for (const dom::element element : items(location, "telecom")) {
    dom::object telecom;
    if (element.get(telecom) != simdjson::SUCCESS || text(telecom, "system").empty() ||
        text(telecom, "value").empty()) {
      return refuse("location_telecom", "telecom needs system and value");
    }
  }
  return true;
}

bool BundleReader::read_service(dom::object service, OfferingEntry& entry) {
  constexpr std::string_view prefix = "urn:uuid:";
  const auto identifiers = items(service, "identifier");
  std::string_view id = identifiers.size() == 1 ? identifier(identifiers.front()).value : "";
  if (id.starts_with(prefix)) id.remove_prefix(prefix.size());
  if (!is_uuid(id)) return refuse("service_id", "HealthcareService.identifier must be one GUID");
  entry.service_id = id;
  if (text(service, "name").empty()) return refuse("service_name", "has no name");
  if (service["active"].get(entry.active) == simdjson::INCORRECT_TYPE) {
    return refuse("service_active", "active must be true or false");
  }
  dom::object provider;
  if (service["providedBy"].get(provider) != simdjson::SUCCESS) {
    return refuse("service_provider", "providedBy is missing");
  }
  if (const auto reference = text_of(provider, "reference")) {
    references_.emplace_back(*reference);
  } else if (dom::element logical; provider["identifier"].get(logical) != simdjson::SUCCESS ||
                                   !set_organization(logical, "providedBy")) {
    return flaw_.reason.empty() ? refuse("service_provider", "providedBy refers to nothing")
                                : false;
  }
  for (const dom::element element : items(service, "location")) {
    dom::object location;
    if (element.get(location) != simdjson::SUCCESS) return refuse("service_location", "no object");
    if (const auto reference = text_of(location, "reference")) references_.emplace_back(*reference);
  }
  const auto endpoints = items(service, "endpoint");
  dom::element her_id;
  const bool has_her_id = endpoints.size() == 1 &&
                          endpoints.front()["identifier"].get(her_id) == simdjson::SUCCESS &&
                          !identifier(her_id).value.empty();
  if (!has_her_id && (behaviour_.her_id_required || !endpoints.empty())) {
    return refuse("her_id", "HealthcareService.endpoint must be one with an identifier");
  }
  return true;
}

bool BundleReader::check_references() {
  if (!bundle_.offerings.empty() && bundle_.organization.empty()) {
    return refuse("organization_missing", "no entry names the organisation");
  }
  for (const std::string& reference : references_) {
    const bool is_known =
        std::any_of(bundle_.offerings.begin(), bundle_.offerings.end(),
                    [&](const OfferingEntry& entry) { return entry.full_url == reference; });
    if (!is_known) return refuse("reference", "a reference points to no entry of the Bundle");
  }
  return true;
}

}  // namespace helsekontakter::simulator
