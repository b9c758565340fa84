#pragma once

#include "adapters/helseid/breaker.h"
#include "adapters/helseid/issuer.h"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace helsekontakter::helseid {

/// <issuer>/.well-known/openid-configuration, one trailing slash of the issuer dropped.
[[nodiscard]] std::string metadata_url(std::string_view issuer);

/// The token endpoint that a metadata document names. Its issuer must be ours to the letter, and
/// the endpoint must be https on the same host (contract/helseid 1), or the client's assertion
/// would go to a stranger.
[[nodiscard]] tl::expected<https::Url, Fault> read_metadata(const https::Response& response,
                                                            const std::string& issuer);

/// Knows where tokens are given out: auth.token_endpoint, or the issuer's metadata, kept for
/// auth.metadata_life. Any thread. One request at a time, whoever asks; at most as many wait as
/// there are token requests.
class TokenEndpoint : public std::enable_shared_from_this<TokenEndpoint> {
 public:
  using Found = tl::expected<https::Url, Fault>;

  explicit TokenEndpoint(std::shared_ptr<Issuer> issuer) : issuer_(std::move(issuer)) {}

  /// The callback comes exactly once, on the caller's thread or the client's. Metadata that cannot
  /// be renewed goes on being used, and is asked for again after five minutes.
  void find(std::function<void(Found)> done);

 private:
  void fetch();
  void keep(Found found);

  const std::shared_ptr<Issuer> issuer_;
  std::mutex mutex_;
  std::optional<https::Url> url_;
  TimePoint renew_at_{};
  bool fetching_ = false;
  Breaker<Fault> breaker_;
  std::vector<std::function<void(Found)>> waiting_;
};

}  // namespace helsekontakter::helseid
