#include "tests/unit/helseid/bench.h"

#include "tests/unit/helseid/keys.h"
#include "worker/domain/ensure.h"

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include <unistd.h>

namespace helsekontakter::helseid::test {

https::Response json_answer(int status, std::string body) {
  https::Response response;
  response.status = status;
  response.headers = {{"Content-Type", "application/json"}};
  response.body = std::move(body);
  return response;
}

https::Response granted(std::string token, int expires_in, std::string type) {
  return json_answer(200, R"({"access_token":")" + token + R"(","expires_in":)" +
                              std::to_string(expires_in) + R"(,"token_type":")" + type + R"("})");
}

https::Response refused(std::string error, std::string description) {
  return json_answer(
      400, R"({"error":")" + error + R"(","error_description":")" + description + R"("})");
}

void FakeHelseId::send(https::Request request, std::function<void(https::Answer)> done) {
  {
    const std::lock_guard lock(mutex_);
    if (request.method == "GET") {
      ++metadata_requests_;
    } else {
      token_requests_.push_back(request);
    }
    if (corked_) {
      piled_up_.emplace_back(std::move(request), std::move(done));
      return;
    }
  }
  done(reply_to(request));
}

https::Answer FakeHelseId::reply_to(const https::Request& request) {
  Reply reply;
  {
    const std::lock_guard lock(mutex_);
    if (request.method == "GET") {
      if (metadata_) return *metadata_;
      return json_answer(200, R"({"issuer":")" + std::string(issuer) + R"(","token_endpoint":")" +
                                  std::string(issuer) + R"(/connect/token"})");
    }
    if (script_.empty()) {
      const bool dpop = !request.headers.empty() && request.headers.back().name == "DPoP";
      return granted("token-" + std::to_string(++tokens_given_), 60, dpop ? "DPoP" : "Bearer");
    }
    reply = std::move(script_.front());
    script_.pop_front();
  }
  return reply(request);
}

void FakeHelseId::next(https::Answer answer) {
  next([answer = std::move(answer)](const https::Request&) { return answer; });
}

void FakeHelseId::next(Reply reply) {
  const std::lock_guard lock(mutex_);
  script_.push_back(std::move(reply));
}

void FakeHelseId::metadata(https::Answer answer) {
  const std::lock_guard lock(mutex_);
  metadata_ = std::move(answer);
}

void FakeHelseId::uncork() {
  std::vector<std::pair<https::Request, std::function<void(https::Answer)>>> piled_up;
  {
    const std::lock_guard lock(mutex_);
    corked_ = false;
    piled_up.swap(piled_up_);
  }
  for (const auto& [request, done] : piled_up) done(reply_to(request));
}

std::vector<https::Request> FakeHelseId::token_requests() const {
  const std::lock_guard lock(mutex_);
  return token_requests_;
}

std::size_t FakeHelseId::metadata_requests() const {
  const std::lock_guard lock(mutex_);
  return metadata_requests_;
}

std::size_t FakeHelseId::corked_requests() const {
  const std::lock_guard lock(mutex_);
  return piled_up_.size();
}

std::string field(const https::Request& request, std::string_view name) {
  std::string_view rest = request.body;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    if (!pair.starts_with(std::string(name) + "=")) continue;
    const std::string_view value = pair.substr(name.size() + 1);
    std::string out;
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (value[i] == '%') {
        out += static_cast<char>(std::stoi(std::string(value.substr(i + 1, 2)), nullptr, 16));
        i += 2;
      } else {
        out += value[i] == '+' ? ' ' : value[i];
      }
    }
    return out;
  }
  return "-";
}

std::string assertion_of(const https::Request& request) {
  return field(request, "client_assertion");
}

KeyPath::KeyPath() {
  static std::atomic<int> number{0};
  path_ = (std::filesystem::temp_directory_path() /
           ("helseid-test-" + std::to_string(::getpid()) + "-" + std::to_string(++number)))
              .string();
}

KeyPath::~KeyPath() {
  std::remove(path_.c_str());
}

void KeyPath::write(const std::string& text) const {
  std::ofstream(path_, std::ios::trunc) << text;
  mode(0600);
}

void KeyPath::mode(unsigned bits) const {
  std::filesystem::permissions(path_, static_cast<std::filesystem::perms>(bits));
}

OrganizationNumber organization(std::string_view digits) {
  const auto parsed = OrganizationNumber::parse(digits);
  ensure(parsed.has_value());
  return *parsed;
}

Bench::Bench() {
  settings.issuer = issuer;
  settings.client_id = "client-1";
  settings.jwk_file = key_path.str();
  settings.organizations = {{org_a, {}}, {org_b, {}}};
  settings.tenancy = Tenancy::multi;
  key_path.write(private_jwk(Kind::p256));
}

Surroundings Bench::surroundings() {
  auto counter = std::make_shared<std::atomic<std::uint8_t>>(std::uint8_t{0});
  return {.now = [this] { return now; },
          .wall = [this] { return wall; },
          .fill_random =
              [counter](std::span<std::uint8_t> bytes) {
                std::fill(bytes.begin(), bytes.end(), ++*counter);
              }};
}

Observer Bench::observer() {
  // The hooks come on whichever thread is at hand.
  const auto into = [this](auto& list, auto project) {
    return [this, &list, project](const auto& told) {
      const std::lock_guard lock(told_mutex_);
      list.push_back(project(told));
    };
  };
  const auto itself = [](const auto& told) { return told; };
  return {.fetched = into(lives, [](const TokenFetched& fetched) { return fetched.life; }),
          .failed = into(failures, [](const TokenFailed& failed) { return failed.code; }),
          .key_reloaded = into(reloaded, itself),
          .skew_seen = into(skews, itself),
          .warning = into(warnings, itself)};
}

void Bench::start() {
  auto created = HelseIdTokenSource::create(settings, helseid, surroundings(), observer());
  ensure(created.has_value());
  source = std::move(*created);
}

void Bench::ask_later(OrganizationNumber organization, Milliseconds needed_life) {
  if (!source) start();
  source->authorize(organization, "POST", api_url, needed_life,
                    [this](Authorized answer) { answers.push_back(std::move(answer)); });
}

Authorized Bench::ask(OrganizationNumber organization, Milliseconds needed_life) {
  const std::size_t before = answers.size();
  ask_later(organization, needed_life);
  ensure(answers.size() == before + 1);
  return answers.back();
}

void Bench::pass(Milliseconds time) {
  now += time;
  wall += time;
}

std::string_view name(NotSentCause cause) {
  switch (cause) {
    case NotSentCause::unreachable:
      return "unreachable";
    case NotSentCause::tls:
      return "tls";
    case NotSentCause::token_unavailable:
      return "token_unavailable";
    case NotSentCause::client_refused:
      return "client_refused";
    case NotSentCause::token_refused:
      return "token_refused";
    case NotSentCause::not_ours:
      return "not_ours";
    case NotSentCause::stopped:
      break;
  }
  return "stopped";
}

std::string shown(const Authorized& answer) {
  if (!answer) return std::string(name(answer.error().cause));
  return answer->empty() ? "nothing" : answer->front().value;
}

}  // namespace helsekontakter::helseid::test
