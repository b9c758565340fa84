#pragma once

#include "worker/domain/result.h"
#include "worker/domain/time.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace helsekontakter::operations {

/// What a page shows.
struct Page {
  int status = 200;
  std::string body;
  std::string content_type = "text/plain; charset=utf-8";
};

/// Called on the server's thread for each request; must not block. A page never holds an identity
/// number or a secret: this port has no access control.
struct Pages {
  std::function<Page()> live;
  std::function<Page()> ready;
  std::function<Page()> metrics;
};

struct ServerSettings {
  std::string host = "0.0.0.0";  ///< operations.listen; a numeric address, IPv6 without brackets
  std::uint16_t port = 8080;     ///< 0: any free one
  std::size_t connections_max = 32;     ///< one more: the oldest is cut
  Milliseconds request_timeout{5'000};  ///< to read a request and to write its answer, each
  Milliseconds idle_max{60'000};        ///< between two requests of a connection
};

/// Serves /live, /ready and /metrics to GET and HEAD over plain HTTP/1.1; everything else is 404 or
/// 405. One thread of its own. A request with a body, or with more than 8 KiB of headers, ends its
/// connection.
class OperationsServer {
 public:
  /// Listens from here on. Fails, naming operations.listen, when the address cannot be had.
  [[nodiscard]] static Result<std::unique_ptr<OperationsServer>> start(ServerSettings settings,
                                                                       Pages pages);
  /// Closes every connection and ends the thread.
  ~OperationsServer();
  OperationsServer(const OperationsServer&) = delete;
  OperationsServer& operator=(const OperationsServer&) = delete;

  /// The port that was bound.
  [[nodiscard]] std::uint16_t port() const;

 private:
  class Session;
  class Listener;
  explicit OperationsServer(std::unique_ptr<Listener> listener);
  std::unique_ptr<Listener> listener_;
};

}  // namespace helsekontakter::operations
