#include "adapters/helseid/assertion.h"

#include "adapters/helseid/base64url.h"
#include "adapters/helseid/json_object.h"

#include <algorithm>
#include <array>

namespace helsekontakter::helseid {
namespace {

constexpr std::string_view multi_system = "urn:oid:1.0.6523";
constexpr std::chrono::seconds life_max{60};

std::int64_t seconds_of(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

/// The one element of the organisation claim, or nothing when no organisation is named.
std::optional<std::string> organization_detail(const Settings& settings,
                                               const Represented& organization) {
  std::string_view system = multi_system;
  std::string value;
  if (settings.tenancy == Tenancy::multi) {
    value = "NO:ORGNR:" + organization.parent;
    if (!organization.child.empty()) {
      value += ":" + organization.child;
    } else if (settings.org_child_empty_form == OrgChildEmptyForm::parent_colon) {
      value += ":";
    }
  } else {
    if (organization.child.empty()) return std::nullopt;
    system = settings.org_child_system;
    value = organization.child;
  }
  const std::string identifier =
      JsonObject().text("system", system).text("type", "ENH").text("value", value).str();
  const std::string role =
      JsonObject().raw("organization", JsonObject().raw("identifier", identifier).str()).str();
  return JsonObject().text("type", "helseid_authorization").raw("practitioner_role", role).str();
}

std::string percent_encoded(std::string_view text) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '-' || c == '.' || c == '_' || c == '*';
    if (plain) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out;
}

/// RFC 9449 section 4.2: the target URI without query and fragment.
std::string target_uri(https::Url url) {
  url.target = url.target.substr(0, url.target.find_first_of("?#"));
  return url.text();
}

}  // namespace

Represented represented(const Settings& settings, OrganizationNumber organization) {
  const auto found = settings.organizations.find(organization);
  std::optional<OrganizationNumber> parent;
  if (found != settings.organizations.end()) parent = found->second.parent;
  if (parent) return {parent->digits(), organization.digits()};
  if (settings.tenancy == Tenancy::multi) return {organization.digits(), ""};
  return {};
}

std::string unique_id(const Surroundings& surroundings) {
  std::array<std::uint8_t, 16> bytes{};
  surroundings.fill_random(bytes);
  return base64url(bytes);
}

Result<std::string> client_assertion(const Settings& settings, const std::string& client_id,
                                     const Represented& organization, const SigningKey& key,
                                     WallTime now, const std::string& jti) {
  const std::string header = JsonObject()
                                 .text("alg", name(key.algorithm))
                                 .text("kid", key.jwk.kid())
                                 .text("typ", settings.assertion_typ)
                                 .str();
  const std::int64_t issued = seconds_of(now);
  const auto life = std::clamp(settings.assertion_life, std::chrono::seconds(1), life_max);
  JsonObject claims;
  claims.text("iss", client_id)
      .text("sub", client_id)
      .text("aud",
            settings.assertion_audience.empty() ? settings.issuer : settings.assertion_audience)
      .number("iat", issued)
      .number("nbf", issued)
      .number("exp", issued + life.count())
      .text("jti", jti);
  if (const auto detail = organization_detail(settings, organization)) {
    const bool array = settings.org_claim_form == OrgClaimForm::array;
    claims.raw(settings.org_claim, array ? "[" + *detail + "]" : *detail);
  }
  return compact_jws(key, header, claims.str());
}

Result<std::string> dpop_proof(const ProofOf& bound, const SigningKey& key, WallTime now,
                               const std::string& jti) {
  const std::string header = JsonObject()
                                 .text("typ", "dpop+jwt")
                                 .text("alg", name(key.algorithm))
                                 .raw("jwk", key.jwk.public_json())
                                 .str();
  JsonObject claims;
  claims.text("jti", jti)
      .text("htm", bound.method)
      .text("htu", target_uri(bound.url))
      .number("iat", seconds_of(now));
  if (!bound.nonce.empty()) claims.text("nonce", bound.nonce);
  if (!bound.access_token.empty()) claims.text("ath", sha256_base64url(bound.access_token));
  return compact_jws(key, header, claims.str());
}

std::string form(const std::vector<std::pair<std::string_view, std::string_view>>& fields) {
  std::string out;
  for (const auto& [name, value] : fields) {
    if (value.empty()) continue;
    if (!out.empty()) out += '&';
    out += percent_encoded(name) + "=" + percent_encoded(value);
  }
  return out;
}

}  // namespace helsekontakter::helseid
