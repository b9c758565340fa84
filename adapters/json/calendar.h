#pragma once

#include "worker/domain/time.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace helsekontakter::json {

using Microseconds = std::chrono::sys_time<std::chrono::microseconds>;

/// Reads YYYY-MM-DD (years 0001 to 9999) that stands in the calendar; nothing else is a date.
[[nodiscard]] std::optional<std::chrono::sys_days> parse_date(std::string_view text);

/// Reads an RFC 3339 time with its offset. Digits beyond microseconds are cut off; a leap second
/// counts as the last microsecond of its minute, so that order stays right.
[[nodiscard]] std::optional<Microseconds> parse_time(std::string_view text);

/// YYYY-MM-DD in ten characters; nothing for a year beyond 9999.
[[nodiscard]] std::optional<std::array<char, 10>> date_text(std::chrono::sys_days date);

/// RFC 3339, UTC, with milliseconds: what parse_time() reads back.
[[nodiscard]] std::string time_text(WallTime time);

}  // namespace helsekontakter::json
