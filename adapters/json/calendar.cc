#include "adapters/json/calendar.h"

#include <algorithm>

namespace helsekontakter::json {
namespace {

/// The value of `digits` digits at `at`, which the text is long enough for; -1 where there are
/// others.
template <std::size_t digits>
int number(std::string_view text, std::size_t at) {
  unsigned value = 0;
  unsigned highest = 0;
  for (std::size_t i = at; i < at + digits; ++i) {
    const unsigned digit = static_cast<unsigned char>(text[i]) - unsigned{'0'};
    highest = std::max(highest, digit);  // below '0' it wraps round
    value = value * 10 + digit;
  }
  return highest > 9 ? -1 : static_cast<int>(value);
}

/// Takes ".digits" off the front; absent: zero.
std::optional<std::chrono::microseconds> take_fraction(std::string_view& text) {
  if (text.empty() || text.front() != '.') return std::chrono::microseconds{0};
  std::int64_t value = 0;
  std::size_t digits = 0;
  for (text.remove_prefix(1); !text.empty() && text.front() >= '0' && text.front() <= '9';
       text.remove_prefix(1)) {
    if (digits < 6) value = value * 10 + (text.front() - '0');
    ++digits;
  }
  if (digits == 0) return std::nullopt;
  for (; digits < 6; ++digits) value *= 10;
  return std::chrono::microseconds{value};
}

/// Reads "Z" or "+hh:mm"; nothing else may follow.
std::optional<std::chrono::minutes> read_zone(std::string_view text) {
  if (text == "Z" || text == "z") return std::chrono::minutes{0};
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') {
    return std::nullopt;
  }
  const int hours = number<2>(text, 1);
  const int minutes = number<2>(text, 4);
  if (hours < 0 || minutes < 0 || hours > 23 || minutes > 59) return std::nullopt;
  const std::chrono::minutes offset{hours * 60 + minutes};
  return text[0] == '-' ? -offset : offset;
}

}  // namespace

std::optional<std::chrono::sys_days> parse_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const int year = number<4>(text, 0);
  const int month = number<2>(text, 5);
  const int day = number<2>(text, 8);
  if (year <= 0 || month < 0 || day < 0) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date};
}

std::optional<Microseconds> parse_time(std::string_view text) {
  // 2026-01-31T12:00:00 is the least; RFC 3339 allows a small t and a space too.
  if (text.size() < 20 || text[13] != ':' || text[16] != ':') return std::nullopt;
  if (text[10] != 'T' && text[10] != 't' && text[10] != ' ') return std::nullopt;
  const auto date = parse_date(text.substr(0, 10));
  const int hour = number<2>(text, 11);
  const int minute = number<2>(text, 14);
  const int second = number<2>(text, 17);
  if (!date || hour < 0 || minute < 0 || second < 0) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 60) return std::nullopt;
  std::string_view rest = text.substr(19);
  const auto fraction = take_fraction(rest);
  const auto zone = read_zone(rest);
  if (!fraction || !zone) return std::nullopt;
  const bool leap = second == 60;
  const auto whole = std::chrono::seconds{leap ? 59 : second};
  return *date + std::chrono::hours{hour} + std::chrono::minutes{minute} + whole +
         (leap ? std::chrono::microseconds{999'999} : *fraction) - *zone;
}

std::optional<std::array<char, 10>> date_text(std::chrono::sys_days date) {
  const std::chrono::year_month_day parts{date};
  const int year = int{parts.year()};
  if (year < 1 || year > 9999) return std::nullopt;
  std::array<char, 10> text{};
  text.fill('-');
  const auto write = [&text](std::size_t at, std::size_t digits, unsigned value) {
    for (std::size_t i = at + digits; i-- > at; value /= 10) {
      text[i] = static_cast<char>('0' + value % 10);
    }
  };
  write(0, 4, static_cast<unsigned>(year));
  write(5, 2, unsigned{parts.month()});
  write(8, 2, unsigned{parts.day()});
  return text;
}

std::string time_text(WallTime time) {
  const auto padded = [](long long number, std::size_t digits) {
    std::string text = std::to_string(number);
    if (text.size() < digits) text.insert(0, digits - text.size(), '0');
    return text;
  };
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return padded(static_cast<int>(date.year()), 4) + "-" +
         padded(static_cast<unsigned>(date.month()), 2) + "-" +
         padded(static_cast<unsigned>(date.day()), 2) + "T" + padded(clock.hours().count(), 2) +
         ":" + padded(clock.minutes().count(), 2) + ":" + padded(clock.seconds().count(), 2) + "." +
         padded(clock.subseconds().count(), 3) + "Z";
}

}  // namespace helsekontakter::json
