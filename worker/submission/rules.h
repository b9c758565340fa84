#pragma once

#include "worker/domain/result.h"
#include "worker/domain/verdict.h"
#include "worker/submission/outcome.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace helsekontakter {

/// What one entry's answer calls for.
enum class Judgement : std::uint8_t { accepted, inactive, rejected, retry, hold, halve };

/// One line of the table `outcome.rules`; an absent condition matches everything.
struct OutcomeRule {
  std::optional<Lane> lane;
  std::optional<int> status_first;  ///< 400, or 4xx as 400…499
  std::optional<int> status_last;
  std::optional<std::string> code;  ///< equal
  std::optional<std::string> text;  ///< contained, ASCII case ignored
  Judgement judgement = Judgement::rejected;
  std::optional<Reason> reason;
};

/// The rule table: the configured rules, then the defaults; the first match wins.
class OutcomeRules {
 public:
  /// The defaults alone.
  OutcomeRules();
  /// Refuses overlapping rules that disagree and rules that nothing can reach, naming them by
  /// their number (from 1).
  [[nodiscard]] static Result<OutcomeRules> with(std::vector<OutcomeRule> configured);

  struct Match {
    Judgement judgement;
    Reason reason;  ///< none, not_digitally_active or refused_by_endpoint unless a rule says more
  };
  [[nodiscard]] Match judge(Lane lane, const EntryAnswer& answer) const;

 private:
  std::vector<OutcomeRule> rules_;
};

}  // namespace helsekontakter
