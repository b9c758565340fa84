#include "adapters/cli/probe_https.h"

#include "adapters/clock/wall_now.h"
#include "adapters/https/date.h"

#include <chrono>
#include <future>
#include <utility>

namespace helsekontakter::cli {
namespace {

using Steady = std::chrono::steady_clock;

/// The requests have their own deadlines; this one is for what they forget.
constexpr Milliseconds grace{5'000};

/// As many requests as HelseIdTokenSource makes for one token at most.
constexpr int requests_for_a_token = 6;

constexpr std::size_t answer_bytes_max = 1024 * 1024;
constexpr int status_redirect = 300;
constexpr int status_bad_request = 400;
constexpr int status_bad_gateway = 502;
constexpr int status_gateway_timeout = 504;

std::string_view option_of(https::Failure::Phase phase) {
  using Phase = https::Failure::Phase;
  if (phase == Phase::proxy) return "api.proxy";
  if (phase == Phase::tls) return "api.ca_file";
  return "api.base_url";
}

/// The date's second and the way both weigh: half of the round trip, half a second.
std::optional<Milliseconds> skew_in(const https::Response& response) {
  const auto date = https::parse_date(response.header("date"));
  if (!date) return std::nullopt;
  const WallTime written = std::chrono::floor<Milliseconds>(response.written_at);
  const WallTime middle = written + (wall_now() - written) / 2;
  return *date + Milliseconds(500) - middle;
}

/// Waits for a callback that comes exactly once, also after nobody waits any more.
template <class T, class Start>
std::optional<T> await(Milliseconds timeout, const Start& start) {
  auto promise = std::make_shared<std::promise<T>>();
  std::future<T> future = promise->get_future();
  start([promise](T value) { promise->set_value(std::move(value)); });
  if (future.wait_for(timeout) != std::future_status::ready) return std::nullopt;
  return future.get();
}

Result<https::Client*> open(std::unique_ptr<https::PooledClient>& client,
                            const https::ClientSettings& settings) {
  if (client == nullptr) {
    auto made = https::PooledClient::create(settings);
    if (!made) return tl::unexpected(made.error());
    client = std::move(*made);
  }
  return client.get();
}

}  // namespace

struct HttpsProbe::Fetched {
  std::mutex mutex;  ///< the HTTP client's thread writes
  helseid::TokenFetched token{};
  std::string warning;
};

Result<https::Client*> HttpsProbe::client() {
  return open(client_, configuration_.https);
}

Result<https::Client*> HttpsProbe::auth_client() {
  return open(auth_client_, configuration_.auth_https);
}

Result<https::Response> HttpsProbe::get(https::Client& client, const https::Url& url,
                                        Milliseconds timeout) {
  const Milliseconds connect_timeout = configuration_.endpoint.connect_timeout;
  const auto answer = await<https::Answer>(connect_timeout + timeout + grace, [&](auto done) {
    https::Request request{.method = "GET", .url = url};
    request.connect_timeout = connect_timeout;
    request.timeout = timeout;
    request.answer_bytes_max = answer_bytes_max;
    client.send(std::move(request), std::move(done));
  });
  if (!answer) return fail(Remedy::retry, url.text() + " gave no answer in time");
  if (!*answer) {
    const https::Failure& failure = answer->error();
    return fail(Remedy::retry, failure.text + " (" + std::string(option_of(failure.phase)) + ")");
  }
  return std::move(**answer);
}

Result<std::string> HttpsProbe::endpoint() {
  const auto by = client();
  if (!by) return tl::unexpected(by.error());
  const https::Url& url = configuration_.endpoint.url;
  const auto answer = get(**by, url, configuration_.endpoint.request_timeout);
  if (!answer) return tl::unexpected(answer.error());
  skew_ = skew_in(*answer);
  const int status = answer->status;
  std::string text = url.text() + " answers a GET with " + std::to_string(status);
  if (status >= status_bad_gateway && status <= status_gateway_timeout) {
    return fail(Remedy::retry, text +
                                   ": a gateway is reached, the service behind it is not; try "
                                   "later, or ask who runs it");
  }
  if (status >= status_redirect && status < status_bad_request) {
    text += ", and redirects are not followed, so look at api.base_url";
  }
  return text +
         (url.tls ? "; name, connection and TLS are well" : "; name and connection are well");
}

Result<Milliseconds> HttpsProbe::clock_skew() {
  if (skew_) return *skew_;
  const auto by = auth_client();
  if (!by) return tl::unexpected(by.error());
  const std::string unknown = "the endpoint says no time, and HelseID neither";
  auto issuer = https::Url::parse(configuration_.helseid.issuer);
  if (!issuer) return fail(Remedy::stop, unknown);
  const auto answer = get(**by, *issuer, configuration_.helseid.request_timeout);
  if (!answer) return fail(Remedy::retry, unknown + ": " + answer.error().message);
  if (const auto skew = skew_in(*answer)) return *skew;
  return fail(Remedy::retry, unknown + " (header Date)");
}

Result<void> HttpsProbe::make(Tokens& tokens, const helseid::Settings& settings) {
  if (tokens.source != nullptr) return {};
  const auto by = auth_client();
  if (!by) return tl::unexpected(by.error());
  tokens.fetched = std::make_shared<Fetched>();
  helseid::Observer observer;
  observer.fetched = [fetched = tokens.fetched](const helseid::TokenFetched& token) {
    const std::lock_guard lock(fetched->mutex);
    fetched->token = token;
  };
  observer.warning = [fetched = tokens.fetched](const std::string& text) {
    const std::lock_guard lock(fetched->mutex);
    fetched->warning = text;
  };
  auto made = helseid::HelseIdTokenSource::create(settings, **by, helseid::system_surroundings(),
                                                  std::move(observer));
  if (!made) {
    std::string text;
    for (const Error& error : made.error()) text += (text.empty() ? "" : "; ") + error.message;
    return fail(Remedy::stop, std::move(text));
  }
  tokens.source = std::move(*made);
  return {};
}

Result<std::string> HttpsProbe::token_of(Tokens& tokens, const helseid::Settings& settings,
                                         OrganizationNumber organization) {
  if (auto made = make(tokens, settings); !made) return tl::unexpected(made.error());
  const Milliseconds each = settings.request_timeout + configuration_.endpoint.connect_timeout;
  const auto given =
      await<helseid::Authorized>(each * requests_for_a_token + grace, [&](auto done) {
        tokens.source->authorize(organization, "POST", configuration_.endpoint.url, Milliseconds(0),
                                 std::move(done));
      });
  if (!given) {
    return fail(Remedy::retry, "HelseID (auth.issuer) gave no answer in time; try again");
  }
  if (!*given) return fail(Remedy::stop, given->error().text);
  Fetched& fetched = *tokens.fetched;
  const std::lock_guard lock(fetched.mutex);
  std::string text = settings.token_mode == helseid::TokenMode::dpop ? "DPoP" : "Bearer";
  text += ", " + std::to_string(fetched.token.life.count() / 1000) + " s of life, after " +
          std::to_string(fetched.token.took.count()) + " ms";
  if (!fetched.warning.empty()) text += "; " + std::exchange(fetched.warning, {});
  return text;
}

Result<std::string> HttpsProbe::token(OrganizationNumber organization) {
  return token_of(tokens_, configuration_.helseid, organization);
}

Result<std::string> HttpsProbe::status_token(OrganizationNumber organization) {
  helseid::Settings settings = configuration_.helseid;
  settings.scope = configuration_.status.scope;
  auto text = token_of(status_tokens_, settings, organization);
  if (text) return text;
  return fail(text.error().remedy, text.error().message + " (scope: digital_status.scope)");
}

}  // namespace helsekontakter::cli
