#pragma once

#include "tests/simulator/jose.h"

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace helsekontakter::simulator {

using Time = std::chrono::system_clock::time_point;

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};

/// What HelseID promised with a token.
struct Grant {
  std::string client_id;
  std::string organization;  ///< the child where there is one, else the parent; empty: none named
  std::string parent;
  std::string scope;       ///< granted, separated by spaces
  std::string thumbprint;  ///< of the DPoP key; empty: a Bearer token
  Time expires;
};

/// The tokens that were issued, so that the API's check is one look-up instead of a signature
/// check. Expired ones are dropped now and then; at most 200 000 are kept.
class Grants {
 public:
  void issue(const std::string& token, Grant grant, Time now);
  [[nodiscard]] const Grant* find(std::string_view token) const;

 private:
  std::unordered_map<std::string, Grant, TextHash, std::equal_to<>> grants_;
  std::size_t next_purge_ = 1'000;
};

/// Identifiers that must not be used twice (jti). Remembers each until it would be refused as
/// expired anyway.
class ReplayCache {
 public:
  /// False when it was seen before and may still be valid.
  [[nodiscard]] bool is_first(const std::string& id, Time expires, Time now);

 private:
  std::unordered_map<std::string, Time> seen_;
  std::size_t next_purge_ = 10'000;
};

/// A DPoP proof (RFC 9449) as one request demands it.
struct ProofDemand {
  std::string_view method;
  std::string_view url;  ///< without query
  Time now;
  std::chrono::milliseconds life_max{10'000};
  std::chrono::milliseconds skew{5'000};
  std::optional<std::string_view> token;  ///< at the API: ath must be its hash
};

struct Proof {
  std::string thumbprint;
  std::string jti;
  std::optional<std::string> nonce;
};

/// Checks all of a proof but the uniqueness of its jti and the nonce. Reasons start with "proof_".
[[nodiscard]] Checked<Proof> check_proof(std::string_view compact, const ProofDemand& demand);

}  // namespace helsekontakter::simulator
