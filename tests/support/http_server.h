#pragma once

#include "tests/support/certificates.h"

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <openssl/ssl.h>

namespace helsekontakter::testing {

/// A request as a test server read it.
struct SeenRequest {
  std::string head;  ///< request line and headers
  std::string body;
  [[nodiscard]] bool has(std::string_view text) const {
    return head.find(text) != std::string::npos;
  }
};

/// One accepted connection, on a thread of its own; its calls block until the peer or stop() moves.
class Peer {
 public:
  Peer(int socket, SSL_CTX* tls);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  /// False: no handshake came about.
  [[nodiscard]] bool accept_tls();
  /// Nothing when the peer closed.
  [[nodiscard]] std::optional<SeenRequest> read_request();
  /// Only the headers of a request.
  [[nodiscard]] std::optional<SeenRequest> read_head();
  void write(std::string_view bytes);
  void answer(int status, std::string_view body, std::string_view more_headers = "");
  /// Returns when the peer has closed or the server is stopped.
  void wait_for_close();
  /// The same, without reading anything more.
  void ignore_until_close();
  /// Closes with a reset instead of an orderly end.
  void abort();
  /// Ends TLS in an orderly way, then the connection.
  void close_orderly();
  /// Copies between this peer and a port of this machine until one of them closes.
  void relay_to(std::uint16_t port);

  [[nodiscard]] int socket() const { return socket_; }

 private:
  [[nodiscard]] bool fill();

  int socket_;
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
  std::string pending_;
};

/// A server on a free port of 127.0.0.1 that does to each connection what the test says. A thread
/// for each connection; all have ended when the destructor returns.
class HttpServer {
 public:
  using Script = std::function<void(Peer&)>;
  struct Tls {
    Certificate certificate;
    int version_max = 0;  ///< 0: the newest
  };

  /// Plain, or with TLS done before the script runs; where no handshake comes about, it does not.
  explicit HttpServer(Script script, std::optional<Tls> tls = std::nullopt);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url(std::string_view host = "127.0.0.1") const;
  /// Connections accepted so far.
  [[nodiscard]] int connections() const;

  /// Answers every request 200 with its own body, on one connection after the other.
  static void echo(Peer& peer);

 private:
  void accept_all();
  void serve(int socket);

  Script script_;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> tls_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::set<int> open_;
  std::vector<std::thread> threads_;
  int accepted_ = 0;
  bool stopping_ = false;
  std::thread acceptor_;
};

/// A port of a loopback address on which a connection is neither taken nor refused: its queue is
/// full.
class DeafPort {
 public:
  explicit DeafPort(const std::string& address = "127.0.0.1", std::uint16_t port = 0);
  ~DeafPort();
  DeafPort(const DeafPort&) = delete;
  DeafPort& operator=(const DeafPort&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  std::uint16_t port_ = 0;
  std::vector<int> sockets_;
};

}  // namespace helsekontakter::testing
