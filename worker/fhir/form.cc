#include "worker/fhir/form.h"

#include <array>
#include <string_view>
#include <utility>

namespace helsekontakter {
namespace {

constexpr std::string_view urn_oid = "urn:oid:";

/// urn:oid: with numbers without leading zeros, the first of them 0, 1 or 2.
bool is_oid(std::string_view text) {
  text.remove_prefix(urn_oid.size());
  std::size_t arcs = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('.');
    const std::string_view arc = text.substr(0, end);
    if (arc.empty() || arc.find_first_not_of("0123456789") != std::string_view::npos) return false;
    if (arc.size() > 1 && arc[0] == '0') return false;
    if (arcs == 0 && (arc.size() > 1 || arc[0] > '2')) return false;
    ++arcs;
    if (end == std::string_view::npos) return arcs > 1;
    text.remove_prefix(end + 1);
  }
  return false;
}

/// FHIR's uri: no white space; a system is absolute, so it has a scheme.
bool is_system(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= ' ') return false;
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) return false;
  return !text.starts_with(urn_oid) || is_oid(text);
}

/// FHIR's code: no white space but single spaces inside.
bool is_code(std::string_view text) {
  if (text.front() == ' ' || text.back() == ' ' || text.find("  ") != std::string_view::npos)
    return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < ' ') return false;
  }
  return true;
}

void check_requests(const BundleForm& form, std::vector<std::string>& faults) {
  bool written = false;
  const std::array<std::pair<std::string_view, BundleType>, 2> types{
      {{"fhir.bundle_type_offerings", form.bundle_type_offerings},
       {"fhir.bundle_type_members", form.bundle_type_members}}};
  for (const auto& [key, type] : types) {
    const bool wanted = type != BundleType::collection;
    const bool present = form.entry_request == EntryRequest::automatic
                             ? wanted
                             : form.entry_request == EntryRequest::always;
    written = written || present;
    if (wanted == present) continue;
    faults.push_back("fhir.entry_request: " +
                     std::string(wanted ? "never, but a batch or transaction needs entry.request"
                                        : "always, but a collection may have no entry.request") +
                     " (" + std::string(key) + ", bdl-3); auto fits both");
  }
  if (!written) return;
  if (!form.entry_request_url_prefix) {
    faults.emplace_back(
        "fhir.entry_request_url: empty, but entry.request.url is required and FHIR forbids empty "
        "strings");
  } else if (form.entry_request_url_prefix->find_first_of(" \t\r\n") != std::string::npos) {
    faults.emplace_back("fhir.entry_request_url: a URL holds no white space");
  }
}

void check_systems(const BundleForm& form, std::vector<std::string>& faults) {
  const std::array<std::pair<std::string_view, std::string_view>, 5> systems{
      {{"fhir.system_fnr", form.system_fnr},
       {"fhir.system_dnr", form.system_dnr},
       {"fhir.system_orgnr", form.system_orgnr},
       {"fhir.system_her", form.system_her},
       {"fhir.system_service_id", form.system_service_id}}};
  for (const auto& [key, system] : systems) {
    if (system.empty() || is_system(system)) continue;  // an empty one is left out
    faults.push_back(std::string(key) + ": not an absolute URI without white space");
  }
}

}  // namespace

std::vector<std::string> r4_faults(const BundleForm& form) {
  std::vector<std::string> faults;
  check_requests(form, faults);
  check_systems(form, faults);
  if (form.bundle_type_offerings == BundleType::batch &&
      form.reference_form == ReferenceForm::urn_uuid) {
    faults.emplace_back(
        "fhir.bundle_type_offerings: the entries of a batch may not refer to each other; use "
        "transaction or collection, or fhir.reference_form: logical_identifier");
  }
  if (form.service_id_bare && form.system_service_id == "urn:ietf:rfc:3986") {
    faults.emplace_back(
        "fhir.system_service_id: values of urn:ietf:rfc:3986 are URIs, a bare GUID is none; name "
        "another system or send urn:uuid:<guid>");
  }
  if (!form.meta_security_area.empty() && !is_code(form.meta_security_area)) {
    faults.emplace_back("fhir.meta_security_area: not a FHIR code");
  }
  return faults;
}

bool is_valid_r4(const BundleForm& form) {
  return r4_faults(form).empty();
}

}  // namespace helsekontakter
