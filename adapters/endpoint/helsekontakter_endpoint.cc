#include "adapters/endpoint/helsekontakter_endpoint.h"

#include "adapters/clock/wall_now.h"
#include "adapters/crypto/keyed_hash.h"
#include "adapters/endpoint/headers.h"
#include "adapters/https/date.h"
#include "adapters/json/answer_reader.h"
#include "worker/domain/ensure.h"

#include <chrono>

namespace helsekontakter::endpoint {
namespace {

WallTime to_wall(std::chrono::system_clock::time_point at) {
  return std::chrono::time_point_cast<Milliseconds>(at);
}

NotSentCause cause_of(https::Failure::Phase phase) {
  switch (phase) {
    case https::Failure::Phase::tls:
      return NotSentCause::tls;
    case https::Failure::Phase::withheld:
      return NotSentCause::not_ours;
    case https::Failure::Phase::stopped:
      return NotSentCause::stopped;
    default:
      return NotSentCause::unreachable;
  }
}

}  // namespace

Surroundings real_surroundings() {
  Surroundings out;
  out.wall = wall_now;
  out.steady = [] {
    return TimePoint(std::chrono::duration_cast<Milliseconds>(
        std::chrono::steady_clock::now().time_since_epoch()));
  };
  out.fresh_uuid = crypto::uuid_v4;
  return out;
}

/// A Submit on its way. Touched by one thread at a time: by the caller until it is handed on, then
/// by the callbacks, each of which is the end of the step before.
struct HelsekontakterEndpoint::Submission {
  Submit submit;
  std::shared_ptr<const std::string> body;  ///< kept for a repetition
  helseid::Authorization authorization;     ///< of the last request
  bool repeated = false;
  bool concluded = false;
  std::optional<TimePoint> begun;  ///< when the last request was about to be written
};

HelsekontakterEndpoint::HelsekontakterEndpoint(EndpointSettings settings, https::Client& client,
                                               helseid::TokenSource* tokens,
                                               Surroundings surroundings)
    : settings_(std::move(settings)),
      client_(client),
      tokens_(tokens),
      around_(std::move(surroundings)) {
  ensure(around_.still_ours && around_.deliver && around_.wall && around_.steady &&
         around_.fresh_uuid);
}

void HelsekontakterEndpoint::submit(Submit submit) {
  auto body = std::make_shared<const std::string>(std::move(submit.body));
  submit.body.clear();
  auto submission = std::make_shared<Submission>(
      Submission{std::move(submit), std::move(body), {}, false, false, std::nullopt});
  if (tokens_ == nullptr) return send(std::move(submission), {});
  authorize(std::move(submission));
}

void HelsekontakterEndpoint::authorize(Shared submission) {
  const OrganizationNumber organization = submission->submit.organization;
  const Milliseconds needed_life = settings_.connect_timeout + settings_.request_timeout;
  tokens_->authorize(organization, "POST", settings_.url, needed_life,
                     [this, submission = std::move(submission)](helseid::Authorized authorized) {
                       if (authorized) return send(submission, std::move(*authorized));
                       if (around_.observer.token_failed) {
                         around_.observer.token_failed(submission->submit.organization,
                                                       authorized.error().cause);
                       }
                       conclude(*submission, std::move(authorized.error()), std::nullopt);
                     });
}

void HelsekontakterEndpoint::send(Shared submission, helseid::Authorization authorization) {
  submission->authorization = std::move(authorization);
  submission->begun.reset();
  https::Request request = request_for(submission);
  client_.send(std::move(request), [this, submission](const https::Answer& answer) {
    if (answer) {
      on_answer(submission, *answer);
    } else {
      on_failure(submission, answer.error());
    }
  });
}

https::Request HelsekontakterEndpoint::request_for(const Shared& submission) const {
  https::Request request;
  request.url = settings_.url;
  request.headers = {{"Content-Type", settings_.media_type}, {"Accept", settings_.accept}};
  for (https::Header& header : filled(settings_.headers, around_.fresh_uuid)) {
    request.headers.push_back(std::move(header));
  }
  request.headers.insert(request.headers.end(), submission->authorization.begin(),
                         submission->authorization.end());
  request.shared_body = submission->body;
  request.connect_timeout = settings_.connect_timeout;
  request.timeout = settings_.request_timeout;
  request.answer_bytes_max = settings_.answer_bytes_max;
  request.may_write = [this, submission] {
    if (!around_.still_ours(submission->submit.under)) return false;
    submission->begun = around_.steady();
    return true;
  };
  return request;
}

void HelsekontakterEndpoint::on_answer(const Shared& submission, const https::Response& response) {
  observe(*submission, response.status);
  const WallTime now = around_.wall();
  if (const auto date = https::parse_date(response.header("Date"));
      date && around_.observer.clock_seen) {
    around_.observer.clock_seen(*date, now);
  }
  const bool token_refused = response.status == 401 || response.status == 403;
  if (token_refused && tokens_ != nullptr && !submission->repeated) {
    submission->repeated = true;
    const OrganizationNumber organization = submission->submit.organization;
    if (around_.observer.token_dropped) {
      around_.observer.token_dropped(organization, response.status);
    }
    tokens_->drop(organization, submission->authorization);
    return authorize(submission);
  }
  const auto retry_after = https::parse_retry_after(response.header("Retry-After"), now);
  conclude(*submission,
           json::read_answer(response.status, response.body, submission->submit.lane,
                             submission->submit.entries, retry_after),
           to_wall(response.written_at));
}

void HelsekontakterEndpoint::on_failure(const Shared& submission, const https::Failure& failure) {
  if (failure.may_be_executed) {
    observe(*submission, 0);
    const auto written_at = failure.written_at ? to_wall(*failure.written_at) : around_.wall();
    return conclude(*submission, OutcomeUnknown{failure.text}, written_at);
  }
  const NotSentCause cause = cause_of(failure.phase);
  observe(*submission, 0, cause);
  conclude(*submission, NotSent{cause, failure.text}, std::nullopt);
}

void HelsekontakterEndpoint::observe(const Submission& submission, int status,
                                     std::optional<NotSentCause> not_sent) const {
  if (!around_.observer.request_done) return;
  RequestFacts facts{.lane = submission.submit.lane,
                     .organization = submission.submit.organization,
                     .entries = submission.submit.entries.size(),
                     .body_bytes = submission.body->size(),
                     .status = status,
                     .latency = std::nullopt,
                     .not_sent = not_sent};
  if (submission.begun && !not_sent) facts.latency = around_.steady() - *submission.begun;
  around_.observer.request_done(facts);
}

void HelsekontakterEndpoint::conclude(Submission& submission, SubmissionOutcome outcome,
                                      std::optional<WallTime> submitted_at) {
  ensure(!submission.concluded);
  submission.concluded = true;
  const Lane lane = submission.submit.lane;
  around_.deliver({submission.submit.id, std::move(outcome), submitted_at, lane});
}

}  // namespace helsekontakter::endpoint
