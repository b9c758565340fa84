#pragma once

#include "tests/simulation/broker.h"
#include "tests/simulation/event.h"
#include "worker/domain/random.h"
#include "worker/ports/commands.h"
#include "worker/ports/settings.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace helsekontakter::simulation {

/// How hostile the endpoint is; shares are per thousand requests.
struct Hostility {
  std::uint32_t server_errors = 0;
  std::uint32_t cut_before = 0;  ///< unknown outcome, never executed
  std::uint32_t cut_after = 0;   ///< unknown outcome, executed at once
  std::uint32_t cut_late = 0;    ///< unknown outcome, executed up to settle_time later
  std::uint32_t not_sent = 0;
  std::uint32_t unreadable = 0;     ///< executed, but the answer makes no sense
  std::uint32_t too_many = 0;       ///< 429
  std::uint32_t entry_retries = 0;  ///< per thousand entries: 503 for that entry alone
  bool down = false;
  std::set<std::uint32_t> refused_organizations;  ///< 401
  bool poison_heals = false;                      ///< poison_500
  bool garbling_heals = false;
  std::uint32_t status_failures = 0;  ///< per thousand questions to the status API
  std::uint32_t status_lies = 0;      ///< per thousand members: unknown, or active who is not
  bool status_chokes = false;         ///< a list with one of every seventeenth member is refused
  bool members_wake = false;          ///< every second inactive member has become active
};

/// Helsekontakter as a model: executes requests, keeps what it applied, and finds what must never
/// happen: an older version over a newer one, two requests of one key at once, a limit broken.
class Endpoint {
 public:
  /// What is going to happen with one request.
  struct Fate {
    Milliseconds executes_after{0};
    bool executes = false;
    Milliseconds answers_after{0};
    SubmissionOutcome outcome;
  };

  Endpoint(Broker& broker, const WorkerSettings& settings) : broker_(broker), settings_(settings) {}

  Hostility hostility;

  /// Draws the fate of a request and notes that its keys are in flight from now on.
  [[nodiscard]] Fate receive(const Submit& submit, Random& random, bool expects_order);
  /// What the status API answers, and what it is asked is checked.
  [[nodiscard]] StatusAnswer answer(const AskStatus& question, Random& random);
  [[nodiscard]] std::uint64_t questions() const { return questions_; }

  /// The request is executed now.
  void execute(const Submit& submit);
  /// Nothing of the request can happen any more.
  void forget(const Submit& submit);

  /// The content of the newest version applied of a key, if any.
  [[nodiscard]] std::optional<std::uint32_t> applied(Lane lane, std::uint32_t organization,
                                                     std::uint32_t member) const;
  [[nodiscard]] const std::vector<std::string>& faults() const { return faults_; }
  [[nodiscard]] std::uint64_t requests() const { return requests_; }
  [[nodiscard]] std::uint64_t executed() const { return executed_; }

 private:
  using Key = std::pair<Lane, std::pair<std::uint32_t, std::uint32_t>>;
  [[nodiscard]] static Key key_of(const Event& event) {
    return {event.lane, {event.organization, event.member}};
  }
  void check(const Submit& submit);
  void check_asked(const Event& event, Position position);
  [[nodiscard]] DigitalStatus status_of(std::uint32_t organization, std::uint32_t member,
                                        Random& random);
  [[nodiscard]] bool is_awake(std::uint32_t member) const {
    return hostility.members_wake && member % 2 == 0;
  }
  [[nodiscard]] bool takes(const Event& event) const {
    return is_applied(event.nature) || (event.nature == Nature::inactive && is_awake(event.member));
  }
  [[nodiscard]] SubmissionOutcome answer(const Submit& submit, Random& random);

  Broker& broker_;
  const WorkerSettings& settings_;
  std::map<Key, std::uint32_t> applied_;
  std::map<Key, std::uint32_t> contents_;
  std::map<Key, std::multiset<std::uint32_t>> in_flight_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> said_active_;  // organisation, member
  std::vector<std::string> faults_;
  std::uint64_t requests_ = 0;
  std::uint64_t executed_ = 0;  // entries
  std::uint64_t questions_ = 0;
};

}  // namespace helsekontakter::simulation
