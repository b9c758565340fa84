#include "adapters/helseid/metadata.h"

#include <utility>

#include <simdjson.h>

namespace helsekontakter::helseid {
namespace {

constexpr Milliseconds stale_retry{300'000};

Fault misconfigured(const std::string& what) {
  return {Blame::issuer, "metadata_refused", "HelseID's metadata " + what, std::nullopt};
}

Fault unreadable(const std::string& what) {
  return {Blame::helseid, "metadata_unreadable",
          "HelseID's metadata cannot be read (" + what + "); check auth.issuer", std::nullopt};
}

}  // namespace

std::string metadata_url(std::string_view issuer) {
  if (issuer.ends_with('/')) issuer.remove_suffix(1);
  return std::string(issuer) + "/.well-known/openid-configuration";
}

TokenEndpoint::Found read_metadata(const https::Response& response, const std::string& issuer) {
  if (response.status != 200) {
    return tl::unexpected(unreadable("HTTP " + std::to_string(response.status)));
  }
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(simdjson::padded_string(response.body)).get(object) != simdjson::SUCCESS) {
    return tl::unexpected(unreadable("not a JSON object"));
  }
  std::string_view named;
  std::string_view endpoint;
  if (object["issuer"].get(named) != simdjson::SUCCESS ||
      object["token_endpoint"].get(endpoint) != simdjson::SUCCESS) {
    return tl::unexpected(unreadable("no issuer or no token_endpoint"));
  }
  if (named != issuer) {
    return tl::unexpected(misconfigured("names another issuer than auth.issuer (" +
                                        presentable(named, 100) + "); they must be equal"));
  }
  const auto ours = https::Url::parse(issuer);
  auto url = https::Url::parse(endpoint);
  if (!url)
    return tl::unexpected(misconfigured("names a bad token_endpoint: " + url.error().message));
  if (!ours || url->host != ours->host || (ours->tls && !url->tls)) {
    return tl::unexpected(misconfigured(
        "names a token_endpoint on another host or without TLS; set auth.token_endpoint if that "
        "is meant so"));
  }
  return std::move(*url);
}

void TokenEndpoint::find(std::function<void(Found)> done) {
  const std::string& fixed = issuer_->settings.token_endpoint;
  if (!fixed.empty()) {
    auto url = https::Url::parse(fixed);
    done(url ? Found(std::move(*url))
             : Found(tl::unexpected(Fault{Blame::issuer, "bad_token_endpoint",
                                          "auth.token_endpoint is no URL: " + url.error().message,
                                          std::nullopt})));
    return;
  }
  std::optional<Found> known;
  bool begin = false;
  {
    const std::lock_guard lock(mutex_);
    const TimePoint now = issuer_->surroundings.now();
    if (url_ && now < renew_at_) {
      known = *url_;
    } else if (const Fault* fault = breaker_.open(now); fault != nullptr) {
      known = tl::unexpected(*fault);
    } else {
      waiting_.push_back(std::move(done));
      begin = !std::exchange(fetching_, true);
    }
  }
  if (known) done(std::move(*known));
  if (begin) fetch();
}

void TokenEndpoint::fetch() {
  https::Request request;
  request.method = "GET";
  auto url = https::Url::parse(metadata_url(issuer_->settings.issuer));
  if (!url) {
    keep(tl::unexpected(Fault{Blame::issuer, "bad_issuer",
                              "auth.issuer is no URL: " + url.error().message, std::nullopt}));
    return;
  }
  request.url = std::move(*url);
  request.headers = {{"Accept", "application/json"}};
  issuer_->send(std::move(request),
                [self = shared_from_this()](tl::expected<https::Response, Fault> answer) {
                  self->keep(answer ? read_metadata(*answer, self->issuer_->settings.issuer)
                                    : Found(tl::unexpected(std::move(answer.error()))));
                });
}

void TokenEndpoint::keep(Found found) {
  std::vector<std::function<void(Found)>> waiting;
  std::string warning;
  {
    const std::lock_guard lock(mutex_);
    const TimePoint now = issuer_->surroundings.now();
    fetching_ = false;
    waiting.swap(waiting_);
    if (found) {
      breaker_.reset();
      url_ = *found;
      renew_at_ = now + issuer_->settings.metadata_life;
    } else if (url_ && found.error().blame == Blame::helseid) {
      warning = found.error().text + "; what was read before stays in use";
      renew_at_ = now + stale_retry;
      found = *url_;
    } else if (found.error().blame == Blame::issuer) {
      url_.reset();
      breaker_.trip(found.error(), now);
    }
  }
  if (!warning.empty() && issuer_->observer.warning) issuer_->observer.warning(warning);
  for (const auto& done : waiting) done(found);
}

}  // namespace helsekontakter::helseid
