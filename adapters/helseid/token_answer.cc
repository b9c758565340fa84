#include "adapters/helseid/token_answer.h"

#include "adapters/helseid/json_text_of.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include <simdjson.h>

namespace helsekontakter::helseid {
namespace {

constexpr Milliseconds token_life_max = std::chrono::hours(24);
constexpr std::size_t token_length_max = 16 * 1024;

Fault unreadable_answer(const std::string& what) {
  return {Blame::helseid, "unreadable_answer",
          "the answer of HelseID's token endpoint is not understood (" + what +
              "); check auth.issuer, auth.token_endpoint and any proxy",
          std::nullopt};
}

void add_words(std::set<std::string>& words, std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = std::min(text.find(' '), text.size());
    if (length > 0) words.emplace(text.substr(0, length));
    text.remove_prefix(std::min(length + 1, text.size()));
  }
}

/// Space-separated values; a list of strings is taken as well.
std::set<std::string> scopes_of(const simdjson::dom::object& object, std::string_view name) {
  std::set<std::string> scopes;
  if (const auto text = text_of(object, name)) add_words(scopes, *text);
  simdjson::dom::array list;
  if (object[name].get(list) == simdjson::SUCCESS) {
    for (const simdjson::dom::element element : list) {
      std::string_view text;
      if (element.get(text) == simdjson::SUCCESS) add_words(scopes, text);
    }
  }
  return scopes;
}

bool same_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

/// What may stand in an Authorization header (RFC 6750 2.1), so that a token cannot smuggle in
/// another header.
bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= token_length_max &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  std::string_view("-._~+/=").find(c) != std::string_view::npos;
         });
}

std::optional<Milliseconds> life_of(const simdjson::dom::object& object) {
  const auto member = object["expires_in"];
  if (member.error() == simdjson::NO_SUCH_FIELD) return Milliseconds(0);
  double seconds = 0;
  if (member.get(seconds) != simdjson::SUCCESS || seconds < 0) return std::nullopt;
  const double limit = std::chrono::duration<double>(token_life_max).count();
  return Milliseconds(static_cast<std::int64_t>(std::min(seconds, limit) * 1000));
}

/// Why the granted scopes are not enough, if they are not.
std::optional<Fault> scope_fault(const simdjson::dom::object& object, const Settings& settings) {
  std::set<std::string> needed;
  add_words(needed, settings.scope);
  for (const std::string& scope : scopes_of(object, "rejected_scope")) {
    if (needed.empty() || needed.contains(scope)) {
      return Fault{Blame::organization, "rejected_scope",
                   "HelseID rejects scope " + presentable(scope) +
                       " for this organisation; it must sign the terms of use for it",
                   std::nullopt};
    }
  }
  // RFC 6749 5.1: a scope left out of the answer is the one asked for.
  if (object["scope"].error() != simdjson::SUCCESS) return std::nullopt;
  const std::set<std::string> granted = scopes_of(object, "scope");
  for (const std::string& scope : needed) {
    if (!granted.contains(scope)) {
      return Fault{Blame::organization, "missing_scope",
                   "HelseID grants a token without scope " + presentable(scope) +
                       "; check auth.scope and the client's scopes in Selvbetjening",
                   std::nullopt};
    }
  }
  return std::nullopt;
}

TokenAnswer read_grant(const simdjson::dom::object& object, const Settings& settings) {
  const auto token = text_of(object, "access_token");
  const auto type = text_of(object, "token_type");
  const auto life = life_of(object);
  if (auto fault = scope_fault(object, settings)) return std::move(*fault);
  if (!token || !is_token(*token)) return unreadable_answer("no usable access_token");
  if (!type) return unreadable_answer("no token_type");
  if (!life) return unreadable_answer("expires_in is not a number of seconds");
  const bool dpop = settings.token_mode == TokenMode::dpop;
  if (!same_ignoring_case(*type, dpop ? "DPoP" : "Bearer")) {
    return Fault{Blame::client, "wrong_token_type",
                 "HelseID gives a token of type " + presentable(*type, 32) +
                     ", but auth.token_mode is " + (dpop ? "dpop" : "bearer") + "; make them agree",
                 std::nullopt};
  }
  return TokenGranted{std::string(*token), *life};
}

