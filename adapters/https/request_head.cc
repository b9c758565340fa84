#include "adapters/https/request_head.h"

#include <algorithm>

namespace helsekontakter::https {
namespace {

/// RFC 9110 5.6.2.
bool is_token(std::string_view text) {
  static constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           marks.find(c) != std::string_view::npos;
  });
}

bool is_value(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 && byte != 0x7f) || c == '\t';
  });
}

bool is_sendable_target(std::string_view text) {
  return text.starts_with('/') &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

void append_line(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

Result<std::string> compose_head(const Request& request, std::size_t body_bytes) {
  const Url& url = request.url;
  if (!is_token(request.method) || !is_sendable_target(url.target)) {
    return fail(Remedy::stop, "the method or path of a request to " + url.host +
                                  " holds a character that HTTP does not allow there");
  }
  std::string out;
  out.reserve(2048);
  out.append(request.method).append(" ").append(url.target).append(" HTTP/1.1\r\n");
  const bool is_v6 = url.host.find(':') != std::string::npos;
  std::string host = is_v6 ? "[" + url.host + "]" : url.host;
  if (url.port != (url.tls ? 443 : 80)) host.append(":").append(std::to_string(url.port));
  append_line(out, "Host", host);
  append_line(out, "User-Agent", "helsekontakter");
  for (const Header& header : request.headers) {
    if (!is_token(header.name) || !is_value(header.value)) {
      return fail(Remedy::stop, "the header \"" + (is_token(header.name) ? header.name : "?") +
                                    "\" of a request to " + url.host +
                                    " holds a character that HTTP does not allow; see api.headers");
    }
    append_line(out, header.name, header.value);
  }
  if (body_bytes > 0 || (request.method != "GET" && request.method != "HEAD")) {
    append_line(out, "Content-Length", std::to_string(body_bytes));
  }
  out.append("\r\n");
  return out;
}

}  // namespace helsekontakter::https
