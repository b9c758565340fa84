#include "adapters/https/http.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <arpa/inet.h>

namespace helsekontakter::https {
namespace {

constexpr std::size_t url_bytes_max = 2048;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

/// Letters, digits, hyphen, dot, underscore; in brackets also the colon.
bool is_host(std::string_view text, bool bracketed) {
  if (text.empty() || text.size() > 253) return false;
  return std::ranges::all_of(text, [&](char c) {
    const char l = lower(c);
    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
           (bracketed ? c == ':' : c == '-' || c == '_');
  });
}

bool is_target(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f && c != '#'; });
}

bool is_loopback(const std::string& host) {
  if (host == "localhost") return true;
  std::array<unsigned char, 16> address{};
  if (inet_pton(AF_INET, host.c_str(), address.data()) == 1) return address[0] == 127;
  if (inet_pton(AF_INET6, host.c_str(), address.data()) != 1) return false;
  return std::ranges::count(address, 0) == 15 && address[15] == 1;
}

tl::unexpected<Error> wrong(std::string_view what) {
  return fail(Remedy::stop, "a URL " + std::string(what) +
                                "; expected https://host[:port][/path], or http:// for a loopback "
                                "address");
}

/// host[:port] with an IPv6 address in brackets.
Result<void> read_authority(std::string_view text, Url& url) {
  if (text.find('@') != std::string_view::npos) return wrong("must not carry a user or password");
  const bool bracketed = text.starts_with('[');
  const std::size_t host_end = bracketed ? text.find(']') : text.find(':');
  const std::string_view host = text.substr(bracketed ? 1 : 0, host_end - (bracketed ? 1 : 0));
  if ((bracketed && host_end == std::string_view::npos) || !is_host(host, bracketed)) {
    return wrong("has no valid host");
  }
  url.host.assign(host);
  std::ranges::transform(url.host, url.host.begin(), lower);
  std::string_view rest =
      host_end == std::string_view::npos ? "" : text.substr(host_end + (bracketed ? 1 : 0));
  if (rest.empty()) return {};
  rest.remove_prefix(1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), port);
  if (text[text.size() - rest.size() - 1] != ':' || error != std::errc{} ||
      end != rest.data() + rest.size() || port == 0) {
    return wrong("has no valid port");
  }
  url.port = port;
  return {};
}

}  // namespace

Result<Url> Url::parse(std::string_view text) {
  if (text.size() > url_bytes_max) return wrong("is longer than 2048 characters");
  const std::size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return wrong("has no scheme");
  Url url;
  const std::string_view scheme = text.substr(0, scheme_end);
  url.tls = equal_ignoring_case(scheme, "https");
  if (!url.tls && !equal_ignoring_case(scheme, "http")) return wrong("has an unknown scheme");
  url.port = url.tls ? 443 : 80;
  text.remove_prefix(scheme_end + 3);

  const std::size_t target_at = std::min(text.find_first_of("/?#"), text.size());
  const std::string_view target = text.substr(target_at);
  if (!is_target(target)) return wrong("has a fragment, a space or a control character");
  url.target = target.starts_with('/') ? "" : "/";
  url.target += target;
  if (const auto read = read_authority(text.substr(0, target_at), url); !read) {
    return tl::unexpected(read.error());
  }
  if (!url.tls && !is_loopback(url.host)) {
    return wrong("with http:// names a host that is no loopback address");
  }
  return url;
}

std::string Url::text() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  std::string out = tls ? "https://" : "http://";
  out += is_v6 ? "[" + host + "]" : host;
  if (port != (tls ? 443 : 80)) out.append(":").append(std::to_string(port));
  out += target;
  return out;
}

std::string_view Response::header(std::string_view name) const {
  const auto found = std::ranges::find_if(
      headers, [&](const Header& h) { return equal_ignoring_case(h.name, name); });
  return found == headers.end() ? std::string_view{} : std::string_view(found->value);
}

}  // namespace helsekontakter::https
