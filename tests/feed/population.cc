#include "tests/feed/population.h"

#include "tests/feed/padded.h"

#include <array>
#include <chrono>
#include <optional>

namespace helsekontakter::feed {
namespace {

using std::chrono::day;
using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year;
using std::chrono::year_month_day;

constexpr sys_days first_day = year{1940} / 1 / 1;
constexpr sys_days end_day = year{2000} / 1 / 1;
constexpr unsigned tenor_offset = 80;

/// The digit that makes the weighted sum a multiple of eleven, or nothing where there is none.
template <std::size_t length>
std::optional<char> check_digit(const std::string& number,
                                const std::array<unsigned, length>& weights) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < length; ++i) {
    sum += weights[i] * static_cast<unsigned>(number[i] - '0');
  }
  const unsigned digit = (11 - sum % 11) % 11;
  if (digit == 10) return std::nullopt;
  return static_cast<char>('0' + digit);
}

bool complete(std::string& number) {
  static constexpr std::array<unsigned, 9> first{3, 7, 6, 1, 8, 9, 4, 5, 2};
  static constexpr std::array<unsigned, 10> second{5, 4, 3, 2, 7, 6, 5, 4, 3, 2};
  const auto one = check_digit(number, first);
  if (!one) return false;
  number += *one;
  const auto two = check_digit(number, second);
  if (!two) return false;
  number += *two;
  return true;
}

}  // namespace

std::vector<std::string> organization_numbers(std::size_t count) {
  static constexpr std::array<unsigned, 8> weights{3, 2, 7, 6, 5, 4, 3, 2};
  std::vector<std::string> numbers;
  for (unsigned base = 31'000'001; numbers.size() < count; base += 7919) {
    std::string number = "9";
    append_padded(number, base % 10'000'000, 1'000'000);
    if (const auto digit = check_digit(number, weights)) numbers.push_back(number + *digit);
  }
  return numbers;
}

std::string IdentityNumbers::next() {
  for (;;) {
    const year_month_day date{first_day + days(day_)};
    std::string number;
    number.reserve(11);
    append_padded(number, static_cast<unsigned>(date.day()), 10);
    append_padded(number, static_cast<unsigned>(date.month()) + tenor_offset, 10);
    append_padded(number, static_cast<unsigned>(static_cast<int>(date.year()) % 100), 10);
    append_padded(number, static_cast<unsigned>(individual_), 100);
    if (first_day + days(++day_) == end_day) {
      day_ = 0;
      ++individual_;
    }
    if (complete(number)) return number;
  }
}

std::string IdentityNumbers::with_wrong_check_digit(std::string number) {
  // One more is wrong, and two more would be the next digit the endpoint's newer rule might allow.
  number.back() = number.back() == '9' ? '0' : static_cast<char>(number.back() + 1);
  return number;
}

std::uint64_t mixed(std::uint64_t seed, std::uint64_t number, std::uint64_t purpose) {
  std::uint64_t z = seed * 0x9e3779b97f4a7c15 + number * 0xd1342543de82ef95 + purpose;
  for (int round = 0; round < 2; ++round) {
    z += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
  }
  return z;
}

std::string uuid_of(std::uint64_t seed, std::uint64_t number, std::uint64_t purpose) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(36);
  for (const std::uint64_t half :
       {(mixed(seed, number, 2 * purpose) & ~std::uint64_t{0xf000}) | 0x4000,
        (mixed(seed, number, 2 * purpose + 1) & ~(std::uint64_t{0xc} << 60)) |
            (std::uint64_t{8} << 60)}) {
    for (int shift = 60; shift >= 0; shift -= 4) {
      if (out.size() == 8 || out.size() == 13 || out.size() == 18 || out.size() == 23) out += '-';
      out += digits[(half >> shift) & 0xf];
    }
  }
  return out;
}

bool falls_within(double share, std::uint64_t seed, std::uint64_t number, std::uint64_t purpose) {
  return static_cast<double>(mixed(seed, number, purpose) >> 11) * 0x1p-53 < share;
}

}  // namespace helsekontakter::feed
