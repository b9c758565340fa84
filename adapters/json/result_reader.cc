#include "adapters/json/result_reader.h"

#include "adapters/json/json_text.h"

#include <limits>

namespace helsekontakter::json {
namespace {

namespace dom = simdjson::dom;

std::string_view text_of(const dom::object& object, std::string_view name) {
  std::string_view text;
  if (object[name].get(text) != simdjson::SUCCESS) return {};
  return text;
}

std::optional<std::int64_t> number_of(const dom::object& object, std::string_view name) {
  std::int64_t number = 0;
  if (object[name].get(number) != simdjson::SUCCESS) return std::nullopt;
  return number;
}

bool read_data(const dom::object& data, ResultView& out) {
  const auto verdict = verdict_of(text_of(data, "verdict"));
  dom::object event;
  dom::object origin;
  if (!verdict || data["event"].get(event) != simdjson::SUCCESS ||
      data["origin"].get(origin) != simdjson::SUCCESS) {
    return false;
  }
  out.verdict = *verdict;
  out.event_id = text_of(event, "id");
  out.event_source = text_of(event, "source");
  out.subject = text_of(event, "subject");
  out.organization = OrganizationNumber::parse(text_of(data, "organization"));
  out.version = number_of(data, "version");
  dom::object reason;
  if (data["reason"].get(reason) == simdjson::SUCCESS) {
    out.reason_code = text_of(reason, "code");
    out.reason_text = text_of(reason, "text");
  }
  out.attempt = static_cast<std::uint32_t>(number_of(data, "attempt").value_or(0));
  out.resend = text_of(data, "resend");
  out.next_attempt_at = text_of(data, "nextAttemptAt");
  out.answered_at = text_of(data, "answeredAt");
  out.origin_topic = text_of(origin, "topic");
  const auto partition = number_of(origin, "partition");
  const auto offset = number_of(origin, "offset");
  if (!partition || !offset || *partition < 0 || *offset < 0) return false;
  if (*partition > std::numeric_limits<std::int32_t>::max()) return false;
  out.origin = {Partition{static_cast<std::int32_t>(*partition)}, *offset};
  return true;
}

}  // namespace

class ResultReader::Parser {
 public:
  std::optional<ResultView> read(std::string_view text) {
    dom::object event;
    if (json_.parse(text).get(event) != simdjson::SUCCESS) return std::nullopt;
    if (text_of(event, "type") != "no.helsekontakter.result.v1") return std::nullopt;
    ResultView view;
    const auto id = Uuid::parse(text_of(event, "id"));
    dom::object data;
    if (!id || event["data"].get(data) != simdjson::SUCCESS || !read_data(data, view)) {
      return std::nullopt;
    }
    view.id = *id;
    view.time = text_of(event, "time");
    return view;
  }

 private:
  JsonText json_;
};

ResultReader::ResultReader() : parser_(std::make_unique<Parser>()) {}
ResultReader::~ResultReader() = default;

std::optional<ResultView> ResultReader::read(std::string_view text) {
  return parser_->read(text);
}

std::optional<Verdict> verdict_of(std::string_view text) {
  for (std::size_t i = 0; i < verdicts; ++i) {
    const auto verdict = static_cast<Verdict>(i);
    if (name(verdict) == text) return verdict;
  }
  return std::nullopt;
}

}  // namespace helsekontakter::json
