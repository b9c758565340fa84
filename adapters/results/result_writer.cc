#include "adapters/results/result_writer.h"

#include "adapters/crypto/keyed_hash.h"
#include "adapters/crypto/uuid_text.h"
#include "worker/domain/ensure.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace helsekontakter::results {
namespace {

using Field = Texts::Field;

constexpr std::size_t reason_text_max = 256;
constexpr std::size_t fixed_bytes_max = 2048;  // names, numbers, times, batch
constexpr std::size_t escaped_bytes_max = 6;   // \u00xx
constexpr std::string_view result_type = "no.helsekontakter.result.v1";

/// The text's beginning, cut before a character that does not fit whole.
std::string_view cut(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

void append_number(std::int64_t number, std::string& out) {
  char text[24];
  const auto end = std::to_chars(text, text + sizeof text, number).ptr;
  out.append(text, end);
}

void append_two(unsigned number, std::string& out) {
  out += static_cast<char>('0' + number / 10);
  out += static_cast<char>('0' + number % 10);
}

/// RFC 3339, UTC, whole seconds.
void append_time(WallTime time, std::string& out) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  append_number(static_cast<int>(date.year()), out);
  out += '-';
  append_two(static_cast<unsigned>(date.month()), out);
  out += '-';
  append_two(static_cast<unsigned>(date.day()), out);
  out += 'T';
  append_two(static_cast<unsigned>(clock.hours().count()), out);
  out += ':';
  append_two(static_cast<unsigned>(clock.minutes().count()), out);
  out += ':';
  append_two(static_cast<unsigned>(clock.seconds().count()), out);
  out += 'Z';
}

std::string escaped(std::string_view text) {
  Room room;
  room.clear(text.size() * escaped_bytes_max);
  room.put_escaped(text);
  return std::string(room.text());
}

/// The organisation and the version of what the event was about, as far as they are known.
struct About {
  std::optional<OrganizationNumber> organization;
  std::optional<std::int64_t> version;
};

About about(const Delivery& delivery) {
  if (const auto* change = std::get_if<Change>(&delivery.content)) {
    return {change->organization, change->version};
  }
  if (const auto* finding = std::get_if<Finding>(&delivery.content)) {
    return {finding->organization, finding->version};
  }
  return {};
}

/// What the answer says of the member: Helsenorge keeps nobody who is not digitally active. A
/// result that is told once more says nothing of today.
std::string_view digital_status(const Conclusion& conclusion) {
  const auto* change = std::get_if<Change>(&conclusion.delivery->content);
  if (change == nullptr || change->lane != Lane::members) return "";
  const bool answered = conclusion.batch != Conclusion::no_batch;
  if (conclusion.verdict == Verdict::accepted && answered) return R"(,"digitalStatus":"active")";
  const bool inactive = conclusion.reason == Reason::not_digitally_active &&
                        (answered || conclusion.next_attempt.has_value());
  return inactive ? R"(,"digitalStatus":"inactive")" : std::string_view("");
}

std::string batch_text(const BatchFacts& batch) {
  std::string out = R"(,"batch":{"id":")";
  batch.name.append_to(out);
  out += R"(","entries":)";
  append_number(batch.entries, out);
  out += '}';
  if (batch.http_status != 0) {
    out += R"(,"httpStatus":)";
    append_number(batch.http_status, out);
  }
  if (batch.submitted_at != WallTime{}) {
    out += R"(,"submittedAt":")";
    append_time(batch.submitted_at, out);
    out += '"';
  }
  if (batch.answered_at != WallTime{}) {
    out += R"(,"answeredAt":")";
    append_time(batch.answered_at, out);
    out += '"';
  }
  return out;
}

}  // namespace

Uuid result_id(const Conclusion& conclusion) {
  const Texts& texts = conclusion.delivery->texts;
  if (const auto* finding = std::get_if<Finding>(&conclusion.delivery->content)) {
    return crypto::uuid_v5(result_namespace, {finding->event.hex(), texts[Field::resend]});
  }
  if (conclusion.verdict == Verdict::inactive) {
    return crypto::uuid_v5(result_namespace,
                           {texts[Field::source], texts[Field::id], texts[Field::resend],
                            std::to_string(conclusion.round)});
  }
  return crypto::uuid_v5(result_namespace,
                         {texts[Field::source], texts[Field::id], texts[Field::resend]});
}

