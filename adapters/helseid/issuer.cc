#include "adapters/helseid/issuer.h"

#include <string_view>

namespace helsekontakter::helseid {
namespace {

std::string_view word(https::Failure::Phase phase) {
  using Phase = https::Failure::Phase;
  switch (phase) {
    case Phase::resolve:
      return "resolve";
    case Phase::connect:
      return "connect";
    case Phase::proxy:
      return "proxy";
    case Phase::tls:
      return "tls";
    case Phase::withheld:
      return "withheld";
    case Phase::stopped:
      return "stopped";
    case Phase::write:
      return "write";
    case Phase::read:
      break;
  }
  return "read";
}

Fault no_answer(const https::Failure& failure) {
  if (failure.phase == https::Failure::Phase::stopped) return stopping();
  return {Blame::helseid, std::string(word(failure.phase)),
          "HelseID does not answer: " + presentable(failure.text), std::nullopt};
}

}  // namespace

Fault stopping() {
  return {Blame::stopped, "stopped", "the worker is stopping; no token is asked for", std::nullopt};
}

void Issuer::send(https::Request request,
                  std::function<void(tl::expected<https::Response, Fault>)> done) {
  if (stopped) {
    done(tl::unexpected(stopping()));
    return;
  }
  request.timeout = settings.request_timeout;
  request.answer_bytes_max = 1024 * 1024;
  const WallTime sent = surroundings.wall();
  // `done` keeps the asker, and so this, alive until the answer.
  client.send(std::move(request), [this, sent, done = std::move(done)](https::Answer answer) {
    if (!answer) {
      done(tl::unexpected(no_answer(answer.error())));
      return;
    }
    const auto skew = clock.observe(answer->header("Date"), sent, surroundings.wall());
    if (skew && observer.skew_seen) observer.skew_seen(*skew);
    done(std::move(*answer));
  });
}

}  // namespace helsekontakter::helseid
