#include "tests/support/http_server.h"

#include <algorithm>
#include <stdexcept>
#include <tuple>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

namespace helsekontakter::testing {
namespace {

sockaddr_in loopback(std::uint16_t port, const std::string& host = "127.0.0.1") {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  return address;
}

std::size_t content_length(std::string head) {
  std::ranges::transform(head, head.begin(), [](unsigned char c) { return std::tolower(c); });
  const std::size_t at = head.find("content-length:");
  return at == std::string::npos ? 0 : std::stoul(head.substr(at + 15));
}

std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> make_context(const HttpServer::Tls& tls) {
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> out(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  // Level 0, so that a server of TLS 1.1 can be played at all.
  SSL_CTX_set_cipher_list(out.get(), "DEFAULT:@SECLEVEL=0");
  SSL_CTX_set_min_proto_version(out.get(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(out.get(), tls.version_max);
  if (SSL_CTX_use_certificate(out.get(), tls.certificate.x509.get()) != 1 ||
      SSL_CTX_use_PrivateKey(out.get(), tls.certificate.key.get()) != 1) {
    throw std::runtime_error("the test server's certificate is unusable");
  }
  return out;
}

std::pair<int, std::uint16_t> listen_on(sockaddr_in address, int backlog) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  socklen_t size = sizeof address;
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      listen(listener, backlog) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("the test server cannot listen");
  }
  return {listener, ntohs(address.sin_port)};
}

}  // namespace

Peer::Peer(int socket, SSL_CTX* tls)
    : socket_(socket), ssl_(tls == nullptr ? nullptr : SSL_new(tls), SSL_free) {
  if (ssl_) SSL_set_fd(ssl_.get(), socket);
}

Peer::~Peer() {
  ERR_clear_error();
}

bool Peer::accept_tls() {
  return !ssl_ || SSL_accept(ssl_.get()) == 1;
}

bool Peer::fill() {
  char bytes[16384];
  const ssize_t got =
      ssl_ ? SSL_read(ssl_.get(), bytes, sizeof bytes) : recv(socket_, bytes, sizeof bytes, 0);
  if (got <= 0) return false;
  pending_.append(bytes, static_cast<std::size_t>(got));
  return true;
}

std::optional<SeenRequest> Peer::read_head() {
  std::size_t end = std::string::npos;
  while ((end = pending_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return std::nullopt;
  }
  SeenRequest request{pending_.substr(0, end + 2), ""};
  pending_.erase(0, end + 4);
  return request;
}

std::optional<SeenRequest> Peer::read_request() {
  auto request = read_head();
  if (!request) return std::nullopt;
  const std::size_t size = content_length(request->head);
  while (pending_.size() < size) {
    if (!fill()) return std::nullopt;
  }
  request->body = pending_.substr(0, size);
  pending_.erase(0, size);
  return request;
}

void Peer::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ssl_ ? SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()))
                             : send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
}

void Peer::answer(int status, std::string_view body, std::string_view more_headers) {
  std::string out = "HTTP/1.1 " + std::to_string(status) + " -\r\nContent-Length: ";
  out.append(std::to_string(body.size())).append("\r\n").append(more_headers).append("\r\n");
  write(out.append(body));
}

void Peer::wait_for_close() {
  while (fill()) pending_.clear();
}

void Peer::ignore_until_close() {
  pollfd end{socket_, POLLRDHUP, 0};
  poll(&end, 1, -1);
}

void Peer::abort() {
  const linger at_once{1, 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void Peer::close_orderly() {
  if (ssl_) SSL_shutdown(ssl_.get());
  ::shutdown(socket_, SHUT_WR);
}

void Peer::relay_to(std::uint16_t port) {
  const int other = ::socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = loopback(port);
  if (connect(other, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    pollfd both[2] = {{socket_, POLLIN, 0}, {other, POLLIN, 0}};
    char bytes[16384];
    bool open = true;
    while (open && poll(both, 2, -1) > 0) {
      for (int side = 0; side < 2; ++side) {
        if (both[side].revents == 0) continue;
        const ssize_t got = recv(both[side].fd, bytes, sizeof bytes, 0);
        open = got > 0 &&
               send(both[1 - side].fd, bytes, static_cast<std::size_t>(got), MSG_NOSIGNAL) == got;
        if (!open) break;
      }
    }
  }
  ::close(other);
}

HttpServer::HttpServer(Script script, std::optional<Tls> tls)
    : script_(std::move(script)), tls_(nullptr, SSL_CTX_free) {
  signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  if (tls) tls_ = make_context(*tls);
  std::tie(listener_, port_) = listen_on(loopback(0), 128);
  acceptor_ = std::thread([this] { accept_all(); });
}

HttpServer::~HttpServer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const int socket : open_) ::shutdown(socket, SHUT_RDWR);
  }
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
  ::close(listener_);
}

std::string HttpServer::url(std::string_view host) const {
  std::string out = tls_ ? "https://" : "http://";
  out.append(host).append(":").append(std::to_string(port_));
  return out;
}

int HttpServer::connections() const {
  const std::lock_guard lock(mutex_);
  return accepted_;
}

void HttpServer::echo(Peer& peer) {
  while (const auto request = peer.read_request()) peer.answer(200, request->body);
}

void HttpServer::accept_all() {
  for (;;) {
    const int socket = accept(listener_, nullptr, nullptr);
    const std::lock_guard lock(mutex_);
    if (socket < 0 || stopping_) {
      if (socket >= 0) ::close(socket);
      return;
    }
    const int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ++accepted_;
    open_.insert(socket);
    threads_.emplace_back([this, socket] { serve(socket); });
  }
}

void HttpServer::serve(int socket) {
  {
    Peer peer(socket, tls_.get());
    if (peer.accept_tls()) script_(peer);
  }
  const std::lock_guard lock(mutex_);
  open_.erase(socket);
  ::close(socket);
}

DeafPort::DeafPort(const std::string& host, std::uint16_t port) {
  int listener = -1;
  std::tie(listener, port_) = listen_on(loopback(port, host), 0);
  sockets_.push_back(listener);
  const sockaddr_in address = loopback(port_, host);
  for (int i = 0; i < 3; ++i) {
    sockets_.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    if (connect(sockets_.back(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
        0) {
      throw std::runtime_error("the deaf port answers");  // non-blocking: always under way
    }
  }
}

DeafPort::~DeafPort() {
  for (const int socket : sockets_) ::close(socket);
}

}  // namespace helsekontakter::testing
