#include "adapters/config/environments.h"
#include "adapters/config/sections.h"
#include "adapters/https/http.h"
#include "worker/domain/national_id.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace helsekontakter::config {
namespace {

/// The value of a URL option, or what the environment settles for it.
std::optional<https::Url> read_url(const Values& values, std::string_view path,
                                   std::string_view settled, std::string& text, Errors& errors) {
  text = values.given(path) ? values.text(path) : std::string(settled);
  if (text.empty()) return std::nullopt;
  auto url = https::Url::parse(text);
  if (!url) {
    ConfigurationError error = values.error(path, url.error().message);
    if (text.find('@') != std::string::npos) error.value.clear();  // a password, perhaps
    errors.push_back(std::move(error));
    return std::nullopt;
  }
  if (url->target.find('?') != std::string::npos) {
    errors.push_back(values.error(path, "must have no query"));
  }
  while (text.ends_with('/')) text.pop_back();
  return std::move(*url);
}

void read_path(const Values& values, std::string_view option, const std::string& base,
               https::Url& out, Errors& errors) {
  const std::string path = values.text(option);
  if (!path.starts_with('/') || path.find_first_of("?# ") != std::string::npos) {
    errors.push_back(values.error(option, "must begin with / and have no query"));
  } else if (auto url = https::Url::parse(base + path)) {
    out = std::move(*url);
  }
}

/// Synthetic numbers must not reach production, nor real ones a test environment.
void check_host(const Values& values, std::string_view path, const https::Url& url, bool synthetic,
                Errors& errors) {
  const HostKind kind = kind_of_host(url.host);
  if (kind == HostKind::production && synthetic) {
    errors.push_back(values.error(
        path, "is a production address, but this environment takes synthetic numbers only"));
  } else if (kind == HostKind::test && !synthetic) {
    errors.push_back(
        values.error(path, "is a test address, but this environment takes real numbers only"));
  }
}

/// True: synthetic numbers only.
bool read_synthetic(const Values& values, const NamedEnvironment* named, Errors& errors) {
  constexpr std::string_view path = "identifier.synthetic_allowed";
  if (!values.given(path)) return named == nullptr || named->synthetic;
  const bool synthetic = values.boolean(path);
  if (named != nullptr && named->synthetic != synthetic) {
    errors.push_back(values.error(path, "environment " + std::string(named->name) + " takes " +
                                            (named->synthetic ? "synthetic" : "real") +
                                            " numbers only; leave it out"));
  }
  return named != nullptr ? named->synthetic : synthetic;
}

void check_custom(const Values& values, Errors& errors) {
  const bool no_tokens = values.given("auth.none") && values.boolean("auth.none");
  for (const std::string_view path :
       {"api.base_url", "auth.issuer", "identifier.synthetic_allowed"}) {
    if (values.mentions(path) || (path == "auth.issuer" && no_tokens)) continue;
    errors.push_back(
        {.key = std::string(path), .message = "is missing; environment custom does not settle it"});
  }
}

void check_identifiers(const Values& values, bool synthetic, Errors& errors) {
  constexpr std::string_view path = "identifier.test_allow";
  const std::vector<std::string> allowed = values.list(path);
  if (!allowed.empty() && !synthetic) {
    errors.push_back(values.error(path, "works only where synthetic numbers alone are allowed"));
  }
  const NationalId::Rules rules{.rule_2032 = values.boolean("identifier.rule_2032")};
  for (std::size_t i = 0; i < allowed.size(); ++i) {
    if (std::holds_alternative<NationalId>(NationalId::parse(allowed[i], rules))) continue;
    errors.push_back(
        values.error(path, "number " + std::to_string(i + 1) + " of the list is not valid"));
  }
}

bool every_organization_has_its_own(const Values& values) {
  const Value& organizations = values.value("organizations");
  const auto has = [](const Value& value, std::string_view name) {
    return std::any_of(value.members.begin(), value.members.end(),
                       [&](const auto& member) { return member.first == name; });
  };
  return !organizations.members.empty() &&
         std::all_of(organizations.members.begin(), organizations.members.end(),
                     [&](const auto& organization) {
                       return has(organization.second, "client_id") &&
                              has(organization.second, "jwk_file");
                     });
}

void check_credentials(const Values& values, const std::optional<https::Url>& base_url,
                       Errors& errors) {
  if (values.boolean("auth.none")) {
    if (base_url && !is_loopback(base_url->host)) {
      errors.push_back(
          values.error("auth.none", "is for simulators: api.base_url must be a loopback address"));
    }
    return;
  }
  if (every_organization_has_its_own(values)) return;
  for (const std::string_view path : {"auth.client_id", "auth.jwk_file"}) {
    if (values.mentions(path)) continue;
    errors.push_back({.key = std::string(path),
                      .message = "is missing; the client at HelseID and its key are needed"});
  }
}

void check_proxy(const Values& values, Errors& errors) {
  constexpr std::string_view path = "api.proxy";
  if (!values.given(path)) return;
  // A proxy of the house is reached by plain http, so Url::parse is too strict here.
  const std::string text = values.text(path);
  const std::string_view rest =
      std::string_view(text).substr(std::min<std::size_t>(7, text.size()));
  const std::size_t colon = rest.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && colon > 0 && colon + 1 < rest.size() &&
      rest.substr(colon + 1).find_first_not_of("0123456789") == std::string_view::npos;
  if (!text.starts_with("http://") || !has_port ||
      rest.find_first_of("/?# @") != std::string_view::npos) {
    errors.push_back(values.error(path, "http://host:port without user or path is expected"));
  }
}

}  // namespace

void check_environment(const Values& values, Configuration& out, Errors& errors) {
  const NamedEnvironment* named = find_environment(out.environment);
  const bool synthetic = read_synthetic(values, named, errors);
  out.decoder.synthetic_allowed = synthetic;
  out.decoder.real_allowed = !synthetic;
  if (out.environment == "custom") check_custom(values, errors);

  std::string base;
  const auto base_url =
      read_url(values, "api.base_url", named ? named->base_url : "", base, errors);
  if (base_url) check_host(values, "api.base_url", *base_url, synthetic, errors);
  const auto issuer =
      read_url(values, "auth.issuer", named ? named->issuer : "", out.helseid.issuer, errors);
  if (issuer) check_host(values, "auth.issuer", *issuer, synthetic, errors);
  std::string token_endpoint;
  const auto endpoint = read_url(values, "auth.token_endpoint", "", token_endpoint, errors);
  if (endpoint) check_host(values, "auth.token_endpoint", *endpoint, synthetic, errors);

  if (base_url) {
    read_path(values, "api.path", base, out.endpoint.url, errors);
    read_path(values, "digital_status.path", base, out.status.url, errors);
  }
  check_identifiers(values, synthetic, errors);
  check_credentials(values, base_url, errors);
  check_proxy(values, errors);
}

}  // namespace helsekontakter::config
