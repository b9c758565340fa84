#pragma once

#include <cstdint>
#include <string>
#include <vector>

// Who is fed: synthetic people and organisations, the same in every run.

namespace helsekontakter::feed {

inline constexpr std::size_t organizations_max = 100;
inline constexpr std::size_t members_max = 5'000'000;

/// The first `count` of a fixed row of organisation numbers with right check digits.
[[nodiscard]] std::vector<std::string> organization_numbers(std::size_t count);

/// Distinct identity numbers in Tenor's form (month + 80) with right check digits, one after the
/// other: 1.8 million for each hundred of the first individual number, from 1940 to 1999.
class IdentityNumbers {
 public:
  /// Eleven digits.
  [[nodiscard]] std::string next();

  /// The number with its last digit made wrong.
  [[nodiscard]] static std::string with_wrong_check_digit(std::string number);

 private:
  std::int32_t day_ = 0;         ///< days since 1940-01-01
  std::int32_t individual_ = 0;  ///< three digits
};

/// Random bits made from what they stand for: the same question gets the same answer.
[[nodiscard]] std::uint64_t mixed(std::uint64_t seed, std::uint64_t number, std::uint64_t purpose);

/// A UUID (version 4 in form) made the same way.
[[nodiscard]] std::string uuid_of(std::uint64_t seed, std::uint64_t number, std::uint64_t purpose);

/// A chance of `share`, made the same way.
[[nodiscard]] bool falls_within(double share, std::uint64_t seed, std::uint64_t number,
                                std::uint64_t purpose);

}  // namespace helsekontakter::feed
