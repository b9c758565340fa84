#include "worker/domain/national_id.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace helsekontakter {
namespace {

constexpr std::size_t digits_count = 11;

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

int digit(std::string_view text, std::size_t at) {
  return text[at] - '0';
}

int two_digits(std::string_view text, std::size_t at) {
  return digit(text, at) * 10 + digit(text, at + 1);
}

/// The issuer that the month's offset tells, with the month of the calendar; nothing when no
/// issuer uses that month.
std::optional<std::pair<NationalIdOrigin, int>> origin_and_month(int month) {
  using enum NationalIdOrigin;
  for (const auto& [origin, offset] :
       {std::pair{real, 0}, std::pair{tenor, 80}, std::pair{syntpop, 65}, std::pair{dolly, 40}}) {
    if (month > offset && month <= offset + 12) return std::pair{origin, month - offset};
  }
  return std::nullopt;
}

/// The number tells no century, so every fourth year has a 29 February, 1900 and 2100 included.
int days_of(int month, int two_digit_year) {
  static constexpr std::array<int, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month == 2 && two_digit_year % 4 == 0) return 29;
  return days[static_cast<std::size_t>(month - 1)];
}

std::optional<NationalIdOrigin> origin_by_date(std::string_view digits) {
  int day = two_digits(digits, 0);
  if (day > 40) day -= 40;  // D-number; 81 and up (FH numbers) stay out of the calendar
  const auto found = origin_and_month(two_digits(digits, 2));
  if (!found || day < 1 || day > days_of(found->second, two_digits(digits, 4))) {
    return std::nullopt;
  }
  return found->first;
}

bool check_digits_hold(std::string_view digits, bool rule_2032) {
  static constexpr std::array<int, 10> first{3, 7, 6, 1, 8, 9, 4, 5, 2, 1};
  static constexpr std::array<int, 11> second{5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1};
  int first_sum = 0;
  int second_sum = 0;
  for (std::size_t i = 0; i < digits_count; ++i) {
    if (i < first.size()) first_sum += first[i] * digit(digits, i);
    second_sum += second[i] * digit(digits, i);
  }
  return first_sum % 11 <= (rule_2032 ? 3 : 0) && second_sum % 11 == 0;
}

/// Latin letters beyond ASCII (U+00C0 to U+024F, without the signs × and ÷): the two bytes of their
/// UTF-8 form. A neighbour of any other script does not hide a number.
bool is_latin_letter(char lead, char trail) {
  const auto first = static_cast<unsigned char>(lead);
  const auto second = static_cast<unsigned char>(trail);
  if (first < 0xC3 || first > 0xC9 || second < 0x80 || second > 0xBF) return false;
  return first != 0xC3 || (second != 0x97 && second != 0xB7);
}

bool letter_before(std::string_view text, std::size_t at) {
  if (at == 0) return false;
  return is_letter(text[at - 1]) || (at > 1 && is_latin_letter(text[at - 2], text[at - 1]));
}

bool letter_at(std::string_view text, std::size_t at) {
  if (at >= text.size()) return false;
  return is_letter(text[at]) || (at + 1 < text.size() && is_latin_letter(text[at], text[at + 1]));
}

/// The next number at or after `from`, or npos. A run of eleven digits covers each eleventh
/// place, so only those are looked at until one of them is a digit.
std::size_t find_national_id(std::string_view text, std::size_t from) {
  std::size_t floor = from;
  for (std::size_t at = from + digits_count - 1; at < text.size();) {
    if (!is_digit(text[at])) {
      floor = at + 1;
      at += digits_count;
      continue;
    }
    std::size_t begin = at;
    while (begin > floor && is_digit(text[begin - 1])) --begin;
    std::size_t end = at + 1;
    while (end < text.size() && is_digit(text[end])) ++end;
    const std::string_view run = text.substr(begin, end - begin);
    if (run.size() == digits_count && !letter_before(text, begin) && !letter_at(text, end) &&
        origin_by_date(run) && check_digits_hold(run, true)) {
      return begin;
    }
    floor = end;
    at = end + digits_count;
  }
  return std::string_view::npos;
}

}  // namespace

std::variant<NationalId, NationalIdFault> NationalId::parse(std::string_view text, Rules rules) {
  if (text.size() != digits_count || !std::all_of(text.begin(), text.end(), is_digit)) {
    return NationalIdFault::not_eleven_digits;
  }
  const auto origin = origin_by_date(text);
  if (!origin) return NationalIdFault::date;
  if (!check_digits_hold(text, rules.rule_2032)) return NationalIdFault::check_digit;
  NationalId id;
  std::copy(text.begin(), text.end(), id.digits_.begin());
  id.origin_ = *origin;
  return id;
}

bool contains_national_id(std::string_view text) {
  return find_national_id(text, 0) != std::string_view::npos;
}

std::string scrub_national_ids(std::string text) {
  std::size_t at = 0;
  while ((at = find_national_id(text, at)) != std::string_view::npos) {
    text.replace(at, digits_count, digits_count, '*');
    at += digits_count;
  }
  return text;
}

}  // namespace helsekontakter
