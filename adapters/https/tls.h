#pragma once

#include "worker/domain/result.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/ssl/context.hpp>
#include <openssl/ssl.h>

namespace helsekontakter::https {

/// What every TLS connection of a client shares: protocol versions, trust, and the sessions that
/// abbreviate the next handshake with the same peer. Used by one thread.
class TlsContext {
 public:
  /// An empty `ca_file` trusts the system's store. Fails when the file cannot be read. `section` is
  /// where ca_file stands in the configuration, for errors.
  [[nodiscard]] static Result<std::unique_ptr<TlsContext>> create(const std::string& ca_file,
                                                                  const std::string& section);

  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  [[nodiscard]] boost::asio::ssl::context& context() { return context_; }

  /// Before a handshake: server name, the name or address to verify, and a session, if one is
  /// kept for this peer.
  [[nodiscard]] Result<void> prepare(SSL* ssl, const std::string& host, std::uint16_t port);

  /// Why a handshake with `peer` failed: what, and what to try.
  [[nodiscard]] std::string explain(SSL* ssl, const std::string& peer,
                                    const std::string& error) const;

 private:
  using Session = std::unique_ptr<SSL_SESSION, void (*)(SSL_SESSION*)>;
  struct Peer {
    std::vector<Session> sessions;
  };

  explicit TlsContext(std::string option);
  void offer_session(SSL* ssl, Peer& peer);
  static int keep_session(SSL* ssl, SSL_SESSION* session);

  const std::string option_;  ///< "api.ca_file"
  boost::asio::ssl::context context_{boost::asio::ssl::context::tls_client};
  std::map<std::pair<std::string, std::uint16_t>, Peer> peers_;
};

}  // namespace helsekontakter::https
