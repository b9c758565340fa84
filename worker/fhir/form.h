#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace helsekontakter {

enum class BundleType : std::uint8_t { transaction, batch, collection };
enum class EntryRequest : std::uint8_t { automatic, always, never };  ///< automatic: bdl-3
enum class ReferenceForm : std::uint8_t { urn_uuid, logical_identifier };
enum class OrganizationEndpointForm : std::uint8_t { both, element_id, identifier };
enum class MembershipEndForm : std::uint8_t { period_end, omit };
enum class OfferingEndForm : std::uint8_t { active_false };

/// Every variant of the wire that is not published, as a setting. Keys: fhir.*, member.end_form,
/// offering.end_form. Defaults and sources: contract/medlemstjenester 5, 7, 8 and 12.
struct BundleForm {
  BundleType bundle_type_offerings = BundleType::transaction;
  BundleType bundle_type_members = BundleType::batch;
  EntryRequest entry_request = EntryRequest::automatic;
  /// What stands before the resource type in entry.request.url; std::nullopt: the url is empty.
  /// "": "Patient"; "https://host/path/": absolute.
  std::optional<std::string> entry_request_url_prefix = "";
  std::string system_fnr = "urn:oid:2.16.578.1.12.4.1.4.1";
  std::string system_dnr = "urn:oid:2.16.578.1.12.4.1.4.1";
  std::string system_orgnr = "urn:oid:2.16.578.1.12.4.1.4.101";
  std::string system_her = "urn:oid:2.16.578.1.12.4.1.2";
  std::string system_service_id = "urn:ietf:rfc:3986";
  bool service_id_bare = false;  ///< "<guid>" instead of "urn:uuid:<guid>"
  ReferenceForm reference_form = ReferenceForm::urn_uuid;
  OrganizationEndpointForm organization_endpoint_form = OrganizationEndpointForm::both;
  std::string meta_security_area;  ///< "": absent; "3": Helsehjelp
  MembershipEndForm member_end_form = MembershipEndForm::period_end;
  OfferingEndForm offering_end_form = OfferingEndForm::active_false;
};

/// What makes the Bundles of this form break FHIR R4, a sentence each naming its keys; for a
/// warning, since the endpoint may want exactly that.
[[nodiscard]] std::vector<std::string> r4_faults(const BundleForm& form);

/// No fault: every Bundle of this form is valid R4 (held by tests/fhir).
[[nodiscard]] bool is_valid_r4(const BundleForm& form);

}  // namespace helsekontakter
