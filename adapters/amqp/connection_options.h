#pragma once

#include "adapters/amqp/settings.h"
#include "worker/domain/result.h"

#include <string>

#include <proton/connection_options.hpp>

namespace helsekontakter::amqp {

/// One of Connection::urls, taken apart.
struct Endpoint {
  std::string host;
  std::string port;
  bool tls = false;
  bool loopback = false;

  [[nodiscard]] std::string text() const { return host + ":" + port; }
  [[nodiscard]] std::string url() const;
};

/// Refuses what is not amqp:// or amqps:// with a host. No user or path belongs there.
[[nodiscard]] Result<Endpoint> parse_endpoint(const std::string& url);

/// Refuses what can never work or would send a password in the clear. Remedy: stop.
[[nodiscard]] Result<void> check(const Connection& settings);

/// Every option that matters is set, because Proton's defaults are for demonstrations: reconnection
/// off, the name to check, the mechanisms, heartbeats. Throws proton::error for unreadable TLS
/// files.
[[nodiscard]] proton::connection_options options_for(const Connection& settings,
                                                     const std::string& password,
                                                     const Endpoint& endpoint);

}  // namespace helsekontakter::amqp
