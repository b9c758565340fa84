#include "adapters/helseid/helseid_token_source.h"

#include "adapters/helseid/token_cache.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>

namespace helsekontakter::helseid {
namespace {

/// A peer's Retry-After is honoured up to this; the breaker waits no longer either.
constexpr Milliseconds quiet_max{300'000};

std::string scheme(TokenMode mode) {
  return mode == TokenMode::dpop ? "DPoP " : "Bearer ";
}

NotSentCause cause_of(const Fault& fault, bool client_is_shared) {
  switch (fault.blame) {
    case Blame::helseid:
      return NotSentCause::token_unavailable;
    case Blame::issuer:
      return NotSentCause::client_refused;
    case Blame::organization:
      return NotSentCause::token_refused;
    case Blame::stopped:
      return NotSentCause::stopped;
    case Blame::client:
      break;
  }
  return client_is_shared ? NotSentCause::client_refused : NotSentCause::token_refused;
}

tl::unexpected<NotSent> not_sent(const Fault& fault, bool client_is_shared,
                                 OrganizationNumber organization) {
  return tl::unexpected(
      NotSent{cause_of(fault, client_is_shared),
              "no token for organisation " + organization.digits() + ": " + fault.text});
}

/// Everything that can be known to be wrong before the first request.
std::vector<Error> check(const Settings& settings) {
  std::vector<Error> errors;
  const auto wrong = [&](std::string message) {
    errors.push_back({Remedy::stop, std::move(message)});
  };
  if (settings.issuer.empty()) {
    wrong("auth.issuer is missing");
  } else if (const auto url = https::Url::parse(settings.issuer); !url) {
    wrong("auth.issuer: " + url.error().message);
  }
  if (!settings.token_endpoint.empty()) {
    const auto url = https::Url::parse(settings.token_endpoint);
    if (!url) wrong("auth.token_endpoint: " + url.error().message);
  }
  if (settings.assertion_life.count() < 1 || settings.assertion_life.count() > 60) {
    wrong("auth.assertion_life_s must be 1 to 60");
  }
  if (settings.org_claim.empty()) wrong("auth.org_claim must not be empty");
  return errors;
}

}  // namespace

struct HelseIdTokenSource::State : std::enable_shared_from_this<State> {
  explicit State(std::shared_ptr<Issuer> issuer_)
      : issuer(std::move(issuer_)),
        endpoint(std::make_shared<TokenEndpoint>(issuer)),
        cache(issuer->settings, issuer->observer) {}

  using Ready = std::shared_ptr<const Token>;
  struct Waiting {
    bool first;  ///< nobody is asking yet
  };
  using Decision = std::variant<Ready, Fault, Waiting>;

  /// Takes the waiter only when the decision is Waiting.
  Decision decide(Entry& entry, Waiter& waiter);
  void fetch(Entry& entry);
  void finish(Entry& entry, TimePoint began, tl::expected<FreshToken, Fault> result);
  [[nodiscard]] std::string note_grant(Entry& entry, FreshToken fresh,
                                       const std::vector<Waiter>& waiting);
  void note_fault(Entry& entry, const Fault& fault);
  void mend_by_new_key(Client& client);
  [[nodiscard]] Authorized headers(const Entry& entry, const Token& token, const Waiter& waiter);

  const std::shared_ptr<Issuer> issuer;
  const std::shared_ptr<TokenEndpoint> endpoint;

