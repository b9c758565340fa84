#pragma once

#include "worker/domain/result.h"
#include "worker/domain/time.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

namespace helsekontakter::https {

/// An absolute http or https URL, split. http is accepted for loopback addresses only.
struct Url {
  bool tls = true;
  std::string host;
  std::uint16_t port = 443;
  std::string target = "/";  ///< path and query

  [[nodiscard]] static Result<Url> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
};

struct Header {
  std::string name;
  std::string value;
};

struct Request {
  std::string method = "POST";
  Url url;
  std::vector<Header> headers;  ///< without Host, Content-Length, Connection
  std::string body;
  /// Instead of `body`, for a caller that may have to send it again: nothing is copied.
  std::shared_ptr<const std::string> shared_body;
  Milliseconds connect_timeout{5'000};  ///< name, connection, proxy, TLS: until the first byte
  Milliseconds timeout{15'000};  ///< from the first byte of the request to the last of the answer
  std::size_t answer_bytes_max = 16 * 1024 * 1024;
  /// Asked right before the first byte is written; false ends the request as `withheld`.
  std::function<bool()> may_write;
};

struct Response {
  int status = 0;
  std::vector<Header> headers;
  std::string body;
  std::chrono::system_clock::time_point
      written_at;  ///< when the first byte of the request went out

  /// The first header of that name (case ignored), or empty.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

/// No whole answer came.
struct Failure {
  enum class Phase : std::uint8_t { resolve, connect, proxy, tls, withheld, stopped, write, read };
  Phase phase = Phase::connect;
  /// True when the peer may have executed the request: its first write was begun. A keep-alive
  /// connection that the peer had closed before that is replaced by the client; after that nothing
  /// is ever sent again.
  bool may_be_executed = false;
  std::string text;  ///< what, which peer, what to try
  std::optional<std::chrono::system_clock::time_point> written_at = std::nullopt;
};

using Answer = tl::expected<Response, Failure>;

/// Sends requests over a pool of keep-alive connections. Any thread may call; callbacks come on
/// the client's own thread, exactly once for each send, also on stop.
class Client {
 public:
  virtual ~Client() = default;
  virtual void send(Request request, std::function<void(Answer)> done) = 0;
};

}  // namespace helsekontakter::https
