#pragma once

#include "adapters/https/pooled_client.h"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>

namespace helsekontakter::https {

/// Looks host names up without blocking the client's thread. getaddrinfo cannot be cancelled, and
/// Asio's own resolver joins its thread when it is destroyed; so each look-up has a detached
/// thread, one at a time for each host, which may outlive the resolver.
class Resolver {
 public:
  using Addresses = Result<std::vector<boost::asio::ip::address>>;

  Resolver(boost::asio::io_context& io, Lookup lookup);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// On the client's thread; `done` comes on it too, at once for a numeric address. It is not
  /// called any more once the resolver is gone.
  void resolve(const std::string& host, std::function<void(const Addresses&)> done);

 private:
  struct Mailbox;
  void start(const std::string& host);
  void conclude(const std::string& host, const Result<std::vector<std::string>>& found);

  Lookup lookup_;
  std::shared_ptr<Mailbox> mailbox_;
  std::map<std::string, std::vector<std::function<void(const Addresses&)>>> waiting_;
};

}  // namespace helsekontakter::https
