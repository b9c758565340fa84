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

 private:
  struct Fetched;  ///< what the token source's observer saw

  [[nodiscard]] Result<https::Client*> client();
  [[nodiscard]] Result<https::Client*> auth_client();
  [[nodiscard]] Result<helseid::TokenSource*> tokens();
  [[nodiscard]] Result<https::Response> get(https::Client& client, const https::Url& url,
                                            Milliseconds timeout);

  const config::Configuration& configuration_;
  std::optional<Milliseconds> skew_;  ///< as the endpoint's answer said
  std::shared_ptr<Fetched> fetched_;
  std::unique_ptr<https::PooledClient> client_;
  std::unique_ptr<https::PooledClient> auth_client_;
  std::unique_ptr<helseid::HelseIdTokenSource> tokens_;
};

}  // namespace helsekontakter::cli
