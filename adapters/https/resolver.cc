#include "adapters/https/resolver.h"

#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <arpa/inet.h>
#include <boost/asio/post.hpp>
#include <netdb.h>
#include <sys/socket.h>

namespace helsekontakter::https {

namespace asio = boost::asio;

namespace {

/// Callers that wait for one name; more are refused.
constexpr std::size_t questions_max = 1000;

}  // namespace

Result<std::vector<std::string>> system_lookup(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  if (const int code = getaddrinfo(host.c_str(), nullptr, &hints, &list); code != 0) {
    return fail(Remedy::retry, gai_strerror(code));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(list, freeaddrinfo);
  std::vector<std::string> out;
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) ==
        0) {
      out.emplace_back(text);
    }
  }
  return out;
}

/// Where a look-up's thread leaves its answer. `resolver` is null when nobody wants it any more.
struct Resolver::Mailbox {
  std::mutex mutex;
  asio::io_context* io = nullptr;
  Resolver* resolver = nullptr;
};

Resolver::Resolver(asio::io_context& io, Lookup lookup)
    : lookup_(std::move(lookup)), mailbox_(std::make_shared<Mailbox>()) {
  mailbox_->io = &io;
  mailbox_->resolver = this;
}

Resolver::~Resolver() {
  const std::lock_guard lock(mailbox_->mutex);
  mailbox_->resolver = nullptr;
}

void Resolver::resolve(const std::string& host, std::function<void(const Addresses&)> done) {
  boost::system::error_code no_number;
  const auto address = asio::ip::make_address(host, no_number);
  if (!no_number) return done(std::vector{address});
  auto& waiting = waiting_[host];
  if (waiting.size() >= questions_max) return done(fail(Remedy::retry, "too many wait for it"));
  waiting.push_back(std::move(done));
  if (waiting.size() == 1) start(host);
}

void Resolver::start(const std::string& host) {
  auto look = [mailbox = mailbox_, lookup = lookup_, host] {
    auto found = lookup(host);
    const std::lock_guard lock(mailbox->mutex);
    if (mailbox->resolver == nullptr) return;
    asio::post(*mailbox->io, [mailbox, host, found = std::move(found)] {
      if (mailbox->resolver != nullptr) mailbox->resolver->conclude(host, found);
    });
  };
  try {
    std::thread(std::move(look)).detach();
  } catch (const std::system_error&) {
    asio::post(*mailbox_->io, [mailbox = mailbox_, host] {
      if (mailbox->resolver == nullptr) return;
      mailbox->resolver->conclude(host, fail(Remedy::retry, "no thread could be started for it"));
    });
  }
}

void Resolver::conclude(const std::string& host, const Result<std::vector<std::string>>& found) {
  const auto node = waiting_.extract(host);
  if (node.empty()) return;
  Addresses addresses;
  if (!found) {
    addresses = tl::unexpected(found.error());
  } else {
    for (const std::string& text : *found) {
      boost::system::error_code no_number;
      const auto address = asio::ip::make_address(text, no_number);
      if (!no_number) addresses->push_back(address);
    }
    if (addresses->empty()) addresses = fail(Remedy::retry, "it has no address");
  }
  for (const auto& done : node.mapped()) done(addresses);
}

}  // namespace helsekontakter::https
