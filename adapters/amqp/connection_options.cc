#include "adapters/amqp/connection_options.h"

#include <algorithm>
#include <fstream>

#include <proton/duration.hpp>
#include <proton/error.hpp>
#include <proton/ssl.hpp>

namespace helsekontakter::amqp {
namespace {

constexpr const char* system_authorities = "/etc/ssl/certs/ca-certificates.crt";
constexpr std::uint32_t frame_bytes = 65'536;

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.rfind("127.", 0) == 0;
}

bool is_number(const std::string& text) {
  return !text.empty() && text.size() <= 5 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_readable(const std::string& path) {
  return std::ifstream(path).good();
}

proton::ssl_client_options tls_options(const Connection& settings) {
  const std::string authorities =
      settings.tls_ca_file.empty() ? system_authorities : settings.tls_ca_file;
  if (settings.tls_certificate_file.empty()) {
    return {authorities, proton::ssl::VERIFY_PEER_NAME};
  }
  const proton::ssl_certificate own(settings.tls_certificate_file, settings.tls_key_file);
  return {own, authorities, proton::ssl::VERIFY_PEER_NAME};
}

}  // namespace

std::string Endpoint::url() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return (tls ? "amqps://" : "amqp://") + (is_v6 ? "[" + host + "]" : host) + ":" + port;
}

Result<Endpoint> parse_endpoint(const std::string& url) {
  const auto refuse = [&] {
    return fail(Remedy::stop,
                "a broker's url must read amqps://host:port (amqp:// for loopback only); user and "
                "password_file are options of their own");
  };
  Endpoint endpoint;
  std::string rest;
  if (url.rfind("amqps://", 0) == 0) {
    endpoint.tls = true;
    endpoint.port = "5671";
    rest = url.substr(8);
  } else if (url.rfind("amqp://", 0) == 0) {
    endpoint.port = "5672";
    rest = url.substr(7);
  } else {
    return refuse();
  }
  if (!rest.empty() && rest.back() == '/') rest.pop_back();
  if (rest.find_first_of("/@?#") != std::string::npos) return refuse();
  std::size_t port_at = std::string::npos;
  if (!rest.empty() && rest.front() == '[') {
    const auto end = rest.find(']');
    if (end == std::string::npos) return refuse();
    endpoint.host = rest.substr(1, end - 1);
    if (end + 1 < rest.size()) port_at = end + 1;
    if (port_at != std::string::npos && rest[port_at] != ':') return refuse();
  } else {
    port_at = rest.find(':');
    endpoint.host = rest.substr(0, port_at);
  }
  if (port_at != std::string::npos) endpoint.port = rest.substr(port_at + 1);
  if (endpoint.host.empty() || !is_number(endpoint.port)) return refuse();
  endpoint.loopback = is_loopback(endpoint.host);
  return endpoint;
}

Result<void> check(const Connection& settings) {
  if (settings.urls.empty()) return fail(Remedy::stop, "amqp.url: at least one broker is needed");
  if (settings.tls_certificate_file.empty() != settings.tls_key_file.empty()) {
    return fail(Remedy::stop, "amqp: tls_certificate_file and tls_key_file go together");
  }
  for (const std::string& url : settings.urls) {
    const auto endpoint = parse_endpoint(url);
    if (!endpoint) return tl::unexpected(endpoint.error());
    if (!endpoint->tls && !endpoint->loopback) {
      return fail(Remedy::stop, "amqp.url: " + endpoint->text() +
                                    " is no loopback address, so it must be amqps://");
    }
    const bool anonymous = settings.user.empty() && settings.tls_certificate_file.empty();
    if (anonymous && !endpoint->loopback) {
      return fail(Remedy::stop, "amqp: " + endpoint->text() +
                                    " needs user and password_file, or tls_certificate_file and "
                                    "tls_key_file; only loopback addresses do without");
    }
    if (!endpoint->tls) continue;
    for (const std::string& file :
         {settings.tls_ca_file, settings.tls_certificate_file, settings.tls_key_file}) {
      if (file.empty() || is_readable(file)) continue;
      return fail(Remedy::stop, "amqp: " + file +
                                    " cannot be read (tls_ca_file, tls_certificate_file or "
                                    "tls_key_file)");
    }
    try {
      (void)tls_options(settings);
    } catch (const proton::error& error) {
      return fail(Remedy::stop, std::string("amqp: the TLS files cannot be used (tls_ca_file, "
                                            "tls_certificate_file, tls_key_file): ") +
                                    error.what());
    }
  }
  return {};
}

proton::connection_options options_for(const Connection& settings, const std::string& password,
                                       const Endpoint& endpoint) {
  proton::connection_options options;
  options.virtual_host(settings.virtual_host.empty() ? endpoint.host : settings.virtual_host);
  options.idle_timeout(proton::duration(settings.idle_timeout.count()));
  options.max_frame_size(frame_bytes);
  options.sasl_enabled(true);
  // The mechanisms that send a password are kept from the open by check().
  options.sasl_allow_insecure_mechs(true);
  if (!settings.user.empty()) {
    options.user(settings.user).password(password).sasl_allowed_mechs("PLAIN");
  } else if (!settings.tls_certificate_file.empty() && endpoint.tls) {
    options.sasl_allowed_mechs("EXTERNAL");
  } else {
    options.sasl_allowed_mechs("ANONYMOUS");
  }
  if (endpoint.tls) options.ssl_client_options(tls_options(settings));
  return options;
}

}  // namespace helsekontakter::amqp
