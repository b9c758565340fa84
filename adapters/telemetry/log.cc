#include "adapters/telemetry/log.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace helsekontakter::telemetry {
namespace {

constexpr std::size_t text_bytes_max = 2000;
constexpr std::size_t events_max = 256;
constexpr std::chrono::minutes window{1};

using Time = std::chrono::system_clock::time_point;

std::string time_text(Time time) {
  const auto since = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(since).count();
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  const int milliseconds = static_cast<int>(since.count() - seconds * 1000);
  std::snprintf(text.data() + length, text.size() - length, ".%03dZ", milliseconds);
  return text.data();
}

template <class Number>
std::string number_text(Number number) {
  std::array<char, 32> text{};
  const auto [end, failed] = std::to_chars(text.data(), text.data() + text.size(), number);
  return failed == std::errc{} ? std::string(text.data(), end) : std::string("0");
}

/// Cut, without identity numbers. Cutting comes last: half a number must not be what is left of
/// a whole one.
std::string safe(std::string_view text) {
  std::string out = scrub_national_ids(std::string(text));
  if (out.size() > text_bytes_max) {
    std::size_t end = text_bytes_max;
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0) == 0x80) --end;
    out.resize(end);
  }
  return out;
}

/// Bytes of the UTF-8 character at the start of the text; 0: it is none.
std::size_t character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t count) {
    if (text.size() <= count) return false;
    for (std::size_t i = 1; i <= count; ++i) {
      if ((byte(i) & 0xc0) != 0x80) return false;
    }
    return true;
  };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf && continues(1)) return 2;
  if ((first & 0xf0) == 0xe0 && continues(2)) {
    const bool overlong = first == 0xe0 && byte(1) < 0xa0;
    const bool surrogate = first == 0xed && byte(1) > 0x9f;
    return overlong || surrogate ? 0 : 3;
  }
  if (first >= 0xf0 && first <= 0xf4 && continues(3)) {
    const bool overlong = first == 0xf0 && byte(1) < 0x90;
    const bool too_high = first == 0xf4 && byte(1) > 0x8f;
    return overlong || too_high ? 0 : 4;
  }
  return 0;
}

/// A JSON string, whatever bytes came in: other parties' texts reach the log.
void append_json(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t bytes = character_bytes(text);
    const char c = text.front();
    if (bytes == 0) {
      out += "\xef\xbf\xbd";
    } else if (bytes > 1) {
      out += text.substr(0, bytes);
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      std::array<char, 8> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\u%04x", static_cast<unsigned>(c));
      out += escaped.data();
    } else {
      out += c;
    }
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  out += '"';
}

struct JsonOf {
  std::string& out;
  void operator()(std::string_view text) const { append_json(out, safe(text)); }
  void operator()(bool flag) const { out += flag ? "true" : "false"; }
  void operator()(double number) const {
    out += std::isfinite(number) ? number_text(number) : std::string("null");
  }
  void operator()(std::int64_t number) const { out += number_text(number); }
  void operator()(std::uint64_t number) const { out += number_text(number); }
  void operator()(OrganizationNumber number) const { append_json(out, number.digits()); }
};

std::string json_line(Time now, Level level, std::string_view event, Fields fields,
                      std::uint64_t suppressed) {
  std::string out = "{\"time\":\"" + time_text(now) + "\",\"level\":\"" + std::string(name(level)) +
                    "\",\"event\":";
  append_json(out, safe(event));
  for (const Field& field : fields) {
    out += ',';
    append_json(out, field.name);
    out += ':';
    std::visit(JsonOf{out}, field.value.value());
  }
  if (suppressed > 0) out += ",\"suppressed\":" + number_text(suppressed);
  return out + '}';
}

std::string text_line(Time now, Level level, std::string_view event, Fields fields,
                      std::uint64_t suppressed) {
  std::string out = time_text(now) + " " + std::string(name(level));
  out.resize(out.size() + 6 - name(level).size(), ' ');
  std::string body = safe(event);
  for (char& c : body) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  out += body;
  for (const Field& field : fields) {
    out += "  ";
    out += field.name;
    out += '=';
    std::visit(JsonOf{out}, field.value.value());
  }
  if (suppressed > 0) out += "  suppressed=" + number_text(suppressed);
  return out;
}

/// spdlog writes whole lines under one lock and swallows what standard error refuses.
Sink standard_error() {
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  auto logger = std::make_shared<spdlog::logger>("helsekontakter", std::move(sink));
  logger->set_pattern("%v");
  logger->set_level(spdlog::level::trace);
  return [logger](std::string_view line) {
    logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
  };
}

}  // namespace

std::string_view name(Level level) {
  static constexpr std::array<std::string_view, 4> names{"debug", "info", "warn", "error"};
  return names.at(static_cast<std::size_t>(level));
}

Log::Log(LogSettings settings)
    : Log(settings, standard_error(), [] { return std::chrono::system_clock::now(); }) {}

Log::Log(LogSettings settings, Sink sink, Clock clock)
    : settings_(settings), sink_(std::move(sink)), clock_(std::move(clock)) {}

std::optional<std::uint64_t> Log::admit(std::string_view event, Time now) {
  const std::lock_guard lock(mutex_);
  auto found = repetitions_.find(std::string(event));
  if (found == repetitions_.end()) {
    if (repetitions_.size() >= events_max) return 0;
    found = repetitions_.emplace(event, Repetition{.since = now}).first;
  }
  Repetition& repetition = found->second;
  // A clock that was set back starts a new minute too.
  if (now - repetition.since >= window || now < repetition.since) {
    const std::uint64_t suppressed = repetition.suppressed;
    repetition = {.since = now, .written = 1, .suppressed = 0};
    return suppressed;
  }
  if (repetition.written >= burst) {
    ++repetition.suppressed;
    return std::nullopt;
  }
  ++repetition.written;
  return 0;
}

void Log::write(Level level, std::string_view event, Fields fields) {
  if (!is_written(level)) return;
  const Time now = clock_();
  const std::optional<std::uint64_t> suppressed = admit(event, now);
  if (!suppressed) return;
  sink_(settings_.format == Format::json ? json_line(now, level, event, fields, *suppressed)
                                         : text_line(now, level, event, fields, *suppressed));
}

}  // namespace helsekontakter::telemetry
