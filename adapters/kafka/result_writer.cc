#include "adapters/kafka/result_writer.h"

#include "adapters/crypto/keyed_hash.h"
#include "worker/domain/ensure.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace helsekontakter::kafka {
namespace {

using Field = Texts::Field;

constexpr std::size_t reason_text_max = 256;
constexpr std::size_t fixed_bytes_max = 2048;  // names, numbers, times, batch
constexpr std::size_t escaped_bytes_max = 6;   // \u00xx

constexpr std::array<bool, 256> needs_escape = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = 0; c < 0x20; ++c) table[c] = true;
  table['"'] = table['\\'] = true;
  return table;
}();

void append_escaped(std::string_view text, std::string& out) {
  static constexpr char digits[] = "0123456789abcdef";
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (!needs_escape[c]) [[likely]] {
      continue;
    }
    out.append(text, plain, i - plain);
    plain = i + 1;
    if (c == '"' || c == '\\') {
      out += '\\';
      out += static_cast<char>(c);
    } else {
      out += "\\u00";
      out += digits[c >> 4];
      out += digits[c & 0xf];
    }
  }
  out.append(text, plain);
}

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

void append_text(std::string_view name, std::string_view text, std::string& out) {
  out += name;
  append_escaped(text, out);
  out += '"';
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
  std::string out;
  append_escaped(text, out);
  return out;
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
                            std::to_string(conclusion.attempt)});
  }
  return crypto::uuid_v5(result_namespace,
                         {texts[Field::source], texts[Field::id], texts[Field::resend]});
}

ResultWriter::ResultWriter(Options options)
    : opening_(R"({"specversion":"1.0","id":")"),
      before_time_(R"(","source":")" + escaped(options.source) +
                   R"(","type":"no.helsekontakter.result.v1",)" +
                   R"("datacontenttype":"application/json","time":")"),
      before_origin_(R"(,"origin":{"topic":")" + escaped(options.origin_topic) +
                     R"(","partition":)"),
      closing_(R"(},"environment":")" + escaped(options.environment) + R"("}})") {}

void ResultWriter::begin(const Record& record, WallTime now) {
  record_ = &record;
  batches_.clear();
  for (const BatchFacts& batch : record.batches) batches_.push_back(batch_text(batch));
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  if (time_.empty() || second != time_of_) {
    time_of_ = second;
    time_.clear();
    append_time(time_of_, time_);
  }
}

std::size_t ResultWriter::bytes_max(const Conclusion& conclusion, std::size_t text_max) const {
  const Texts& texts = conclusion.delivery->texts;
  std::size_t bytes = conclusion.endpoint_event_id.size();
  for (const Field field : {Field::id, Field::source, Field::type, Field::subject,
                            Field::traceparent, Field::tracestate, Field::resend}) {
    bytes += std::min(texts[field].size(), text_max);
  }
  bytes += std::min(texts[Field::subject].size(), text_max);  // it stands there twice
  if (conclusion.superseded_by != Conclusion::no_index) bytes += text_max;
  bytes += reason_text_max;
  return bytes * escaped_bytes_max + opening_.size() + before_time_.size() + before_origin_.size() +
         closing_.size() + fixed_bytes_max;
}

void ResultWriter::append(const Conclusion& conclusion, std::string& out,
                          std::size_t text_max) const {
  const Texts& texts = conclusion.delivery->texts;
  append_attributes(conclusion, out, text_max);
  append_event(texts, out, text_max);
  const auto* change = std::get_if<Change>(&conclusion.delivery->content);
  const auto* finding = std::get_if<Finding>(&conclusion.delivery->content);
  const auto organization = change    ? std::optional(change->organization)
                            : finding ? finding->organization
                                      : std::nullopt;
  const auto version = change    ? std::optional(change->version)
                       : finding ? finding->version
                                 : std::nullopt;
  if (organization) append_text(R"(,"organization":")", organization->digits(), out);
  if (version) {
    out += R"(,"version":)";
    append_number(*version, out);
  }
  append_text(R"(,"verdict":")", name(conclusion.verdict), out);
  out += is_terminal(conclusion.verdict) ? R"(,"terminal":true)" : R"(,"terminal":false)";
  append_reason(conclusion, out);
  out += R"(,"attempt":)";
  append_number(conclusion.attempt, out);
  if (conclusion.batch < batches_.size()) out += batches_[conclusion.batch];
  if (!conclusion.endpoint_event_id.empty()) {
    append_text(R"(,"endpointEventId":")", cut(conclusion.endpoint_event_id, text_max), out);
  }
  if (conclusion.superseded_by != Conclusion::no_index) {
    ensure(record_ != nullptr && conclusion.superseded_by < record_->conclusions.size());
    const Texts& newer = record_->conclusions[conclusion.superseded_by].delivery->texts;
    append_text(R"(,"supersededBy":")", cut(newer[Field::id], text_max), out);
  }
  if (!texts[Field::resend].empty()) {
    append_text(R"(,"resend":")", cut(texts[Field::resend], text_max), out);
  }
  out += before_origin_;
  append_number(static_cast<std::int32_t>(conclusion.delivery->position.partition), out);
  out += R"(,"offset":)";
  append_number(conclusion.delivery->position.offset, out);
  out += closing_;
}

void ResultWriter::append_attributes(const Conclusion& conclusion, std::string& out,
                                     std::size_t text_max) const {
  const Texts& texts = conclusion.delivery->texts;
  out += opening_;
  result_id(conclusion).append_to(out);
  out += before_time_;
  out += time_;
  out += '"';
  if (!texts[Field::subject].empty()) {
    append_text(R"(,"subject":")", cut(texts[Field::subject], text_max), out);
  }
  if (!texts[Field::traceparent].empty()) {
    append_text(R"(,"traceparent":")", cut(texts[Field::traceparent], text_max), out);
  }
  if (!texts[Field::tracestate].empty()) {
    append_text(R"(,"tracestate":")", cut(texts[Field::tracestate], text_max), out);
  }
}

void ResultWriter::append_event(const Texts& texts, std::string& out, std::size_t text_max) const {
  append_text(R"(,"data":{"event":{"id":")", cut(texts[Field::id], text_max), out);
  append_text(R"(,"source":")", cut(texts[Field::source], text_max), out);
  append_text(R"(,"type":")", cut(texts[Field::type], text_max), out);
  if (!texts[Field::subject].empty()) {
    append_text(R"(,"subject":")", cut(texts[Field::subject], text_max), out);
  }
  out += '}';
}

void ResultWriter::append_reason(const Conclusion& conclusion, std::string& out) const {
  Action action = Action::none;
  if (conclusion.reason != Reason::none) {
    const ReasonEntry& entry = entry_of(conclusion.reason);
    action = entry.action;
    out += R"(,"reason":{"code":")";
    out += entry.code;
    out += R"(","text":")";
    const std::string_view detail = conclusion.delivery->texts[Field::detail];
    if (!conclusion.endpoint_code.empty() || !conclusion.text.empty()) {
      const std::string_view code = cut(conclusion.endpoint_code, reason_text_max / 4);
      append_escaped(code, out);
      if (!code.empty() && !conclusion.text.empty()) out += ": ";
      append_escaped(cut(conclusion.text, reason_text_max - code.size() - 2), out);
    } else {
      append_escaped(entry.text, out);
      if (!detail.empty()) {
        out += " (";
        append_escaped(
            cut(detail, reason_text_max - std::min(entry.text.size() + 3, reason_text_max)), out);
        out += ')';
      }
    }
    out += R"("})";
  }
  append_text(R"(,"action":")", name(action), out);
}

}  // namespace helsekontakter::kafka
