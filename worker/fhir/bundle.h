#pragma once

#include "worker/domain/bytes.h"
#include "worker/domain/verdict.h"
#include "worker/fhir/form.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace helsekontakter::fhir {

/// One membership, checked. Dates are YYYY-MM-DD of the calendar; texts are valid UTF-8.
struct Membership {
  Uuid full_url;
  std::string_view member;  ///< eleven digits
  bool is_d_number = false;
  std::string_view organization;  ///< nine digits
  std::string_view start;
  std::string_view end;  ///< empty: left out (member.open_end: omit)
};

struct Telecom {
  std::string_view system;  ///< phone, url, ... (FHIR contact-point-system)
  std::string_view value;
};

struct Location {
  Uuid full_url;
  std::vector<std::string_view> line;
  std::string_view city;
  std::string_view postal_code;
  std::vector<Telecom> telecom;
};

struct Organization {
  Uuid full_url;            ///< derived from its number
  std::string_view number;  ///< nine digits
  std::string_view name;
  std::string_view business_id;
};

struct Service {
  Uuid full_url;
  std::string_view id;  ///< GUID, 36 characters, lower case
  bool active = true;
  std::string_view name;
  std::string_view comment;  ///< empty: left out
  std::string_view her_id;   ///< empty: left out
};

/// Appends one Patient entry. Source of the shape: contract/medlemstjenester 4, 7, 8.
void append_member_entry(std::string& out, const BundleForm& form, const Membership& membership);

/// Appends the Organization entry that the offerings of one Bundle share.
void append_organization_entry(std::string& out, const BundleForm& form,
                               const Organization& organization);

/// Appends the Location entries and the HealthcareService entry of one offering, separated by
/// commas; returns their number. Entries of one Bundle have distinct fullUrls as long as the
/// locations and services have.
std::size_t append_offering_entries(std::string& out, const BundleForm& form,
                                    const Organization& organization,
                                    std::span<const Location> locations, const Service& service);

/// Everything of a Bundle before its first and after its last entry. Exact bytes of a body =
/// prefix + entries + one comma between each two + suffix.
[[nodiscard]] std::string bundle_prefix(const BundleForm& form, Lane lane);
[[nodiscard]] std::string_view bundle_suffix();

/// Appends a JSON string with its quotes; the text is valid UTF-8.
void append_json_string(std::string& out, std::string_view text);

/// An element id is a text without white space (FHIR R4, Element.id). A business id that is none
/// goes into the endpoint's identifier, whatever the form.
[[nodiscard]] bool can_be_element_id(std::string_view text);

}  // namespace helsekontakter::fhir
