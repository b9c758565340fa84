#pragma once

#include "adapters/helseid/fault.h"
#include "adapters/helseid/settings.h"
#include "adapters/https/http.h"

#include <string>
#include <variant>

namespace helsekontakter::helseid {

struct TokenGranted {
  std::string access_token;
  Milliseconds life{0};  ///< 0: the answer does not say; good for the moment only
};

/// HelseID wants this nonce in the DPoP proof.
struct NonceWanted {
  std::string nonce;
};

/// invalid_client: perhaps the key has been rotated, or the assertion came late.
struct ClientInvalid {
  Fault fault;
};

/// invalid_dpop_proof: perhaps the proof came late.
struct ProofInvalid {
  Fault fault;
};

using TokenAnswer = std::variant<TokenGranted, NonceWanted, ClientInvalid, ProofInvalid, Fault>;

/// Understands an answer of the token endpoint, whatever it is (contract/helseid 7). Texts are
/// presentable. Scope and token mode of the settings decide what a 200 is worth.
[[nodiscard]] TokenAnswer read_token_answer(const https::Response& response,
                                            const Settings& settings);

}  // namespace helsekontakter::helseid
