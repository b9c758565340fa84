#include "worker/domain/organization_number.h"

#include <array>

namespace helsekontakter {

std::optional<OrganizationNumber> OrganizationNumber::parse(std::string_view text) {
  static constexpr std::array<std::uint32_t, 8> weights{3, 2, 7, 6, 5, 4, 3, 2};
  std::uint32_t number = 0;
  std::uint32_t sum = 0;
  std::size_t digits = 0;
  for (const char c : text) {
    if (c == ' ') continue;
    if (c < '0' || c > '9' || digits == 9) return std::nullopt;
    const auto digit = static_cast<std::uint32_t>(c - '0');
    if (digits < 8) sum += weights[digits] * digit;
    number = number * 10 + digit;
    ++digits;
  }
  if (digits != 9) return std::nullopt;
  const std::uint32_t check = (11 - sum % 11) % 11;
  if (check == 10 || check != number % 10) return std::nullopt;
  return OrganizationNumber(number);
}

std::string OrganizationNumber::digits() const {
  std::string text(9, '0');
  std::uint32_t rest = number_;
  for (std::size_t i = 9; i-- > 0; rest /= 10) text[i] = static_cast<char>('0' + rest % 10);
  return text;
}

}  // namespace helsekontakter
