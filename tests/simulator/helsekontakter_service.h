#pragma once

#include "tests/simulator/answers.h"
#include "tests/simulator/bundle.h"
#include "tests/simulator/config.h"
#include "tests/simulator/faults.h"
#include "tests/simulator/http.h"
#include "tests/simulator/journal.h"
#include "tests/simulator/log.h"
#include "tests/simulator/statistics.h"
#include "tests/simulator/tokens.h"

#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace helsekontakter::simulator {

/// A well-formed request that waits for its turn: how it will end is drawn already.
struct Pending {
  Bundle bundle;
  Ending ending = Ending::answer;
  Millis latency{};
  Millis settle{};  ///< cut_late: how long after the cut it is applied
  std::uint64_t request = 0;
  std::vector<Member*> members;  ///< of the bundle's entries, in their order
};

/// Helsekontakter and the status API. Checks whatever is sent as strictly as contract/ allows and
/// counts every refusal under "api.refused.<reason>". A request is admitted when it has arrived and
/// finished when its latency is over; only then is it applied. Single thread; time is given.
class HelsekontakterService {
 public:
  HelsekontakterService(const Behaviour& behaviour, const Grants& grants, Dice& dice,
                        Statistics& statistics, Journal& journal, const MemberHash& hash, Log log);

  /// A refusal, or a request to be finished later. Takes the body.
  [[nodiscard]] std::variant<Reply, std::unique_ptr<Pending>> admit(HttpRequest& request, Time now);

  /// The connection of a cut_late request is closed; it is applied by finish() afterwards.
  void part(Pending& pending);

  /// Applies the request, unless its ending says otherwise, and answers.
  [[nodiscard]] Reply finish(Pending& pending);

  /// A member that an earlier run's journal speaks of.
  void remember(const JournalLine& line);

 private:
  [[nodiscard]] Checked<const Grant*> authorize(const HttpRequest& request,
                                                const std::string& scope, Time now);
  [[nodiscard]] Checked<void> check_token_scheme(const HttpRequest& request, const Grant& grant,
                                                 std::string_view scheme, std::string_view token,
                                                 Time now);
  [[nodiscard]] Checked<void> check_head(const HttpRequest& request) const;
  [[nodiscard]] Checked<void> check_organization(const Grant* grant, const Bundle& bundle) const;
  [[nodiscard]] Reply refuse(int status, const Flaw& flaw);
  [[nodiscard]] Reply unauthorized(const Flaw& flaw);
  [[nodiscard]] std::unique_ptr<Pending> pend(Bundle bundle);
  [[nodiscard]] Fate fate_of(const Bundle& bundle, const MemberEntry& entry) const;
  [[nodiscard]] Reply apply(Pending& pending);
  [[nodiscard]] Reply apply_members(Pending& pending);
  [[nodiscard]] Reply apply_offerings(Pending& pending);
  void land_member(Pending& pending, std::size_t position);
  [[nodiscard]] Reply digital_status(const HttpRequest& request, Time now);

  const Behaviour& behaviour_;
  const Grants& grants_;
  Dice& dice_;
  Statistics& statistics_;
  Journal& journal_;
  Log log_;
  BundleReader reader_;
  Members members_;
  std::set<std::string, std::less<>> known_organizations_;
  ReplayCache proofs_;
  Pace pace_;
};

constexpr std::uint64_t inactive_salt = 0x1d;  ///< keep the two shares apart
constexpr std::uint64_t invalid_salt = 0x2f;

/// Whether a rule picks a number: by share, the same numbers in every run, or by its list.
[[nodiscard]] bool picks(const MemberRule& rule, std::string_view number, std::uint64_t salt);

}  // namespace helsekontakter::simulator
