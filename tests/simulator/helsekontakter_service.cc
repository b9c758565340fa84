#include "tests/simulator/helsekontakter_service.h"

#include <algorithm>

namespace helsekontakter::simulator {
namespace {

constexpr std::uint64_t late_pending_max = 1'000;  ///< beyond it cut_late becomes cut_before

/// Whether one of the words, separated by single spaces, is `word`.
bool has_word(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const std::string_view first = words.substr(0, words.find(' '));
    if (first == word) return true;
    words.remove_prefix(std::min(words.size(), first.size() + 1));
  }
  return false;
}

Reply fhir(int status, std::string body) {
  Reply reply;
  reply.status = status;
  reply.body = std::move(body);
  reply.content_type = "application/fhir+json";
  return reply;
}

Reply gateway_fault(int status) {
  if (status == 500) return fhir(500, operation_outcome("119", "Intern feil"));
  Reply reply;
  reply.status = status;
  reply.content_type = "text/html";
  reply.body = "<html><body>" + std::to_string(status) + "</body></html>";
  return reply;
}

}  // namespace

HelsekontakterService::HelsekontakterService(const Behaviour& behaviour, const Grants& grants,
                                             Dice& dice, Statistics& statistics, Journal& journal,
                                             const MemberHash& hash, Log log)
    : behaviour_(behaviour),
      grants_(grants),
      dice_(dice),
      statistics_(statistics),
      journal_(journal),
      log_(std::move(log)),
      reader_(behaviour.api, hash) {}

void HelsekontakterService::remember(const JournalLine& line) {
  Member& member = members_[line.key];
  if (!member.is_applied) statistics_.count("members.known");
  (void)land(member, line.version);
  known_organizations_.emplace(line.organization);
}

Reply HelsekontakterService::refuse(int status, const Flaw& flaw) {
  statistics_.count("api.refused_requests");
  statistics_.count("api.refused." + flaw.reason);
  log_("Helsekontakter refused a request with " + std::to_string(status) + ", " + flaw.reason +
       ": " + scrubbed(flaw.text));
  return fhir(status, operation_outcome("2147", flaw.reason + ": " + scrubbed(flaw.text)));
}

Reply HelsekontakterService::unauthorized(const Flaw& flaw) {
  Reply reply = refuse(401, flaw);
  statistics_.count("api.unauthorized");
  reply.content_type = "application/json";
  reply.body = R"({"code":"EHSEC-110002","message":"Token is expired or invalid"})";
  return reply;
}

Checked<const Grant*> HelsekontakterService::authorize(const HttpRequest& request,
                                                       const std::string& scope, Time now) {
  const auto header = request.header("authorization");
  if (!header) return flaw("authorization", "no Authorization header, or more than one");
  const std::size_t space = header->find(' ');
  const std::string_view scheme = header->substr(0, space);
  const std::string_view token = space == header->npos ? "" : header->substr(space + 1);
  if (scheme != "Bearer" && scheme != "DPoP") {
    return flaw("authorization", "the scheme must be Bearer or DPoP");
  }
  const Grant* grant = grants_.find(token);
  if (grant == nullptr) return flaw("token_unknown", "the token was not issued here");
  if (grant->expires <= now) return flaw("token_expired", "the token has expired");
  if (!scope.empty() && !has_word(grant->scope, scope)) {
    return flaw("token_scope", "the token lacks the scope " + scope);
  }
  if (auto bound = check_token_scheme(request, *grant, scheme, token, now); !bound) {
    return tl::unexpected<Flaw>(bound.error());
  }
  if (grant->organization.empty()) {
    return flaw("token_organization", "the token names no organisation");
  }
  return grant;
}

Checked<void> HelsekontakterService::check_token_scheme(const HttpRequest& request,
                                                        const Grant& grant, std::string_view scheme,
                                                        std::string_view token, Time now) {
  const TokenScheme demanded = behaviour_.api.token_scheme;
  const bool is_dpop = scheme == "DPoP";
  if ((demanded == TokenScheme::bearer && is_dpop) || (demanded == TokenScheme::dpop && !is_dpop)) {
    return flaw("token_scheme", "this API takes the other token scheme");
  }
  if (is_dpop == grant.thumbprint.empty()) {
    return flaw("token_scheme", is_dpop ? "a Bearer token was sent with the scheme DPoP"
                                        : "a DPoP-bound token was sent as Bearer");
  }
  if (!is_dpop) return {};
  const auto header = request.header("dpop");
  if (!header) return flaw("proof_missing", "no DPoP header, or more than one");
  const std::string url = request.origin + request.target.substr(0, request.target.find('?'));
  const HelseIdBehaviour& settings = behaviour_.helseid;
  const auto proof = check_proof(*header, {.method = request.method,
                                           .url = url,
                                           .now = now,
                                           .life_max = settings.proof_life_max,
                                           .skew = settings.clock_skew,
                                           .token = token});
  if (!proof) return tl::unexpected<Flaw>(proof.error());
  if (proof->thumbprint != grant.thumbprint) {
    return flaw("proof_key", "the proof's key is not the one the token is bound to");
  }
  const Time until = now + settings.proof_life_max + 2 * settings.clock_skew;
  if (!proofs_.is_first(proof->thumbprint + proof->jti, until, now)) {
    return flaw("proof_replayed", "the proof's jti was used before");
  }
  return {};
}

