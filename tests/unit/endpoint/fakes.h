#pragma once

#include "adapters/endpoint/helsekontakter_endpoint.h"

#include <deque>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace helsekontakter::endpoint {

/// A client that answers when the test says so, in the order of the requests.
class FakeClient : public https::Client {
 public:
  void send(https::Request request, std::function<void(https::Answer)> done) override {
    requests.push_back(std::move(request));
    waiting_.push_back(std::move(done));
  }

  /// Plays the network: asks may_write of the oldest request, then answers it.
  void answer(int status, std::string body = "", std::vector<https::Header> headers = {}) {
    if (!may_write()) return fail_with(https::Failure::Phase::withheld, false);
    take()(https::Response{status, std::move(headers), std::move(body), written_at});
  }

  void fail_with(https::Failure::Phase phase, bool may_be_executed) {
    https::Failure failure{.phase = phase, .may_be_executed = may_be_executed, .text = "as told"};
    if (may_be_executed) failure.written_at = written_at;
    take()(tl::unexpected(std::move(failure)));
  }

  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

  std::vector<https::Request> requests;
  std::chrono::system_clock::time_point written_at{std::chrono::seconds(5000)};

 private:
  bool may_write() { return requests.at(requests.size() - waiting_.size()).may_write(); }

  std::function<void(https::Answer)> take() {
    if (waiting_.empty()) throw std::logic_error("no request waits for this answer");
    auto done = std::move(waiting_.front());
    waiting_.pop_front();
    return done;
  }

  std::deque<std::function<void(https::Answer)>> waiting_;
};

/// Gives out "Bearer token-1", "Bearer token-2", … at once, unless told to refuse.
class FakeTokens : public helseid::TokenSource {
 public:
  void authorize(OrganizationNumber organization, const std::string& method, const https::Url& url,
                 Milliseconds needed_life, std::function<void(helseid::Authorized)> done) override {
    asked.push_back(method + " " + url.text() + " for " + organization.digits() + " lasting " +
                    std::to_string(needed_life.count()));
    if (refusal) return done(tl::unexpected(*refusal));
    done(helseid::Authorization{{"Authorization", "Bearer token-" + std::to_string(asked.size())}});
  }

  void drop(OrganizationNumber, const helseid::Authorization& refused) override {
    dropped.push_back(refused.at(0).value);
  }

  void refuse(NotSentCause cause) { refusal = NotSent{cause, "refused as told"}; }

  std::vector<std::string> asked;
  std::vector<std::string> dropped;
  std::optional<NotSent> refusal;
};

}  // namespace helsekontakter::endpoint
