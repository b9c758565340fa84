#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace helsekontakter {

/// A Norwegian organisation number whose check digit is right (weights 3 2 7 6 5 4 3 2, mod 11).
/// Not a secret; may be printed.
class OrganizationNumber {
 public:
  /// Accepts nine digits, with or without spaces between them ("948 554 062"). Does not demand a
  /// first digit of 8 or 9: synthetic numbers differ. Source: contract/medlemstjenester 11.
  [[nodiscard]] static std::optional<OrganizationNumber> parse(std::string_view text);

  /// Nine digits, no spaces.
  [[nodiscard]] std::string digits() const;
  [[nodiscard]] std::uint32_t number() const { return number_; }

  friend bool operator==(OrganizationNumber, OrganizationNumber) = default;
  friend auto operator<=>(OrganizationNumber, OrganizationNumber) = default;

 private:
  explicit OrganizationNumber(std::uint32_t number) : number_(number) {}
  std::uint32_t number_;
};

}  // namespace helsekontakter

template <>
struct std::hash<helsekontakter::OrganizationNumber> {
  std::size_t operator()(helsekontakter::OrganizationNumber organization) const noexcept {
    return organization.number() * std::size_t{0x9E3779B97F4A7C15};
  }
};
