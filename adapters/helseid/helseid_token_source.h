#pragma once

#include "adapters/helseid/observer.h"
#include "adapters/helseid/settings.h"
#include "adapters/helseid/surroundings.h"
#include "adapters/helseid/token_source.h"
#include "worker/domain/result.h"

#include <cstddef>
#include <memory>
#include <vector>

namespace helsekontakter::helseid {

/// Tokens from HelseID by client_credentials with private_key_jwt, as Bearer or DPoP. One token is
/// cached for each client, key and named organisation; scope and mode are the same for all. Any
/// thread may call; requests run on the client's threads, signing and the reading of a small key
/// file on whichever thread is at hand. The HTTP client must outlive this.
class HelseIdTokenSource final : public TokenSource {
 public:
  using Created = tl::expected<std::unique_ptr<HelseIdTokenSource>, std::vector<Error>>;

  /// More callers than this waiting for tokens: the next one gets token_unavailable at once.
  static constexpr std::size_t waiting_max = 1024;

  /// Reads every key file; all that is wrong comes at once. Sends nothing.
  [[nodiscard]] static Created create(Settings settings, https::Client& client,
                                      Surroundings surroundings = system_surroundings(),
                                      Observer observer = {});

  /// Stops.
  ~HelseIdTokenSource() override;

  /// A fresh token's whole life may be shorter than needed_life: then it is given all the same, in
  /// the first half of its life, and the observer is told once. A permanent fault is remembered
  /// and answered at once for 5 s, doubling to 5 min, or until the key file changes.
  void authorize(OrganizationNumber organization, const std::string& method, const https::Url& url,
                 Milliseconds needed_life, std::function<void(Authorized)> done) override;

  void drop(OrganizationNumber organization, const Authorization& refused) override;

  /// Answers everyone who waits, and everyone who comes later, with `stopped`.
  void stop();

 private:
  struct State;
  explicit HelseIdTokenSource(std::shared_ptr<State> state);

  const std::shared_ptr<State> state_;
};

}  // namespace helsekontakter::helseid
