#include "tests/integration/simulator/wire_client.h"

#include <array>
#include <charconv>
#include <csignal>
#include <memory>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace helsekontakter::simulator::testing {
namespace {

struct SslFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

class Wire {
 public:
  explicit Wire(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    (void)std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
    const timeval limit{10, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_open_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Wire() {
    ssl_.reset();
    ::close(socket_);
  }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  [[nodiscard]] bool is_open() const { return is_open_; }

  [[nodiscard]] bool secure(const std::string& ca_file) {
    context_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_load_verify_locations(context_.get(), ca_file.c_str(), nullptr);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set1_host(ssl_.get(), "localhost");
    SSL_set_fd(ssl_.get(), socket_);
    return SSL_connect(ssl_.get()) == 1;
  }

  [[nodiscard]] bool write(std::string_view text) {
    while (!text.empty()) {
      const int size = static_cast<int>(text.size());
      const auto count =
          ssl_ ? SSL_write(ssl_.get(), text.data(), size)
               : static_cast<int>(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL));
      if (count <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  /// Appends what comes; false at the end.
  [[nodiscard]] bool read(std::string& out) {
    std::array<char, 16'384> part{};
    const auto count = ssl_ ? SSL_read(ssl_.get(), part.data(), part.size())
                            : static_cast<int>(::recv(socket_, part.data(), part.size(), 0));
    if (count <= 0) return false;
    out.append(part.data(), static_cast<std::size_t>(count));
    return true;
  }

 private:
  int socket_;
  bool is_open_ = false;
  std::unique_ptr<SSL_CTX, SslFree> context_;
  std::unique_ptr<SSL, SslFree> ssl_;
};

std::optional<std::size_t> number_after(std::string_view text, std::string_view label) {
  const std::size_t at = text.find(label);
  if (at == text.npos) return std::nullopt;
  std::size_t value = 0;
  std::from_chars(text.data() + at + label.size(), text.data() + text.size(), value);
  return value;
}

}  // namespace

std::optional<WireAnswer> exchange(const std::string& url, const std::string& ca_file,
                                   const std::string& method, const std::string& path,
                                   const std::string& headers, const std::string& body) {
  const std::string host = url.substr(url.find("//") + 2);
  const auto port = number_after(host, ":");
  Wire wire(static_cast<std::uint16_t>(port.value_or(0)));
  if (!wire.is_open() || (!ca_file.empty() && !wire.secure(ca_file))) return std::nullopt;
  const std::string request = method + " " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" +
                              headers + "Content-Length: " + std::to_string(body.size()) +
                              "\r\n\r\n" + body;
  if (!wire.write(request)) return std::nullopt;
  std::string text;
  for (;;) {
    const std::size_t end = text.find("\r\n\r\n");
    if (end != text.npos) {
      WireAnswer answer;
      answer.head = text.substr(0, end + 2);
      answer.status = static_cast<int>(number_after(answer.head, "HTTP/1.1 ").value_or(0));
      const std::size_t length = number_after(answer.head, "Content-Length: ").value_or(0);
      if (text.size() >= end + 4 + length) {
        answer.body = text.substr(end + 4, length);
        return answer;
      }
    }
    if (!wire.read(text)) return std::nullopt;
  }
}

}  // namespace helsekontakter::simulator::testing
