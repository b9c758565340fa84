#include "tests/simulator/bundle.h"

#include <array>
#include <chrono>

namespace helsekontakter::simulator {
namespace {

/// Value of `count` digits, or nothing.
std::optional<int> digits(std::string_view text) {
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

void append_padded(std::string& out, unsigned value, int width) {
  for (unsigned unit = width == 4 ? 1'000 : 10; unit > 0; unit /= 10) {
    out += static_cast<char>('0' + value / unit % 10);
  }
}

}  // namespace

std::optional<std::int32_t> read_date(std::string_view text) {
  using namespace std::chrono;
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto y = digits(text.substr(0, 4));
  const auto m = digits(text.substr(5, 2));
  const auto d = digits(text.substr(8, 2));
  if (!y || !m || !d) return std::nullopt;
  const year_month_day date{year(*y), month(static_cast<unsigned>(*m)),
                            std::chrono::day(static_cast<unsigned>(*d))};
  if (!date.ok()) return std::nullopt;
  return static_cast<std::int32_t>(sys_days(date).time_since_epoch().count());
}

void append_date(std::string& out, std::int32_t days_since) {
  using namespace std::chrono;
  const year_month_day date{sys_days(days(days_since))};
  append_padded(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  out += '-';
  append_padded(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  append_padded(out, static_cast<unsigned>(date.day()), 2);
}

bool has_right_check_digits(std::string_view number) {
  static constexpr std::array<int, 10> first{3, 7, 6, 1, 8, 9, 4, 5, 2, 1};
  static constexpr std::array<int, 11> second{5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1};
  int sum_first = 0;
  int sum_second = 0;
  for (std::size_t i = 0; i < number.size(); ++i) {
    const int digit = number[i] - '0';
    if (i < first.size()) sum_first += first[i] * digit;
    if (i < second.size()) sum_second += second[i] * digit;
  }
  return sum_first % 11 <= 3 && sum_second % 11 == 0;
}

}  // namespace helsekontakter::simulator