TokenAnswer nonce_wanted(const https::Response& response, const Settings& settings) {
  if (settings.token_mode != TokenMode::dpop) {
    return Fault{Blame::client, "use_dpop_nonce",
                 "HelseID demands DPoP of this client; set auth.token_mode: dpop", std::nullopt};
  }
  const std::string_view nonce = response.header("DPoP-Nonce");
  const bool usable =
      !nonce.empty() && nonce.size() <= 1024 &&
      std::all_of(nonce.begin(), nonce.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!usable) {
    return Fault{Blame::client, "use_dpop_nonce",
                 "HelseID asks for a DPoP nonce without giving one in DPoP-Nonce; "
                 "check what lies between (a proxy may drop the header)",
                 std::nullopt};
  }
  return NonceWanted{std::string(nonce)};
}

/// The advice that goes with an error code of contract/helseid 7.
std::string_view advice(std::string_view code) {
  if (code == "invalid_request") {
    return "check auth.tenancy, auth.org_claim and the organisation's parent";
  }
  if (code == "invalid_scope") return "check auth.scope and the client's scopes in Selvbetjening";
  if (code == "invalid_client") {
    return "check client_id, the key's expiry and kid in Selvbetjening, auth.issuer and the clock";
  }
  if (code == "invalid_dpop_proof") return "check the key and the clock";
  return "check the client and the organisation's delegation in Selvbetjening and Altinn";
}

Fault refusal(Blame blame, std::string_view code, std::string_view description) {
  Fault fault{blame, presentable(code, 64), "", std::nullopt};
  fault.text = "HelseID refuses a token: " + fault.code;
  if (!description.empty()) fault.text += " (" + presentable(description) + ")";
  fault.text += "; " + std::string(advice(code));
  return fault;
}

TokenAnswer read_error(const https::Response& response, const simdjson::dom::object& object,
                       const Settings& settings) {
  const std::string_view code = text_of(object, "error").value_or("");
  const std::string_view description = text_of(object, "error_description").value_or("");
  if (code.empty())
    return unreadable_answer("HTTP " + std::to_string(response.status) + " without error");
  if (code == "use_dpop_nonce") return nonce_wanted(response, settings);
  if (code == "invalid_client") {
    return ClientInvalid{refusal(Blame::client, code, description)};
  }
  if (code == "invalid_dpop_proof") {
    return ProofInvalid{refusal(Blame::client, code, description)};
  }
  if (code == "server_error" || code == "temporarily_unavailable" || code == "slow_down") {
    return refusal(Blame::helseid, code, description);
  }
  // invalid_request, invalid_scope, unauthorized_client, unsupported_grant_type, invalid_grant,
  // the older HID-1001 to HID-1010, and whatever else it says no with.
  return refusal(Blame::organization, code, description);
}

}  // namespace

TokenAnswer read_token_answer(const https::Response& response, const Settings& settings) {
  const int status = response.status;
  if (status == 429 || status == 408 || status >= 500) {
    return Fault{
        Blame::helseid, "http_" + std::to_string(status),
        "HelseID's token endpoint answers HTTP " + std::to_string(status) + "; it is tried again",
        std::nullopt};
  }
  const bool granted = status >= 200 && status < 300;
  if (!granted && (status < 400 || status >= 500)) {
    return unreadable_answer("HTTP " + std::to_string(status));
  }
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(simdjson::padded_string(response.body)).get(object) != simdjson::SUCCESS) {
    return unreadable_answer("HTTP " + std::to_string(status) + ", not a JSON object");
  }
  return granted ? read_grant(object, settings) : read_error(response, object, settings);
}

}  // namespace helsekontakter::helseid
