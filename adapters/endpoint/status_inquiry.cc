#include "adapters/endpoint/status_inquiry.h"

#include "adapters/endpoint/headers.h"
#include "adapters/https/date.h"
#include "adapters/json/status_reader.h"
#include "worker/domain/ensure.h"
#include "worker/fhir/bundle.h"

#include <algorithm>
#include <string_view>

namespace helsekontakter::endpoint {
namespace {

using Kind = StatusFailure::Kind;

std::string body_of(const AskStatus& question, const StatusSettings& settings) {
  constexpr std::size_t bytes_each = 14;
  std::string body;
  body.reserve(question.identifiers.size() * bytes_each + 64);
  body += R"({"fnrListe":[)";
  for (const std::string& identifier : question.identifiers) {
    if (body.back() != '[') body += ',';
    fhir::append_json_string(body, identifier);
  }
  body += R"(],"omraade":)";
  if (settings.area_form == AreaForm::number) {
    body += settings.area == Area::ungdom ? '6' : '3';
  } else {
    body += settings.area == Area::ungdom ? R"("Ungdom")" : R"("Helsehjelp")";
  }
  body += '}';
  return body;
}

StatusFailure failure_of(const https::Failure& failure) {
  if (failure.may_be_executed) return {Kind::unknown, failure.text, std::nullopt};
  const bool withheld = failure.phase == https::Failure::Phase::withheld ||
                        failure.phase == https::Failure::Phase::stopped;
  return {withheld ? Kind::withheld : Kind::not_sent, failure.text, std::nullopt};
}

}  // namespace

/// A question on its way. Touched by one thread at a time, as a Submission is.
struct StatusInquiry::Inquiry {
  AskStatus question;
  std::shared_ptr<const std::string> body;
  helseid::Authorization authorization;  ///< of the last request
  bool repeated = false;
  bool concluded = false;
};

StatusInquiry::StatusInquiry(StatusSettings settings, https::Client& client,
                             helseid::TokenSource* tokens, StatusSurroundings surroundings)
    : settings_(std::move(settings)),
      client_(client),
      tokens_(tokens),
      around_(std::move(surroundings)) {
  ensure(around_.still_ours && around_.deliver && around_.wall && around_.fresh_uuid);
}

void StatusInquiry::ask(AskStatus question) {
  auto body = std::make_shared<const std::string>(body_of(question, settings_));
  auto inquiry =
      std::make_shared<Inquiry>(Inquiry{std::move(question), std::move(body), {}, false, false});
  if (tokens_ == nullptr) return send(inquiry, {});
  authorize(inquiry);
}

void StatusInquiry::authorize(const Shared& inquiry) {
  const Milliseconds needed_life = settings_.connect_timeout + settings_.request_timeout;
  tokens_->authorize(inquiry->question.organization, "POST", settings_.url, needed_life,
                     [this, inquiry](helseid::Authorized authorized) {
                       if (authorized) return send(inquiry, std::move(*authorized));
                       const NotSent& why = authorized.error();
                       const bool stops = why.cause == NotSentCause::stopped;
                       fail(*inquiry, {stops ? Kind::withheld : Kind::not_sent, why.text, {}});
                     });
}

void StatusInquiry::send(const Shared& inquiry, helseid::Authorization authorization) {
  inquiry->authorization = std::move(authorization);
  https::Request request;
  request.url = settings_.url;
  request.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
  for (https::Header& header : filled(settings_.headers, around_.fresh_uuid)) {
    request.headers.push_back(std::move(header));
  }
  request.headers.insert(request.headers.end(), inquiry->authorization.begin(),
                         inquiry->authorization.end());
  request.shared_body = inquiry->body;
  request.connect_timeout = settings_.connect_timeout;
  request.timeout = settings_.request_timeout;
  request.answer_bytes_max = settings_.answer_bytes_max;
  request.may_write = [this, inquiry] { return around_.still_ours(inquiry->question.under); };
  client_.send(std::move(request), [this, inquiry](const https::Answer& answer) {
    if (answer) {
      on_answer(inquiry, *answer);
    } else {
      fail(*inquiry, failure_of(answer.error()));
    }
  });
}

void StatusInquiry::on_answer(const Shared& inquiry, const https::Response& response) {
  const WallTime now = around_.wall();
  if (const auto date = https::parse_date(response.header("Date")); date && around_.clock_seen) {
    around_.clock_seen(*date, now);
  }
  const bool token_refused = response.status == 401 || response.status == 403;
  if (token_refused && tokens_ != nullptr && !inquiry->repeated) {
    inquiry->repeated = true;
    const OrganizationNumber organization = inquiry->question.organization;
    if (around_.token_dropped) around_.token_dropped(organization, response.status);
    tokens_->drop(organization, inquiry->authorization);
    return authorize(inquiry);
  }
  const auto retry_after = https::parse_retry_after(response.header("Retry-After"), now);
  auto read = json::read_statuses(response.status, response.body, inquiry->question.identifiers,
                                  retry_after);
  if (!read) return fail(*inquiry, std::move(read.error()));
  StatusAnswer answer{.id = inquiry->question.id, .statuses = {}, .failure = {}};
  answer.statuses = std::move(*read);
  conclude(*inquiry, std::move(answer));
}

void StatusInquiry::fail(Inquiry& inquiry, StatusFailure failure) const {
  StatusAnswer answer{.id = inquiry.question.id, .statuses = {}, .failure = {}};
  answer.failure = std::move(failure);
  conclude(inquiry, std::move(answer));
}

void StatusInquiry::conclude(Inquiry& inquiry, StatusAnswer answer) const {
  ensure(!inquiry.concluded);
  inquiry.concluded = true;
  if (around_.asked) {
    StatusFacts facts{.organization = inquiry.question.organization, .failure = std::nullopt};
    if (answer.failure) facts.failure = answer.failure->kind;
    const auto count = [&](DigitalStatus status) {
      return static_cast<std::size_t>(
          std::count(answer.statuses.begin(), answer.statuses.end(), status));
    };
    facts.active = count(DigitalStatus::active);
    facts.inactive = count(DigitalStatus::inactive);
    facts.unknown = count(DigitalStatus::unknown);
    around_.asked(facts);
  }
  around_.deliver(std::move(answer));
}

}  // namespace helsekontakter::endpoint
