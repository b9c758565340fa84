#pragma once

#include "adapters/https/http.h"
#include "adapters/https/settings.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace helsekontakter::https {

/// Turns a host name into numeric addresses ("192.0.2.1", "2001:db8::1"), in the order in which
/// they are tried. May block: it runs on a thread of its own, one at a time for each host, and
/// nobody waits for it longer than a request's connect_timeout.
using Lookup = std::function<Result<std::vector<std::string>>(const std::string& host)>;

/// getaddrinfo.
[[nodiscard]] Result<std::vector<std::string>> system_lookup(const std::string& host);

/// What a client has done since its start; for metrics.
struct ClientCounts {
  std::uint64_t opened = 0;            ///< connections ready to write on
  std::uint64_t reused = 0;            ///< requests written on a kept connection
  std::uint64_t found_stale = 0;       ///< kept connections that the peer had closed meanwhile
  std::uint64_t sessions_resumed = 0;  ///< TLS handshakes that were abbreviated
};

/// The client over HTTP/1.1: keep-alive connections by host and port, TLS 1.2 or later with the
/// peer and its name verified, CONNECT through a proxy (https only; http is loopback and goes
/// direct). One thread of its own runs everything, callbacks and `may_write` too.
///
/// A request waits for at most `connections_max` others; the wait, the name, the connection, the
/// proxy and TLS share its connect_timeout. A kept connection is looked at before it is written
/// on; one that the peer has closed is replaced by a fresh one. Once the first write was begun
/// nothing is ever sent again, and every failure is `may_be_executed`.
class PooledClient final : public Client {
 public:
  /// Fails when the CA file cannot be read or the proxy's URL is wrong.
  [[nodiscard]] static Result<std::unique_ptr<PooledClient>> create(ClientSettings settings,
                                                                    Lookup lookup = system_lookup);
  /// stop(now)
  ~PooledClient() override;

  PooledClient(const PooledClient&) = delete;
  PooledClient& operator=(const PooledClient&) = delete;

  /// Any thread. After stop() has returned, `done` is called on the caller's thread.
  void send(Request request, std::function<void(Answer)> done) override;

  /// Ends what is not written yet at once (`stopped`), lets the rest end until the deadline, then
  /// cuts it off, and returns when every callback has returned. Not from a callback.
  void stop(std::chrono::steady_clock::time_point deadline);

  /// Any thread.
  [[nodiscard]] ClientCounts counts() const;

 private:
  class Pool;
  explicit PooledClient(std::unique_ptr<Pool> pool);
  std::unique_ptr<Pool> pool_;
};

}  // namespace helsekontakter::https
