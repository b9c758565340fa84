#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace helsekontakter {

/// Why eleven characters are no acceptable national identity number.
enum class NationalIdFault {
  not_eleven_digits,
  date,         ///< day and month (after the known offsets) are no date of the calendar
  check_digit,  ///< neither today's rule nor the rule of 2032 (where it is on) holds
};

/// Who could have issued the number: the month's offset tells.
enum class NationalIdOrigin {
  real,
  tenor,    ///< month + 80, Skatteetaten's synthetic population
  syntpop,  ///< month + 65, NHN's
  dolly,    ///< month + 40, NAV's; also the form of an H-number
};

/// A fødselsnummer or D-number that passed the rules. It does not print: no operator<<, no
/// formatter. reveal() is for request bodies and matching only.
/// Rules: contract/medlemstjenester 11.
class NationalId {
 public:
  struct Rules {
    bool rule_2032 = true;  ///< also accept the first check digit's rest 1, 2 or 3
  };

  [[nodiscard]] static std::variant<NationalId, NationalIdFault> parse(std::string_view text,
                                                                       Rules rules);

  /// Eleven digits.
  [[nodiscard]] std::string_view reveal() const { return {digits_.data(), digits_.size()}; }
  [[nodiscard]] bool is_d_number() const { return digits_[0] >= '4'; }
  [[nodiscard]] NationalIdOrigin origin() const { return origin_; }
  [[nodiscard]] bool is_synthetic() const { return origin_ != NationalIdOrigin::real; }

 private:
  std::array<char, 11> digits_{};
  NationalIdOrigin origin_ = NationalIdOrigin::real;
};

/// True when the text holds a run of exactly 11 digits, not adjoining a letter or digit, whose date
/// and check digits are valid. For keys, ids, sources, subjects.
[[nodiscard]] bool contains_national_id(std::string_view text);

/// Replaces every such run by eleven asterisks. For text that came from outside and will be shown.
[[nodiscard]] std::string scrub_national_ids(std::string text);

}  // namespace helsekontakter