ResultWriter::ResultWriter(Options options)
    : source_(std::move(options.source)),
      opening_(R"({"specversion":"1.0","id":")"),
      before_time_(R"(","source":")" + escaped(source_) + R"(","type":")" +
                   std::string(result_type) + R"(","datacontenttype":")" +
                   std::string(data_content_type) + R"(","time":")"),
      before_origin_(R"(,"origin":{"topic":")" + escaped(options.origin_topic) +
                     R"(","partition":)"),
      closing_(R"(},"environment":")" + escaped(options.environment) + R"("})") {}

void ResultWriter::begin(const Record& record, WallTime now) {
  record_ = &record;
  batches_.clear();
  for (const BatchFacts& batch : record.batches) batches_.push_back(batch_text(batch));
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  if (!head_.empty() && second == time_of_) return;
  time_of_ = second;
  head_ = opening_ + std::string(crypto::uuid_text_length, '0') + before_time_;
  append_time(time_of_, head_);
  head_ += '"';
}

std::size_t ResultWriter::bytes_max(const Conclusion& conclusion, std::size_t text_max) const {
  const Texts& texts = conclusion.delivery->texts;
  std::size_t bytes = conclusion.endpoint_event_id.size();
  for (const Field field : {Field::id, Field::source, Field::type, Field::subject,
                            Field::traceparent, Field::tracestate, Field::resend}) {
    bytes += std::min(texts[field].size(), text_max);
  }
  bytes += std::min(texts[Field::subject].size(), text_max);  // it stands there twice
  if (conclusion.superseded_by != Conclusion::no_index || conclusion.successor) bytes += text_max;
  bytes += reason_text_max;
  return bytes * escaped_bytes_max + opening_.size() + before_time_.size() + before_origin_.size() +
         closing_.size() + fixed_bytes_max;
}

void ResultWriter::append(const Conclusion& conclusion, std::string& out, std::size_t text_max) {
  room_.clear(bytes_max(conclusion, text_max));
  put_attributes(conclusion, text_max);
  room_.put(R"(,"data":)");
  put_data(conclusion, text_max);
  room_.put('}');
  out += room_.text();
}

void ResultWriter::append_data(const Conclusion& conclusion, std::string& out,
                               std::size_t text_max) {
  room_.clear(bytes_max(conclusion, text_max));
  put_data(conclusion, text_max);
  out += room_.text();
}

void ResultWriter::put_each_attribute(const Conclusion& conclusion, std::size_t text_max,
                                      const PutAttribute& put) const {
  put("specversion", "1.0");
  put("id", result_id(conclusion).text());
  put("source", source_);
  put("type", result_type);
  std::string time;
  append_time(time_of_, time);
  put("time", time);
  const Texts& texts = conclusion.delivery->texts;
  for (const auto& [field, name] :
       {std::pair{Field::subject, "subject"}, std::pair{Field::traceparent, "traceparent"},
        std::pair{Field::tracestate, "tracestate"}}) {
    if (!texts[field].empty()) put(name, cut(texts[field], text_max));
  }
}

void ResultWriter::put_data(const Conclusion& conclusion, std::size_t text_max) {
  put_event(conclusion.delivery->texts, text_max);
  const About known = about(*conclusion.delivery);
  if (known.organization) put_text(R"(,"organization":")", known.organization->digits());
  if (known.version) {
    room_.put(R"(,"version":)");
    room_.put_number(*known.version);
  }
  put_verdict(conclusion);
  put_rest(conclusion, text_max);
}

void ResultWriter::put_text(std::string_view name, std::string_view text) {
  room_.put(name);
  room_.put_escaped(text);
  room_.put('"');
}

