#pragma once

#include "adapters/crypto/secret_file.h"
#include "worker/domain/organization_number.h"
#include "worker/domain/time.h"

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace helsekontakter::helseid {

enum class TokenMode : std::uint8_t { bearer, dpop };
enum class Tenancy : std::uint8_t { single, multi };
enum class OrgClaimForm : std::uint8_t { object, array };
enum class OrgChildEmptyForm : std::uint8_t { parent, parent_colon };  ///< NO:ORGNR:<parent>[:]
using ModeCheck = crypto::ModeCheck;                                   ///< secrets.mode_check

/// auth.* and organizations.*; defaults and sources: contract/helseid 11.
struct Settings {
  bool none = false;  ///< no token at all; loopback simulators only
  std::string issuer;
  std::string token_endpoint;  ///< empty: from the metadata
  std::string client_id;
  std::string jwk_file;
  std::string scope = "nhn:helsenorge.eksternapi/helsekontakter";  ///< empty: left out
  std::string resource;                                            ///< empty: absent
  TokenMode token_mode = TokenMode::bearer;
  Tenancy tenancy = Tenancy::single;
  std::string org_claim = "assertion_details";
  OrgClaimForm org_claim_form = OrgClaimForm::object;
  OrgChildEmptyForm org_child_empty_form = OrgChildEmptyForm::parent;
  std::string org_child_system = "urn:oid:2.16.578.1.12.4.1.4.101";
  std::string assertion_typ = "client-authentication+jwt";
  std::string assertion_audience;  ///< empty: the issuer
  std::string alg;                 ///< empty: from the JWK
  std::chrono::seconds assertion_life{30};
  int expiry_margin_percent = 20;
  std::chrono::seconds expiry_margin_max{30};
  bool clock_correction = false;  ///< from the Date header
  std::chrono::hours metadata_life{24};
  Milliseconds request_timeout{10'000};
  ModeCheck mode_check = ModeCheck::warn;

  struct Organization {
    std::optional<std::string> client_id;  ///< its own client; else the shared one
    std::optional<std::string> jwk_file;
    std::optional<OrganizationNumber> parent;
  };
  std::unordered_map<OrganizationNumber, Organization> organizations;
};

}  // namespace helsekontakter::helseid
