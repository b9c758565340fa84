#pragma once

#include "adapters/telemetry/settings.h"
#include "worker/domain/national_id.h"
#include "worker/domain/organization_number.h"
#include "worker/domain/time.h"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

namespace helsekontakter::telemetry {

/// One value of a log line. Made from numbers, flags, texts and organisation numbers only: a
/// NationalId, or anything else that a person could be in, does not convert.
class FieldValue {
 public:
  FieldValue(std::string_view text) : value_(text) {}
  FieldValue(const std::string& text) : value_(std::string_view(text)) {}
  FieldValue(const char* text) : value_(std::string_view(text)) {}
  FieldValue(bool flag) : value_(flag) {}
  FieldValue(double number) : value_(number) {}
  template <std::signed_integral Number>
  FieldValue(Number number) : value_(static_cast<std::int64_t>(number)) {}
  template <std::unsigned_integral Number>
  requires(!std::same_as<Number, bool>) FieldValue(Number number)
      : value_(static_cast<std::uint64_t>(number)) {}
  /// In seconds.
  FieldValue(Milliseconds duration) : value_(static_cast<double>(duration.count()) / 1000) {}
  FieldValue(OrganizationNumber organization) : value_(organization) {}
  FieldValue(const NationalId&) = delete;

  using Variant =
      std::variant<std::string_view, bool, double, std::int64_t, std::uint64_t, OrganizationNumber>;
  [[nodiscard]] const Variant& value() const { return value_; }

 private:
  Variant value_;  ///< texts are views: a field lives as long as the call
};

struct Field {
  std::string_view name;
  FieldValue value;
};

using Fields = std::initializer_list<Field>;

/// Where finished lines go; one call for each, without its line break. Must not throw.
using Sink = std::function<void(std::string_view line)>;

/// Structured log: one JSON object a line, {time, level, event, fields…}, or a line for people.
/// Any thread may write. Every text passes scrub_national_ids as a last line of defence, and is
/// cut at 2000 bytes. An event that repeats more than `burst` times within a minute is left out
/// until the minute is over; its next line then carries `suppressed`. Events are short fixed
/// sentences, so their number is bounded; the 257th and later ones are not limited.
class Log {
 public:
  using Clock = std::function<std::chrono::system_clock::time_point()>;
  static constexpr std::uint32_t burst = 20;

  /// To standard error, by spdlog.
  explicit Log(LogSettings settings);
  Log(LogSettings settings, Sink sink, Clock clock);

  void debug(std::string_view event, Fields fields = {}) { write(Level::debug, event, fields); }
  void info(std::string_view event, Fields fields = {}) { write(Level::info, event, fields); }
  void warn(std::string_view event, Fields fields = {}) { write(Level::warn, event, fields); }
  void error(std::string_view event, Fields fields = {}) { write(Level::error, event, fields); }

  [[nodiscard]] bool is_written(Level level) const { return level >= settings_.level; }

 private:
  /// How often one event was written in the present minute.
  struct Repetition {
    std::chrono::system_clock::time_point since{};
    std::uint32_t written = 0;
    std::uint64_t suppressed = 0;
  };

  void write(Level level, std::string_view event, Fields fields);
  /// How many lines of this event were left out before this one, or nullopt: leave it out too.
  [[nodiscard]] std::optional<std::uint64_t> admit(std::string_view event,
                                                   std::chrono::system_clock::time_point now);

  const LogSettings settings_;
  const Sink sink_;
  const Clock clock_;
  std::mutex mutex_;
  std::unordered_map<std::string, Repetition> repetitions_;
};

[[nodiscard]] std::string_view name(Level level);

}  // namespace helsekontakter::telemetry
