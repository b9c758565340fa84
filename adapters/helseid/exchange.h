#pragma once

#include "adapters/helseid/assertion.h"
#include "adapters/helseid/issuer.h"
#include "adapters/helseid/key_file.h"
#include "adapters/helseid/metadata.h"
#include "adapters/helseid/token_answer.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace helsekontakter::helseid {

/// A HelseID client of ours: the shared one, or an organisation's own.
struct ClientIdentity {
  ClientIdentity(std::string id, std::string jwk_file, const Settings& settings,
                 const Observer& observer)
      : client_id(std::move(id)),
        key_file(std::move(jwk_file), settings.alg, settings.mode_check, observer) {}

  const std::string client_id;
  KeyFile key_file;
};

/// A token as it came, with the key that it may be bound to.
struct FreshToken {
  TokenGranted granted;
  TimePoint asked_at;  ///< its life is counted from here: HelseID issued it no earlier
  KeyFile::Key key;
};

/// One token from HelseID, with the repeats that contract/helseid 5 and 7 allow: once for a nonce,
/// once after invalid_client with the key file read again, once for a refused proof. Each try
/// carries an assertion and a proof of its own. Lives until its callback, which comes exactly
/// once, on the caller's thread or the client's.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  using Done = std::function<void(tl::expected<FreshToken, Fault>)>;

  Exchange(std::shared_ptr<Issuer> issuer, std::shared_ptr<TokenEndpoint> endpoint,
           std::shared_ptr<ClientIdentity> client, Represented organization, Done done);

  void start();

 private:
  void ask();
  void read(const https::Response& response);
  /// Asks again if that was not done for this reason yet, else ends.
  void again(bool& done_before, Fault fault);
  [[nodiscard]] Result<https::Request> request() const;

  const std::shared_ptr<Issuer> issuer_;
  const std::shared_ptr<TokenEndpoint> endpoint_;
  const std::shared_ptr<ClientIdentity> client_;
  const Represented organization_;
  const Done done_;

  https::Url url_;
  KeyFile::Key key_;
  std::string nonce_;
  TimePoint asked_at_{};
  bool nonce_tried_ = false;
  bool client_tried_ = false;
  bool proof_tried_ = false;
};

}  // namespace helsekontakter::helseid