Checked<void> HelsekontakterService::check_head(const HttpRequest& request) const {
  const std::string_view type = request.header("content-type").value_or("");
  const std::string_view bare = type.substr(0, type.find(';'));
  if (!contains(behaviour_.api.media_types, bare)) {
    return flaw("content_type", "Content-Type '" + std::string(type) + "' is not taken");
  }
  if (request.body.size() > behaviour_.api.bytes_max) {
    return flaw("bytes_max", "the body is larger than the limit");
  }
  return {};
}

Checked<void> HelsekontakterService::check_organization(const Grant* grant,
                                                        const Bundle& bundle) const {
  if (grant == nullptr) return {};
  const auto& revoked = behaviour_.helseid.revoked_organizations;
  if (revoked.contains(grant->organization) || revoked.contains(grant->parent)) {
    return flaw("not_delegated", "the organisation's delegation was withdrawn");
  }
  if (grant->organization != bundle.organization) {
    return flaw("organization_mismatch", "the Bundle's organisation is not the token's");
  }
  return {};
}

std::variant<Reply, std::unique_ptr<Pending>> HelsekontakterService::admit(HttpRequest& request,
                                                                           Time now) {
  const std::string_view path = request.target;
  if (path == behaviour_.api.status_path) return digital_status(request, now);
  statistics_.count("api.requests");
  statistics_.count("api.bytes", request.body.size());
  if (path != behaviour_.api.path) return refuse(404, {"path", "nothing is served at this path"});
  if (request.method != "POST") return refuse(405, {"method", "only POST is served here"});
  if (!pace_.admits(behaviour_.api.requests_per_second_max, now)) {
    statistics_.count("api.rate_limited");
    Reply reply = fhir(429, operation_outcome("429", "For mange kall"));
    const auto seconds = (behaviour_.api.retry_after.count() + 999) / 1'000;
    reply.headers.emplace_back("Retry-After", std::to_string(seconds));
    return reply;
  }
  const Grant* grant = nullptr;
  if (behaviour_.api.token_required) {
    const auto authorized = authorize(request, behaviour_.api.scope, now);
    if (!authorized) return unauthorized(authorized.error());
    grant = *authorized;
  }
  if (const auto head = check_head(request); !head) {
    return refuse(head.error().reason == "bytes_max" ? 413 : 415, head.error());
  }
  auto bundle = reader_.read(request.body);
  if (!bundle) return refuse(bundle.error().reason == "entries_max" ? 413 : 400, bundle.error());
  if (const auto ours = check_organization(grant, *bundle); !ours) return refuse(403, ours.error());
  return pend(std::move(*bundle));
}

std::unique_ptr<Pending> HelsekontakterService::pend(Bundle bundle) {
  auto pending = std::make_unique<Pending>();
  const ApiBehaviour& settings = behaviour_.api;
  pending->bundle = std::move(bundle);
  pending->request = statistics_.value("api.requests");
  pending->ending = dice_.draw(settings.faults);
  pending->latency = dice_.draw(settings.latency, pending->bundle.entries());
  if (pending->ending == Ending::cut_late &&
      statistics_.value("api.late_pending") >= late_pending_max) {
    pending->ending = Ending::cut_before;
  }
  if (pending->ending == Ending::cut_late) pending->settle = dice_.up_to(settings.settle_time);
  if (pending->ending != Ending::answer) {
    statistics_.count(std::string("api.faults.") + name_of(pending->ending));
  }
  std::uint64_t overlapping = 0;
  pending->members.reserve(pending->bundle.members.size());
  for (const MemberEntry& entry : pending->bundle.members) {
    Member& member = members_[entry.key];
    overlapping += member.in_progress > 0 ? 1 : 0;
    ++member.in_progress;
    pending->members.push_back(&member);
  }
  statistics_.count("members.overlapping", overlapping);
  statistics_.count("api.in_progress");
  return pending;
}

void HelsekontakterService::part(Pending& pending) {
  for (Member* member : pending.members) --member->in_progress;
  statistics_.set("api.in_progress", statistics_.value("api.in_progress") - 1);
  if (pending.ending == Ending::cut_late) statistics_.count("api.late_pending");
}

