#pragma once

#include "adapters/helseid/jws.h"
#include "adapters/helseid/settings.h"
#include "adapters/helseid/surroundings.h"
#include "adapters/https/http.h"
#include "worker/domain/result.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helsekontakter::helseid {

/// The organisations that the token shall be for, as digits; empty: not named in the assertion.
struct Represented {
  std::string parent;
  std::string child;

  friend bool operator==(const Represented&, const Represented&) = default;
};

/// Who is named for an organisation (contract/helseid 4). A multi-tenant client names the parent
/// and its child, or the organisation alone; a single-tenant one names a child unit only.
[[nodiscard]] Represented represented(const Settings& settings, OrganizationNumber organization);

/// 128 random bits, for `jti`.
[[nodiscard]] std::string unique_id(const Surroundings& surroundings);

/// A freshly signed client assertion (contract/helseid 3), good for one request.
[[nodiscard]] Result<std::string> client_assertion(const Settings& settings,
                                                   const std::string& client_id,
                                                   const Represented& organization,
                                                   const SigningKey& key, WallTime now,
                                                   const std::string& jti);

/// What a DPoP proof is bound to (contract/helseid 5).
struct ProofOf {
  std::string method;
  https::Url url;            ///< its query and fragment are left out of `htu`
  std::string nonce;         ///< towards HelseID, when it asked for one
  std::string access_token;  ///< towards the API: hashed into `ath`
};

/// A DPoP proof (RFC 9449 section 4.2), good for one request.
[[nodiscard]] Result<std::string> dpop_proof(const ProofOf& bound, const SigningKey& key,
                                             WallTime now, const std::string& jti);

/// application/x-www-form-urlencoded; a field without value is left out.
[[nodiscard]] std::string form(
    const std::vector<std::pair<std::string_view, std::string_view>>& fields);

}  // namespace helsekontakter::helseid
