#pragma once

#include "tests/simulator/engine.h"
#include "tests/simulator/jose.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace helsekontakter::simulator::testing {

inline const std::string origin = "https://localhost:8443";
inline const std::string our_organization = "948554062";
inline const std::string other_organization = "993467049";
inline const std::string client_id = "7f1c2f5e-0000-4000-8000-3d6f0a4b9c11";

/// A directory of its own that goes with the test.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }
  void write(const std::string& name, const std::string& text) const;
  [[nodiscard]] std::string read(const std::string& name) const;

 private:
  std::filesystem::path path_;
};

/// What an assertion says; the defaults are right.
struct AssertionWish {
  std::string alg = "ES256";
  std::string typ = "client-authentication+jwt";
  std::string kid = "the-kid";
  std::string iss = client_id;
  std::string sub = client_id;
  std::string aud = "\"" + origin + "\"";  ///< JSON
  int issued_s = 0;                        ///< seconds from now
  int life_s = 30;
  std::string jti;      ///< empty: a new one
  std::string details;  ///< JSON of assertion_details; empty: none
  std::string claim = "assertion_details";
  bool is_forged = false;  ///< signed with another key
};

struct ProofWish {
  std::string typ = "dpop+jwt";
  std::string htm = "POST";
  std::string htu = origin + "/connect/token";
  int issued_s = 0;
  std::string jti;
  std::string nonce;
  std::string token;  ///< for ath; empty: none
  bool shows_private_key = false;
};

/// A client with an ES256 key, as the worker is one.
class Party {
 public:
  Party();
  [[nodiscard]] std::string public_jwk(const std::string& kid = "the-kid") const;
  [[nodiscard]] std::string assertion(const AssertionWish& wish, Time now) const;
  [[nodiscard]] std::string proof(const ProofWish& wish, Time now) const;
  [[nodiscard]] HttpRequest token_request(const AssertionWish& wish, Time now,
                                          const std::string& more = "") const;

 private:
  Key key_;
  Key other_;
};

/// assertion_details of a multi-tenant client.
[[nodiscard]] std::string details(const std::string& value,
                                  const std::string& system = "urn:oid:1.0.6523");

/// A synthetic number with right check digits; different for different i.
[[nodiscard]] std::string number(int i);

/// A member Bundle; each pair is the number of a member and the version (days of the period).
[[nodiscard]] std::string members(const std::vector<std::pair<int, int>>& changes,
                                  const std::string& organization = our_organization);
[[nodiscard]] std::string offerings(const std::string& organization = our_organization);

/// An engine without network, with one multi-tenant client that may use every scope it needs.
class Bench {
 public:
  explicit Bench(const std::string& more_yaml = "");

  /// A Bearer token for the organisation.
  [[nodiscard]] std::string token(const std::string& organization = our_organization);
  [[nodiscard]] HttpRequest request(std::string body) const;
  [[nodiscard]] HttpRequest request(std::string body, const std::string& token) const;
  /// Admits and finishes at once.
  [[nodiscard]] Reply post(HttpRequest request);
  [[nodiscard]] std::unique_ptr<Pending> admit(std::string body);
  void change(const std::string& json);
  [[nodiscard]] std::uint64_t count(const std::string& name) const;

  Scratch scratch;
  Party party;
  Time now = Time(std::chrono::seconds(1'790'000'000));
  std::unique_ptr<Engine> engine;
  std::string last_log;
};

}  // namespace helsekontakter::simulator::testing