void ResultWriter::put_attributes(const Conclusion& conclusion, std::size_t text_max) {
  const Texts& texts = conclusion.delivery->texts;
  crypto::write_text(result_id(conclusion), head_.data() + opening_.size());
  room_.put(head_);
  if (!texts[Field::subject].empty()) {
    put_text(R"(,"subject":")", cut(texts[Field::subject], text_max));
  }
  if (!texts[Field::traceparent].empty()) {
    put_text(R"(,"traceparent":")", cut(texts[Field::traceparent], text_max));
  }
  if (!texts[Field::tracestate].empty()) {
    put_text(R"(,"tracestate":")", cut(texts[Field::tracestate], text_max));
  }
}

void ResultWriter::put_event(const Texts& texts, std::size_t text_max) {
  put_text(R"({"event":{"id":")", cut(texts[Field::id], text_max));
  put_text(R"(,"source":")", cut(texts[Field::source], text_max));
  put_text(R"(,"type":")", cut(texts[Field::type], text_max));
  if (!texts[Field::subject].empty()) {
    put_text(R"(,"subject":")", cut(texts[Field::subject], text_max));
  }
  room_.put('}');
}

void ResultWriter::put_verdict(const Conclusion& conclusion) {
  put_text(R"(,"verdict":")", name(conclusion.verdict));
  room_.put(is_terminal(conclusion.verdict) ? R"(,"terminal":true)" : R"(,"terminal":false)");
  Action action = Action::none;
  if (conclusion.reason != Reason::none) {
    action = entry_of(conclusion.reason).action;
    put_reason(conclusion);
  }
  put_text(R"(,"action":")", name(action));
  room_.put(digital_status(conclusion));
  room_.put(R"(,"attempt":)");
  room_.put_number(conclusion.attempt);
}

void ResultWriter::put_reason(const Conclusion& conclusion) {
  const ReasonEntry& entry = entry_of(conclusion.reason);
  room_.put(R"(,"reason":{"code":")");
  room_.put(entry.code);
  room_.put(R"(","text":")");
  const std::string_view detail = conclusion.delivery->texts[Field::detail];
  if (!conclusion.endpoint_code.empty() || !conclusion.text.empty()) {
    const std::string_view code = cut(conclusion.endpoint_code, reason_text_max / 4);
    room_.put_escaped(code);
    if (!code.empty() && !conclusion.text.empty()) room_.put(": ");
    room_.put_escaped(cut(conclusion.text, reason_text_max - code.size() - 2));
  } else {
    room_.put_escaped(entry.text);
    if (!detail.empty()) {
      room_.put(" (");
      room_.put_escaped(
          cut(detail, reason_text_max - std::min(entry.text.size() + 3, reason_text_max)));
      room_.put(')');
    }
  }
  room_.put(R"("})");
}

void ResultWriter::put_rest(const Conclusion& conclusion, std::size_t text_max) {
  if (conclusion.batch < batches_.size()) room_.put(batches_[conclusion.batch]);
  if (!conclusion.endpoint_event_id.empty()) {
    put_text(R"(,"endpointEventId":")", cut(conclusion.endpoint_event_id, text_max));
  }
  if (conclusion.next_attempt) {
    room_.put(R"(,"nextAttemptAt":")");
    next_.clear();
    append_time(*conclusion.next_attempt, next_);
    room_.put(next_);
    room_.put('"');
  }
  if (conclusion.successor) {
    put_text(R"(,"supersededBy":")", cut(conclusion.successor->texts[Field::id], text_max));
  } else if (conclusion.superseded_by != Conclusion::no_index) {
    ensure(record_ != nullptr && conclusion.superseded_by < record_->conclusions.size());
    const Texts& newer = record_->conclusions[conclusion.superseded_by].delivery->texts;
    put_text(R"(,"supersededBy":")", cut(newer[Field::id], text_max));
  }
  const Texts& texts = conclusion.delivery->texts;
  if (!texts[Field::resend].empty()) {
    put_text(R"(,"resend":")", cut(texts[Field::resend], text_max));
  }
  room_.put(before_origin_);
  room_.put_number(static_cast<std::int32_t>(conclusion.delivery->position.partition));
  room_.put(R"(,"offset":)");
  room_.put_number(conclusion.delivery->position.offset);
  room_.put(closing_);
}

}  // namespace helsekontakter::results
