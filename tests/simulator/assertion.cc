#include "tests/simulator/assertion.h"

#include <algorithm>
#include <array>

namespace helsekontakter::simulator {
namespace {

constexpr std::string_view multi_system = "urn:oid:1.0.6523";
constexpr std::array<std::string_view, 2> child_systems{"urn:oid:2.16.578.1.12.4.1.4.101",
                                                        "urn:oid:2.16.578.1.12.4.1.2.101"};

Checked<void> check_header(const Jws& jws, const AssertionDemand& demand) {
  const std::string typ = jws.header_text("typ");
  if (!contains(demand.behaviour.assertion_typ, typ)) {
    return flaw("assertion_typ", "typ is '" + typ + "', not client-authentication+jwt");
  }
  const std::string alg = jws.header_text("alg");
  if (!contains(demand.behaviour.algorithms, alg)) {
    return flaw("assertion_alg", "alg '" + alg + "' is not allowed");
  }
  const std::string kid = jws.header_text("kid");
  if (kid.empty()) return flaw("assertion_kid", "the header has no kid");
  for (const Jwk& key : demand.keys) {
    if (key.kid != kid) continue;
    if (jws.is_signed_by(key)) return {};
    return flaw("assertion_signature", "the signature is not that of the registered key");
  }
  return flaw("assertion_kid", "kid '" + kid + "' is not registered for the client");
}

Checked<void> check_parties(const Jws& jws, const AssertionDemand& demand) {
  const auto payload = jws.payload();
  if (text_of(payload, "iss") != demand.client_id) {
    return flaw("assertion_iss", "iss is not the client id");
  }
  if (text_of(payload, "sub") != demand.client_id) {
    return flaw("assertion_sub", "sub is not the client id");
  }
  if (text_of(payload, "aud") != demand.issuer) {
    return flaw("assertion_aud", "aud must be the text '" + std::string(demand.issuer) + "', is '" +
                                     std::string(text_of(payload, "aud").value_or("not a text")) +
                                     "'");
  }
  const std::string_view jti = text_of(payload, "jti").value_or("");
  if (jti.empty() || jti.size() > 256) {
    return flaw("assertion_jti", "jti must have 1 to 256 characters");
  }
  return {};
}

Checked<void> check_times(const Jws& jws, const AssertionDemand& demand) {
  const auto iat = integer_of(jws.payload(), "iat");
  const auto exp = integer_of(jws.payload(), "exp");
  if (!iat || !exp) return flaw("assertion_times", "iat and exp must be integers");
  const Time issued{std::chrono::seconds(*iat)};
  const Time expires{std::chrono::seconds(*exp)};
  const auto skew = demand.behaviour.clock_skew;
  if (expires - issued > demand.behaviour.assertion_life_max) {
    return flaw("assertion_life", "exp lies more than the allowed life after iat");
  }
  if (expires <= issued) return flaw("assertion_life", "exp does not lie after iat");
  if (expires + skew < demand.now) return flaw("assertion_expired", "the assertion has expired");
  if (issued > demand.now + skew) return flaw("assertion_early", "iat lies in the future");
  if (const auto nbf = integer_of(jws.payload(), "nbf");
      nbf && Time{std::chrono::seconds(*nbf)} > demand.now + skew) {
    return flaw("assertion_early", "nbf lies in the future");
  }
  return {};
}

Checked<Represented> read_multi(std::string_view system, std::string_view value) {
  constexpr std::string_view prefix = "NO:ORGNR:";
  if (system != multi_system) {
    return flaw("details_tenancy",
                "a multi-tenancy client passed a single-tenant structure (system '" +
                    std::string(system) + "')");
  }
  if (!value.starts_with(prefix)) return flaw("details_value", "value must start with NO:ORGNR:");
  value.remove_prefix(prefix.size());
  const std::size_t colon = value.find(':');
  Represented out{std::string(value.substr(0, colon)), ""};
  if (colon != std::string_view::npos) out.child = value.substr(colon + 1);
  if (!is_organization_number(out.parent) ||
      (!out.child.empty() && !is_organization_number(out.child))) {
    return flaw("details_value", "parent and child must be organisation numbers");
  }
  return out;
}

Checked<Represented> read_single(std::string_view system, std::string_view value) {
  if (std::find(child_systems.begin(), child_systems.end(), system) == child_systems.end()) {
    return flaw("details_tenancy", "a single-tenant client passed a structure of system '" +
                                       std::string(system) + "'");
  }
  if (!is_organization_number(value)) {
    return flaw("details_value", "the child must be an organisation number");
  }
  return Represented{"", std::string(value)};
}

/// The only element of the claim, which may be an object or a list of one.
Checked<simdjson::dom::object> only_element(simdjson::dom::element claim) {
  simdjson::dom::object object;
  if (claim.get(object) == simdjson::SUCCESS) return object;
  simdjson::dom::array array;
  if (claim.get(array) != simdjson::SUCCESS || array.size() != 1 ||
      array.at(0).get(object) != simdjson::SUCCESS) {
    return flaw("details_structure", "assertion_details must be an object or a list of one");
  }
  return object;
}

}  // namespace

bool is_organization_number(std::string_view text) {
  static constexpr std::array<int, 8> weights{3, 2, 7, 6, 5, 4, 3, 2};
  if (text.size() != 9) return false;
  int sum = 0;
  for (std::size_t i = 0; i < 9; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    if (i < 8) sum += weights[i] * (text[i] - '0');
  }
  const int check = (11 - sum % 11) % 11;
  return check == text[8] - '0';
}

Checked<Jws> check_assertion(std::string_view compact, const AssertionDemand& demand) {
  auto jws = Jws::parse(compact);
  if (!jws) return flaw("assertion_malformed", jws.error().text);
  if (auto header = check_header(*jws, demand); !header) {
    return tl::unexpected<Flaw>(header.error());
  }
  if (auto parties = check_parties(*jws, demand); !parties) {
    return tl::unexpected<Flaw>(parties.error());
  }
  if (auto times = check_times(*jws, demand); !times) return tl::unexpected<Flaw>(times.error());
  return jws;
}

Checked<Represented> read_represented(const Jws& assertion, const std::vector<std::string>& claims,
                                      bool multi_tenant) {
  for (const std::string& name : claims) {
    simdjson::dom::element claim;
    if (assertion.payload()[name].get(claim) != simdjson::SUCCESS) continue;
    const auto element = only_element(claim);
    if (!element) return tl::unexpected<Flaw>(element.error());
    if (text_of(*element, "type") != "helseid_authorization") {
      return flaw("details_structure", "type must be helseid_authorization");
    }
    simdjson::dom::object identifier;
    if ((*element)["practitioner_role"]["organization"]["identifier"].get(identifier) !=
        simdjson::SUCCESS) {
      return flaw("details_structure", "practitioner_role.organization.identifier is missing");
    }
    if (text_of(identifier, "type") != "ENH") {
      return flaw("details_structure", "identifier.type must be ENH");
    }
    const std::string_view system = text_of(identifier, "system").value_or("");
    const std::string_view value = text_of(identifier, "value").value_or("");
    return multi_tenant ? read_multi(system, value) : read_single(system, value);
  }
  return Represented{};
}

}  // namespace helsekontakter::simulator
