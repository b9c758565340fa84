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
  std::optional<int> status_first;  ///< 400, or 4xx as 400…499; 0: an entry without a status
  std::optional<int> status_last;   ///< absent: status_first alone
  std::optional<std::string> code;  ///< equal; "" matches an answer without a code
  std::optional<std::string> text;  ///< contained, ASCII case ignored
  Judgement judgement = Judgement::rejected;
  std::optional<Reason> reason;  ///< of rejected and halve, or of inactive; others have none
};

/// The rule table: the configured rules, then the defaults; the first match wins.
///
/// The defaults, in their order (design 8, contract/medlemstjenester 9):
///   1. status 401 or 403, or a code EHSEC-…            hold, whatever else the answer says
///   2. code 2118, or "ikke digitalt aktiv"             inactive
///   3. no status or 2xx, and no fault                  accepted
///   4. a text that says the organisation is unknown    retry: its offering is on the way
///   5. status 408, 429 or 5xx                          retry
///   6. code 2109, 2147, 2174, 102, 1111 or 1112        rejected
///   7. any other 4xx, or a 2xx with a fault            halve, alone rejected
///   8. a redirect                                      hold: the address is wrong
///   9. anything else                                   retry
class OutcomeRules {
 public:
  /// The defaults alone.
  OutcomeRules();
  /// Refuses rules that nothing can reach and overlapping ones that disagree, naming them by
  /// their number (from 1) and what to change. An exception may stand before the rule it is taken
  /// from (code 2118 before status 400); only where neither of two contains the other, and no
  /// earlier rule decides about both, would the order be a guess.
  [[nodiscard]] static Result<OutcomeRules> with(std::vector<OutcomeRule> configured);

  struct Match {
    Judgement judgement;
    Reason reason;  ///< none, not_digitally_active or refused_by_endpoint unless a rule says more
  };
  /// Judges one entry's part, or a refusal of the whole request; then it is about the request,
  /// and says something about a change only when that was alone in it.
  [[nodiscard]] Match judge(Lane lane, const EntryAnswer& answer) const;

 private:
  std::vector<OutcomeRule> rules_;
};

}  // namespace helsekontakter
