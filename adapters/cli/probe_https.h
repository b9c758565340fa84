#pragma once

#include "adapters/cli/check.h"
#include "adapters/helseid/helseid_token_source.h"
#include "adapters/https/pooled_client.h"

#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace helsekontakter::cli {

/// Asks the endpoint and HelseID. A GET to where submissions are posted submits nothing, and any
/// answer proves name, connection and TLS. One thread calls.
class HttpsProbe {
 public:
  explicit HttpsProbe(const config::Configuration& configuration) : configuration_(configuration) {}

  [[nodiscard]] Result<std::string> endpoint();
  /// The endpoint's clock minus ours, or HelseID's, where the endpoint says no time.
  [[nodiscard]] Result<Milliseconds> clock_skew();
  [[nodiscard]] Result<std::string> token(OrganizationNumber organization);
  /// The token for the status API, whose scope is another one (digital_status.scope).
  [[nodiscard]] Result<std::string> status_token(OrganizationNumber organization);

 private:
  struct Fetched;  ///< what a token source's observer saw
  /// Tokens of one scope.
  struct Tokens {
    std::shared_ptr<Fetched> fetched;
    std::unique_ptr<helseid::HelseIdTokenSource> source;
  };

  [[nodiscard]] Result<https::Client*> client();
  [[nodiscard]] Result<https::Client*> auth_client();
  [[nodiscard]] Result<void> make(Tokens& tokens, const helseid::Settings& settings);
  [[nodiscard]] Result<std::string> token_of(Tokens& tokens, const helseid::Settings& settings,
                                             OrganizationNumber organization);
  [[nodiscard]] Result<https::Response> get(https::Client& client, const https::Url& url,
                                            Milliseconds timeout);

  const config::Configuration& configuration_;
  std::optional<Milliseconds> skew_;  ///< as the endpoint's answer said
  std::unique_ptr<https::PooledClient> client_;
  std::unique_ptr<https::PooledClient> auth_client_;
  Tokens tokens_;
  Tokens status_tokens_;
};

}  // namespace helsekontakter::cli
