#include "tests/simulator/tokens.h"

#include <algorithm>

namespace helsekontakter::simulator {
namespace {

constexpr std::size_t grants_max = 200'000;
constexpr std::size_t identifiers_max = 2'000'000;

Checked<Jwk> proof_key(const Jws& jws) {
  simdjson::dom::element json;
  if (jws.header()["jwk"].get(json) != simdjson::SUCCESS) {
    return flaw("proof_jwk", "the proof's header has no jwk");
  }
  auto jwk = read_jwk(json);
  if (!jwk) return flaw("proof_jwk", jwk.error().text);
  if (jwk->has_private_members) {
    return flaw("proof_private_key", "the proof's jwk contains private members");
  }
  return jwk;
}

Checked<void> check_time(const Jws& jws, const ProofDemand& demand) {
  const auto iat = integer_of(jws.payload(), "iat");
  if (!iat) return flaw("proof_iat", "iat must be an integer");
  const Time issued{std::chrono::seconds(*iat)};
  if (issued > demand.now + demand.skew) return flaw("proof_iat", "iat lies in the future");
  if (issued + demand.life_max + demand.skew < demand.now) {
    return flaw("proof_iat", "the proof is too old");
  }
  return {};
}

}  // namespace

void Grants::issue(const std::string& token, Grant grant, Time now) {
  if (grants_.size() >= next_purge_) {
    std::erase_if(grants_, [&](const auto& pair) { return pair.second.expires < now; });
    next_purge_ = std::min(grants_max, std::max<std::size_t>(1'000, grants_.size() * 2));
  }
  if (grants_.size() >= grants_max) grants_.erase(grants_.begin());
  grants_.insert_or_assign(token, std::move(grant));
}

const Grant* Grants::find(std::string_view token) const {
  const auto found = grants_.find(token);
  return found == grants_.end() ? nullptr : &found->second;
}

bool ReplayCache::is_first(const std::string& id, Time expires, Time now) {
  if (seen_.size() >= next_purge_) {
    std::erase_if(seen_, [&](const auto& pair) { return pair.second < now; });
    next_purge_ = std::min(identifiers_max, std::max<std::size_t>(10'000, seen_.size() * 2));
  }
  if (seen_.size() >= identifiers_max) seen_.erase(seen_.begin());
  return seen_.emplace(id, expires).second;
}

Checked<Proof> check_proof(std::string_view compact, const ProofDemand& demand) {
  auto jws = Jws::parse(compact);
  if (!jws) return flaw("proof_malformed", jws.error().text);
  if (jws->header_text("typ") != "dpop+jwt") return flaw("proof_typ", "typ must be dpop+jwt");
  const auto key = proof_key(*jws);
  if (!key) return tl::unexpected<Flaw>(key.error());
  if (!jws->is_signed_by(*key)) return flaw("proof_signature", "the signature is not the jwk's");
  const auto payload = jws->payload();
  if (text_of(payload, "htm") != demand.method) {
    return flaw("proof_htm", "htm must be " + std::string(demand.method));
  }
  if (text_of(payload, "htu") != demand.url) {
    return flaw("proof_htu", "htu must be " + std::string(demand.url) + ", is " +
                                 std::string(text_of(payload, "htu").value_or("absent")));
  }
  if (auto time = check_time(*jws, demand); !time) return tl::unexpected<Flaw>(time.error());
  const std::string jti(text_of(payload, "jti").value_or(""));
  if (jti.empty() || jti.size() > 256)
    return flaw("proof_jti", "jti must have 1 to 256 characters");
  if (demand.token) {
    if (text_of(payload, "ath") != base64url(sha256(*demand.token))) {
      return flaw("proof_ath", "ath is not the hash of the token");
    }
  }
  Proof proof{key->thumbprint, jti, std::nullopt};
  if (const auto nonce = text_of(payload, "nonce")) proof.nonce = std::string(*nonce);
  return proof;
}

}  // namespace helsekontakter::simulator
