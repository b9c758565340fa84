#include "tests/simulator/helseid_service.h"

#include "tests/simulator/assertion.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

namespace helsekontakter::simulator {
namespace {

constexpr std::string_view metadata_path = "/.well-known/openid-configuration";
constexpr std::string_view jwks_path = "/.well-known/openid-configuration/jwks";
constexpr std::string_view token_path = "/connect/token";
constexpr std::string_view audience = "nhn:helsenorge.eksternapi";

std::set<std::string> words(std::string_view text) {
  std::set<std::string> out;
  std::istringstream stream{std::string(text)};
  for (std::string word; stream >> word;) out.insert(word);
  return out;
}

std::int64_t seconds(Time time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

const std::string& field(const std::map<std::string, std::string, std::less<>>& form,
                         std::string_view name) {
  static const std::string none;
  const auto found = form.find(name);
  return found == form.end() ? none : found->second;
}

void append_claim(std::string& out, std::string_view name, std::string_view value) {
  if (out.size() > 1) out += ',';
  append_json(out, name);
  out += ':';
  append_json(out, value);
}

/// Claims of the token; API owners decide which appear, and the simulator shows them all.
std::string token_claims(const RegisteredClient& registered, const Grant& grant,
                         const std::string& issuer, Time now) {
  static constexpr const char* claims = "helseid://claims/client/claims/";
  std::string out = "{";
  append_claim(out, "iss", issuer);
  append_claim(out, "aud", audience);
  append_claim(out, "client_id", registered.client.client_id);
  append_claim(out, "jti", base64url(random_octets(16)));
  append_claim(out, "scope", grant.scope);
  append_claim(out, std::string(claims) + "client_tenancy",
               registered.client.multi_tenant ? "multi-tenant" : "single-tenant");
  append_claim(out, std::string(claims) + "orgnr_parent", grant.parent);
  if (grant.organization != grant.parent) {
    append_claim(out, std::string(claims) + "orgnr_child", grant.organization);
  }
  if (!grant.thumbprint.empty()) out += ",\"cnf\":{\"jkt\":\"" + grant.thumbprint + "\"}";
  out += ",\"iat\":" + std::to_string(seconds(now)) + ",\"nbf\":" + std::to_string(seconds(now)) +
         ",\"exp\":" + std::to_string(seconds(grant.expires)) + "}";
  return out;
}

}  // namespace

Result<ClientRegister> register_clients(const std::vector<Client>& clients) {
  ClientRegister out;
  for (const Client& client : clients) {
    RegisteredClient registered{client, {}};
    for (const std::string& file : client.jwk_files) {
      const std::ifstream stream(file);
      std::ostringstream text;
      text << stream.rdbuf();
      auto jwk = stream ? read_jwk(text.str()) : flaw("jwk", "the file cannot be read");
      if (!jwk) return fail(Remedy::stop, file + ": " + jwk.error().text);
      if (jwk->kid.empty()) return fail(Remedy::stop, file + ": the key needs a kid");
      if (jwk->has_private_members) {
        return fail(Remedy::stop, file + ": holds a private key; register the public one");
      }
      registered.keys.push_back(std::move(*jwk));
    }
    out.insert_or_assign(client.client_id, std::move(registered));
  }
  return out;
}

HelseIdService::HelseIdService(ClientRegister clients, const Behaviour& behaviour, Grants& grants,
                               Dice& dice, Statistics& statistics, Log log)
    : clients_(std::move(clients)),
      behaviour_(behaviour),
      grants_(grants),
      dice_(dice),
      statistics_(statistics),
      log_(std::move(log)) {}

Reply HelseIdService::answer(const HttpRequest& request, Time now) {
  statistics_.count("helseid.requests");
  std::size_t delay_ms = 0;
  if (auto faulty = fault()) {
    if (faulty->delay_ms == 0) return *faulty;
    delay_ms = faulty->delay_ms;
  }
  Reply reply;
  if (request.target == token_path) {
    reply = token(request, now);
  } else if (request.target == metadata_path && request.method == "GET") {
    reply = metadata(request);
  } else if (request.target == jwks_path && request.method == "GET") {
    reply.body = "{\"keys\":[" + signer_.public_jwk() + "]}";
  } else {
    statistics_.count("helseid.refused.not_found");
    reply.status = 404;
  }
  reply.headers.emplace_back("Cache-Control", "no-store");
  reply.delay_ms = delay_ms;
  return reply;
}

std::optional<Reply> HelseIdService::fault() {
  const HelseIdBehaviour& settings = behaviour_.helseid;
  if (settings.fault == HelseIdFault::none || dice_.uniform() >= settings.fault_probability) {
    return std::nullopt;
  }
  statistics_.count("helseid.faults");
  Reply reply;
  switch (settings.fault) {
    case HelseIdFault::none:
      break;
    case HelseIdFault::invalid_client:
      reply.status = 400;
      reply.body = R"({"error":"invalid_client"})";
      break;
    case HelseIdFault::server_error:
      reply.status = 500;
      reply.content_type = "text/html";
      reply.body = "<html><body>Internal Server Error</body></html>";
      break;
    case HelseIdFault::slow:
      reply.delay_ms = static_cast<std::size_t>(std::max<std::int64_t>(1, settings.slow.count()));
      break;
    case HelseIdFault::garbage:
      reply.body = "{\"access_token\":\"";
      break;
    case HelseIdFault::down:
      reply.cut = true;
      break;
  }
  return reply;
}

std::string HelseIdService::issuer(const HttpRequest& request) const {
  return behaviour_.helseid.issuer.empty() ? request.origin : behaviour_.helseid.issuer;
}

Reply HelseIdService::metadata(const HttpRequest& request) const {
  const std::string base = issuer(request);
  Reply reply;
  reply.body = "{";
  append_claim(reply.body, "issuer", base);
  append_claim(reply.body, "token_endpoint", base + std::string(token_path));
  append_claim(reply.body, "jwks_uri", base + std::string(jwks_path));
  append_claim(reply.body, "authorization_endpoint", base + "/connect/authorize");
  reply.body +=
      R"(,"grant_types_supported":["client_credentials"],"subject_types_supported":["public"],)"
      R"("id_token_signing_alg_values_supported":["ES256"],)"
      R"("token_endpoint_auth_methods_supported":["private_key_jwt"]})";
  return reply;
}

Reply HelseIdService::refuse(const Refusal& refusal) {
  Reply reply;
  reply.status = 400;
  reply.body = "{";
  append_claim(reply.body, "error", refusal.error);
  if (refusal.flaw.reason == "nonce") {
    statistics_.count("helseid.nonce_challenges");
    reply.headers.emplace_back("DPoP-Nonce", nonce_);
  } else {
    statistics_.count("helseid.refused." + refusal.flaw.reason);
    log_("HelseID refused a token request: " + refusal.error + ", " + refusal.flaw.reason + ": " +
         scrubbed(refusal.flaw.text));
  }
  append_claim(reply.body, "error_description", scrubbed(refusal.flaw.text));
  reply.body += '}';
  return reply;
}

auto HelseIdService::read_form(const HttpRequest& request) const -> Judged<Form> {
  const auto refused = [](const char* reason, const char* text) {
    return tl::unexpected<Refusal>({"invalid_request", {reason, text}});
  };
  if (request.method != "POST") return refused("method", "the token endpoint takes POST");
  if (request.header("content-type") != "application/x-www-form-urlencoded") {
    return refused("content_type", "Content-Type must be application/x-www-form-urlencoded");
  }
  if (request.header("authorization")) {
    return refused("authorization_header", "a token request has no Authorization header");
  }
  Form form;
  std::string_view rest = request.body;
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    const std::size_t equals = part.find('=');
    auto name = from_form(part.substr(0, equals));
    auto value = from_form(equals == part.npos ? "" : part.substr(equals + 1));
    if (!name || !value) return refused("form", "the body is not form-encoded");
    if (!form.emplace(*name, *value).second) return refused("form", "a field stands twice");
  }
  return form;
}

auto HelseIdService::find_client(const Form& form) const -> Judged<const RegisteredClient*> {
  const auto refused = [](const char* error, const char* reason, const char* text) {
    return tl::unexpected<Refusal>({error, {reason, text}});
  };
  if (field(form, "grant_type") != "client_credentials") {
    return refused("unsupported_grant_type", "grant_type", "grant_type must be client_credentials");
  }
  if (field(form, "client_assertion_type") !=
      "urn:ietf:params:oauth:client-assertion-type:jwt-bearer") {
    return refused("invalid_request", "assertion_type", "client_assertion_type is wrong");
  }
  const auto found = clients_.find(field(form, "client_id"));
  if (found == clients_.end()) {
    return refused("invalid_client", "client_unknown", "client_id is not registered");
  }
  return &found->second;
}

const std::string& HelseIdService::nonce(Time now) {
  if (now >= nonce_until_) {
    previous_nonce_ = now < nonce_until_ + std::chrono::minutes(1) ? nonce_ : "";
    nonce_ = base64url(random_octets(18));
    nonce_until_ = now + std::chrono::minutes(1);
  }
  return nonce_;
}

auto HelseIdService::check_dpop(const HttpRequest& request, Time now)
    -> Judged<std::optional<Proof>> {
  const HelseIdBehaviour& settings = behaviour_.helseid;
  const auto header = request.header("dpop");
  if (settings.dpop == DpopRule::ignored) return std::optional<Proof>();
  if (!header) {
    if (settings.dpop == DpopRule::as_asked) return std::optional<Proof>();
    return tl::unexpected<Refusal>(
        {"invalid_request", {"proof_missing", "this client must use DPoP"}});
  }
  const std::string url = request.origin + std::string(token_path);
  auto proof = check_proof(*header, {.method = "POST",
                                     .url = url,
                                     .now = now,
                                     .life_max = settings.proof_life_max,
                                     .skew = settings.clock_skew,
                                     .token = std::nullopt});
  if (!proof) return tl::unexpected<Refusal>({"invalid_dpop_proof", proof.error()});
  const Time until = now + settings.proof_life_max + 2 * settings.clock_skew;
  if (!proofs_.is_first(proof->thumbprint + proof->jti, until, now)) {
    return tl::unexpected<Refusal>(
        {"invalid_dpop_proof", {"proof_replayed", "the proof's jti was used before"}});
  }
  const std::string& current = nonce(now);
  if (settings.nonce && (!proof->nonce || proof->nonce->empty() ||
                         (proof->nonce != current && proof->nonce != previous_nonce_))) {
    return tl::unexpected<Refusal>(
        {"use_dpop_nonce", {"nonce", "Authorization server requires nonce in DPoP proof"}});
  }
  return std::optional<Proof>(std::move(*proof));
}

auto HelseIdService::remember_assertion(const Jws& assertion, Time now) -> Judged<void> {
  const std::string jti(text_of(assertion.payload(), "jti").value_or(""));
  const std::string client(text_of(assertion.payload(), "iss").value_or(""));
  const Time until{std::chrono::seconds(integer_of(assertion.payload(), "exp").value_or(0))};
  if (assertions_.is_first(client + jti, until + behaviour_.helseid.clock_skew, now)) return {};
  return tl::unexpected<Refusal>(
      {"invalid_client", {"assertion_replayed", "the assertion's jti was used before"}});
}

auto HelseIdService::grant(const RegisteredClient& registered, const Form& form,
                           const Jws& assertion, Time now) const -> Judged<Grant> {
  const HelseIdBehaviour& settings = behaviour_.helseid;
  const Client& client = registered.client;
  const auto refused = [](const char* error, const char* reason, const char* text) {
    return tl::unexpected<Refusal>({error, {reason, text}});
  };
  const auto represented = read_represented(assertion, settings.org_claims, client.multi_tenant);
  if (!represented) return tl::unexpected<Refusal>({"invalid_request", represented.error()});
  Grant out;
  out.client_id = client.client_id;
  out.expires = now + settings.token_life;
  out.parent = client.multi_tenant ? represented->parent : client.organization;
  out.organization = represented->child.empty() ? out.parent : represented->child;
  if (settings.revoked_organizations.contains(out.parent) ||
      settings.revoked_organizations.contains(out.organization) ||
      (client.multi_tenant && !client.delegations.empty() && !out.parent.empty() &&
       !client.delegations.contains(out.parent))) {
    return refused("invalid_request", "not_delegated",
                   "HID-1001: the organisation has not delegated to this client");
  }
  const std::string& resource = field(form, "resource");
  if (!resource.empty() && resource != audience) {
    return refused("invalid_target", "resource", "the resource is not known");
  }
  std::set<std::string> scopes = words(field(form, "scope"));
  const std::set<std::string> allowed(client.scopes.begin(), client.scopes.end());
  if (!std::includes(allowed.begin(), allowed.end(), scopes.begin(), scopes.end())) {
    return refused("invalid_scope", "scope", "a scope is not allowed for the client");
  }
  if (scopes.empty()) scopes = allowed;
  for (const std::string& scope : scopes) out.scope += (out.scope.empty() ? "" : " ") + scope;
  return out;
}

Reply HelseIdService::issue(const HttpRequest& request, const RegisteredClient& registered,
                            Grant grant, Time now) {
  const HelseIdBehaviour& settings = behaviour_.helseid;
  if (grant.organization.empty()) {
    statistics_.count("helseid.organization_missing");
    log_(
        "HelseID issued a token without organisation: the assertion of a multi-tenant client "
        "names none, so the API will answer 401 EHSEC-110002");
  }
  std::string rejected;
  if (settings.rejected_scope_organizations.contains(grant.organization) ||
      settings.rejected_scope_organizations.contains(grant.parent)) {
    statistics_.count("helseid.rejected_scope");
    rejected.swap(grant.scope);
  }
  const bool is_bound = !grant.thumbprint.empty();
  const std::string token =
      signer_.sign(R"({"alg":"ES256","typ":"at+jwt","kid":")" + signer_.kid() + "\"}",
                   token_claims(registered, grant, issuer(request), now));
  Reply reply;
  reply.body = "{";
  append_claim(reply.body, "access_token", token);
  append_claim(reply.body, "token_type", is_bound ? "DPoP" : "Bearer");
  append_claim(reply.body, "scope", grant.scope);
  if (!rejected.empty()) append_claim(reply.body, "rejected_scope", rejected);
  reply.body += ",\"expires_in\":" + std::to_string(settings.token_life.count() / 1'000) + "}";
  grants_.issue(token, std::move(grant), now);
  statistics_.count("helseid.tokens_issued");
  return reply;
}

Reply HelseIdService::token(const HttpRequest& request, Time now) {
  const auto form = read_form(request);
  if (!form) return refuse(form.error());
  const auto client = find_client(*form);
  if (!client) return refuse(client.error());
  const RegisteredClient& registered = **client;
  const auto assertion =
      check_assertion(field(*form, "client_assertion"), {.behaviour = behaviour_.helseid,
                                                         .client_id = registered.client.client_id,
                                                         .issuer = issuer(request),
                                                         .keys = registered.keys,
                                                         .now = now});
  if (!assertion) return refuse({"invalid_client", assertion.error()});
  // The proof comes before the assertion's jti: official clients differ in whether the second
  // try, with the nonce, carries a new assertion (contract/helseid 3).
  const auto proof = check_dpop(request, now);
  if (!proof) return refuse(proof.error());
  if (auto first = remember_assertion(*assertion, now); !first) return refuse(first.error());
  auto granted = grant(registered, *form, *assertion, now);
  if (!granted) return refuse(granted.error());
  if (*proof) granted->thumbprint = (*proof)->thumbprint;
  return issue(request, registered, std::move(*granted), now);
}

}  // namespace helsekontakter::simulator