  std::mutex mutex;  ///< guards what follows; never held while sending, signing or calling back
  TokenCache cache;
  std::size_t waiting = 0;
  TimePoint quiet_until{};  ///< HelseID asked for quiet
  Fault quiet;
  bool short_life_told = false;
};

HelseIdTokenSource::Created HelseIdTokenSource::create(Settings settings, https::Client& client,
                                                       Surroundings surroundings,
                                                       Observer observer) {
  std::vector<Error> errors;
  const bool none = settings.none;
  if (!none) errors = check(settings);
  auto state = std::make_shared<State>(std::make_shared<Issuer>(
      std::move(settings), client, std::move(surroundings), std::move(observer)));
  for (const auto& one : state->cache.clients()) {
    if (none) break;
    if (one->identity->client_id.empty()) {
      errors.push_back({Remedy::stop, "auth.client_id is missing"});
    }
    if (const auto key = one->identity->key_file.read(); !key) errors.push_back(key.error());
  }
  if (!errors.empty()) return tl::unexpected(std::move(errors));
  return std::unique_ptr<HelseIdTokenSource>(new HelseIdTokenSource(std::move(state)));
}

HelseIdTokenSource::HelseIdTokenSource(std::shared_ptr<State> state) : state_(std::move(state)) {}

HelseIdTokenSource::~HelseIdTokenSource() {
  stop();
}

void HelseIdTokenSource::authorize(OrganizationNumber organization, const std::string& method,
                                   const https::Url& url, Milliseconds needed_life,
                                   std::function<void(Authorized)> done) {
  if (state_->issuer->stopped) {
    done(not_sent(stopping(), true, organization));
    return;
  }
  if (state_->issuer->settings.none) {
    done(Authorization{});
    return;
  }
  Entry* entry = state_->cache.find(organization);
  if (entry == nullptr) {
    done(not_sent({Blame::organization, "unlisted",
                   "it is not listed in organizations, so nothing is sent for it", std::nullopt},
                  true, organization));
    return;
  }
  state_->mend_by_new_key(entry->client);
  Waiter waiter{organization, method, url, needed_life, std::move(done)};
  const State::Decision decision = state_->decide(*entry, waiter);
  if (const auto* token = std::get_if<State::Ready>(&decision)) {
    waiter.done(state_->headers(*entry, **token, waiter));
  } else if (const auto* fault = std::get_if<Fault>(&decision)) {
    waiter.done(not_sent(*fault, entry->client.is_shared, organization));
  } else if (std::get<State::Waiting>(decision).first) {
    state_->fetch(*entry);
  }
}

void HelseIdTokenSource::State::mend_by_new_key(Client& client) {
  {
    const std::lock_guard lock(mutex);
    if (client.breaker.open(issuer->surroundings.now()) == nullptr) return;
  }
  const auto key = client.identity->key_file.read();
  const std::lock_guard lock(mutex);
  if (key && *key != client.refused_key) client.breaker.reset();
}

HelseIdTokenSource::State::Decision HelseIdTokenSource::State::decide(Entry& entry,
                                                                      Waiter& waiter) {
  const std::lock_guard lock(mutex);
  const TimePoint now = issuer->surroundings.now();
  if (issuer->stopped) return stopping();
  // The cache is keyed by the key too: what an older key brought is not given out any more.
  if (entry.token && entry.token->key == entry.client.identity->key_file.current() &&
      entry.token->good(now, waiter.needed_life)) {
    return entry.token;
  }
  if (!entry.fetching) {
    if (const Fault* fault = entry.client.breaker.open(now)) return *fault;
    if (const Fault* fault = entry.breaker.open(now)) return *fault;
    if (now < quiet_until) return quiet;
  }
  if (waiting >= waiting_max) {
    return Fault{Blame::helseid, "too_many_waiting",
                 "too many requests wait for tokens; HelseID answers slowly", std::nullopt};
  }
  ++waiting;
  entry.waiting.push_back(std::move(waiter));
  return Waiting{!std::exchange(entry.fetching, true)};
}

void HelseIdTokenSource::State::fetch(Entry& entry) {
  const TimePoint began = issuer->surroundings.now();
  std::make_shared<Exchange>(
      issuer, endpoint, entry.client.identity, entry.named,
      [self = shared_from_this(), &entry, began](tl::expected<FreshToken, Fault> result) {
        self->finish(entry, began, std::move(result));
      })
      ->start();
}

void HelseIdTokenSource::State::finish(Entry& entry, TimePoint began,
                                       tl::expected<FreshToken, Fault> result) {
  const Observer& observer = issuer->observer;
  const Milliseconds took = issuer->surroundings.now() - began;
  std::vector<Waiter> waiters;
  std::shared_ptr<const Token> token;
  std::string warning;
  {
    const std::lock_guard lock(mutex);
    waiters.swap(entry.waiting);
    waiting -= waiters.size();
    entry.fetching = false;
    if (result) {
      warning = note_grant(entry, std::move(*result), waiters);
      token = entry.token;
    } else {
      note_fault(entry, result.error());
    }
  }
  const bool shared = entry.client.is_shared;
  if (token && observer.fetched) observer.fetched({.took = took, .life = token->life});
  if (!token && observer.failed) {
    observer.failed(
        {.took = took, .cause = cause_of(result.error(), shared), .code = result.error().code});
  }
  if (!warning.empty() && observer.warning) observer.warning(warning);
  for (const Waiter& waiter : waiters) {
    waiter.done(token ? headers(entry, *token, waiter)
                      : not_sent(result.error(), shared, waiter.organization));
  }
}

std::string HelseIdTokenSource::State::note_grant(Entry& entry, FreshToken fresh,
                                                  const std::vector<Waiter>& waiters) {
  entry.token = std::make_shared<const Token>(make_token(std::move(fresh), issuer->settings));
  entry.client.breaker.reset();
  entry.breaker.reset();
  Milliseconds needed{0};
  for (const Waiter& waiter : waiters) needed = std::max(needed, waiter.needed_life);
  if (entry.token->life > needed || std::exchange(short_life_told, true)) return {};
  return "HelseID's tokens live " + std::to_string(entry.token->life.count()) +
         " ms, a request may take " + std::to_string(needed.count()) +
         " ms: tokens are used fresh and may end during a request; lower api.request_timeout_s";
}

void HelseIdTokenSource::State::note_fault(Entry& entry, const Fault& fault) {
  const TimePoint now = issuer->surroundings.now();
  if (fault.blame == Blame::client) {
    entry.client.refused_key = entry.client.identity->key_file.current();
    entry.client.breaker.trip(fault, now);
  } else if (fault.blame == Blame::organization) {
    entry.breaker.trip(fault, now);
  } else if (fault.blame == Blame::helseid && fault.retry_after) {
    quiet_until = now + std::min(*fault.retry_after, quiet_max);
    quiet = fault;
  }
}

Authorized HelseIdTokenSource::State::headers(const Entry& entry, const Token& token,
                                              const Waiter& waiter) {
  const TokenMode mode = issuer->settings.token_mode;
  Authorization authorization{{"Authorization", scheme(mode) + token.value}};
  if (mode == TokenMode::bearer) return authorization;
  auto proof = dpop_proof(
      {.method = waiter.method, .url = waiter.url, .nonce = "", .access_token = token.value},
      *token.key, issuer->corrected_time(), unique_id(issuer->surroundings));
  if (!proof) {
    return not_sent({Blame::client, "key_unusable", proof.error().message, std::nullopt},
                    entry.client.is_shared, waiter.organization);
  }
  authorization.push_back({"DPoP", std::move(*proof)});
  return authorization;
}

void HelseIdTokenSource::drop(OrganizationNumber organization, const Authorization& refused) {
  Entry* entry = state_->cache.find(organization);
  if (entry == nullptr) return;
  const std::string prefix = scheme(state_->issuer->settings.token_mode);
  const std::lock_guard lock(state_->mutex);
  if (!entry->token) return;
  // Only the very token that was refused: a newer one may have come meanwhile.
  const bool carried =
      std::any_of(refused.begin(), refused.end(), [&](const https::Header& header) {
        return header.name == "Authorization" && header.value == prefix + entry->token->value;
      });
  if (carried) entry->token.reset();
}

void HelseIdTokenSource::stop() {
  std::vector<std::pair<Waiter, bool>> waiters;
  {
    const std::lock_guard lock(state_->mutex);
    state_->issuer->stopped = true;
    for (const auto& entry : state_->cache.entries()) {
      for (Waiter& waiter : entry->waiting) {
        waiters.emplace_back(std::move(waiter), entry->client.is_shared);
      }
      entry->waiting.clear();
    }
    state_->waiting = 0;
  }
  for (const auto& [waiter, shared] : waiters) {
    waiter.done(not_sent(stopping(), shared, waiter.organization));
  }
}

}  // namespace helsekontakter::helseid
