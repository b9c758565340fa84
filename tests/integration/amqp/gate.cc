#include "tests/integration/amqp/gate.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace helsekontakter::amqp::test {
namespace {

constexpr int poll_ms = 5;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

int connect_to(const std::string& host_and_port) {
  const auto port = std::stoi(host_and_port.substr(host_and_port.rfind(':') + 1));
  const auto address = loopback(static_cast<std::uint16_t>(port));
  const int to = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(to, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return to;
  ::close(to);
  return -1;
}

}  // namespace

Gate::Gate(const std::string& host_and_port) : broker_(host_and_port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no port for the gate");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

Gate::~Gate() {
  stopping_ = true;
  thread_.join();
  for (Pair& pair : pairs_) close(pair);
  ::close(listener_);
}

void Gate::run() {
  while (!stopping_) {
    std::vector<pollfd> watched{{listener_, POLLIN, 0}};
    for (const Pair& pair : pairs_) {
      const short wanted = silent_ ? 0 : POLLIN;
      watched.push_back({pair.worker, wanted, 0});
      watched.push_back({pair.broker, wanted, 0});
    }
    ::poll(watched.data(), watched.size(), poll_ms);
    if ((watched[0].revents & POLLIN) != 0) accept_one();
    std::size_t at = 1;
    for (auto pair = pairs_.begin(); pair != pairs_.end() && at < watched.size(); at += 2) {
      bool open = pair->cuts == cuts_;
      if (open && !silent_ && watched[at].revents != 0) {
        open = pass(pair->worker, pair->broker, true);
      }
      if (open && !silent_ && watched[at + 1].revents != 0) {
        open = pass(pair->broker, pair->worker, false);
      }
      if (open) {
        ++pair;
      } else {
        close(*pair);
        pair = pairs_.erase(pair);
      }
    }
  }
}

void Gate::accept_one() {
  const int worker = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (worker < 0) return;
  const int broker = broker_.empty() ? -1 : connect_to(broker_);
  if (refusing_ || (!broker_.empty() && broker < 0)) {
    ::close(worker);
    if (broker >= 0) ::close(broker);
    return;
  }
  ++accepted_;
  pairs_.push_back({worker, broker, cuts_});
}

bool Gate::pass(int from, int to, bool of_worker) {
  std::array<char, 16'384> part{};
  const ssize_t count = ::read(from, part.data(), part.size());
  if (count <= 0) return false;
  if (to < 0) return true;
  ssize_t wanted = count;
  if (of_worker && bytes_left_ >= 0) {
    wanted = std::min<ssize_t>(wanted, static_cast<ssize_t>(bytes_left_));
    bytes_left_ -= count;
  }
  for (ssize_t done = 0; done < wanted;) {
    const ssize_t written =
        ::send(to, part.data() + done, static_cast<std::size_t>(wanted - done), MSG_NOSIGNAL);
    if (written <= 0) return false;
    done += written;
  }
  if (wanted == count) return true;
  bytes_left_ = -1;  // once
  return false;
}

void Gate::close(Pair& pair) {
  ::close(pair.worker);
  if (pair.broker >= 0) ::close(pair.broker);
}

}  // namespace helsekontakter::amqp::test