Reply HelsekontakterService::finish(Pending& pending) {
  if (pending.ending == Ending::cut_late) {
    statistics_.set("api.late_pending", statistics_.value("api.late_pending") - 1);
    return apply(pending);
  }
  part(pending);
  Reply reply;
  switch (pending.ending) {
    case Ending::status_500:
      return gateway_fault(500);
    case Ending::status_502:
      return gateway_fault(502);
    case Ending::status_503:
      return gateway_fault(503);
    case Ending::status_504:
      return gateway_fault(504);
    case Ending::cut_before:
      reply.cut = true;
      return reply;
    default:
      break;
  }
  reply = apply(pending);
  reply.cut = pending.ending == Ending::cut_after;
  if (pending.ending == Ending::garbage) reply.body = "<html>{\"resourceType\":\"Bund";
  if (pending.ending == Ending::slow_body) {
    const auto pause = std::max<std::int64_t>(1, behaviour_.api.faults.slow_body_pause.count());
    reply.trickle_ms = static_cast<std::size_t>(pause);
  }
  if (!reply.cut) statistics_.count("api.answered");
  return reply;
}

Reply HelsekontakterService::apply(Pending& pending) {
  statistics_.count("api.entries", pending.bundle.entries());
  return pending.bundle.members.empty() ? apply_offerings(pending) : apply_members(pending);
}

Reply HelsekontakterService::apply_offerings(Pending& pending) {
  const Bundle& bundle = pending.bundle;
  known_organizations_.insert(bundle.organization);
  for (const OfferingEntry& entry : bundle.offerings) {
    if (entry.kind != OfferingEntry::Kind::service) continue;
    statistics_.count("api.offerings_accepted");
    journal_.offering(bundle, entry, pending.ending == Ending::cut_late, pending.request);
  }
  return fhir(200, answer_offerings(behaviour_.api.answer_offerings, bundle,
                                    pending.ending == Ending::wrong_count));
}

Fate HelsekontakterService::fate_of(const Bundle& bundle, const MemberEntry& entry) const {
  const ApiBehaviour& settings = behaviour_.api;
  if (settings.organization_must_be_known && !known_organizations_.contains(bundle.organization)) {
    return Fate::organization_unknown;
  }
  if (settings.check_digits && !entry.check_digits_right) return Fate::invalid;
  if (picks(settings.invalid, entry.member(), invalid_salt)) return Fate::invalid;
  if (picks(settings.inactive, entry.member(), inactive_salt)) return Fate::inactive;
  return Fate::accepted;
}

void HelsekontakterService::land_member(Pending& pending, std::size_t position) {
  const MemberEntry& entry = pending.bundle.members[position];
  const bool is_late = pending.ending == Ending::cut_late;
  switch (land(*pending.members[position], entry.version())) {
    case Landing::first:
      statistics_.count("members.known");
      break;
    case Landing::newer:
      break;
    case Landing::repeated:
      statistics_.count("members.repeated");
      break;
    case Landing::older_over_newer:
      statistics_.count("members.older_over_newer");
      log_("an older version landed over a newer one, in request " +
           std::to_string(pending.request) + (is_late ? ", executed late" : ""));
      break;
  }
  journal_.member(pending.bundle, entry, is_late, pending.request);
}

Reply HelsekontakterService::apply_members(Pending& pending) {
  const Bundle& bundle = pending.bundle;
  std::vector<Fate> fates;
  fates.reserve(bundle.members.size());
  std::array<std::uint64_t, 4> counts{};
  for (const MemberEntry& entry : bundle.members) {
    fates.push_back(fate_of(bundle, entry));
    ++counts[static_cast<std::size_t>(fates.back())];
  }
  statistics_.count("api.verdicts.accepted", counts[0]);
  statistics_.count("api.verdicts.inactive", counts[1]);
  statistics_.count("api.verdicts.invalid", counts[2]);
  statistics_.count("api.verdicts.organization_unknown", counts[3]);
  if (bundle.is_transaction && counts[0] != fates.size()) {
    const auto refused =
        std::find_if(fates.begin(), fates.end(), [](Fate fate) { return fate != Fate::accepted; });
    const Explanation why = explain(*refused);
    return fhir(400, operation_outcome(why.code, why.text));
  }
  for (std::size_t i = 0; i < fates.size(); ++i) {
    if (fates[i] == Fate::accepted) land_member(pending, i);
  }
  statistics_.count("members.applied", counts[0]);
  if (pending.ending == Ending::cut_late) statistics_.count("members.applied_late", counts[0]);
  return fhir(200, answer_members(behaviour_.api.answer_members, bundle, fates,
                                  pending.ending == Ending::wrong_count));
}

}  // namespace helsekontakter::simulator
