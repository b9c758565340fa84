#pragma once

#include "tests/simulator/bundle.h"
#include "tests/simulator/config.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace helsekontakter::simulator {

/// What becomes of one entry.
enum class Fate : std::uint8_t { accepted, inactive, invalid, organization_unknown };

/// Code and text that Helsenorge's sibling services give for a refused entry.
struct Explanation {
  std::string_view code;
  std::string_view text;
};
[[nodiscard]] Explanation explain(Fate fate);

/// An OperationOutcome with one issue of severity error.
[[nodiscard]] std::string operation_outcome(std::string_view code, std::string_view text);

/// The answer to members, a fate for each in order, in one of the tolerated shapes
/// (contract/medlemstjenester 9). `omit_last` makes it lack an entry.
[[nodiscard]] std::string answer_members(AnswerShape shape, const Bundle& bundle,
                                         const std::vector<Fate>& fates, bool omit_last);
[[nodiscard]] std::string answer_offerings(AnswerShape shape, const Bundle& bundle, bool omit_last);

}  // namespace helsekontakter::simulator
