#pragma once

#include "tests/simulation/endpoint.h"
#include "tests/simulation/event.h"
#include "worker/domain/random.h"
#include "worker/ports/settings.h"

#include <cstdint>
#include <utility>
#include <vector>

namespace helsekontakter::simulation {

/// What a seed draws: the size of everything and how bad the weather is.
struct Scenario {
  std::uint64_t seed = 0;
  std::uint32_t partitions = 4;
  std::uint32_t workers = 2;
  std::uint32_t organizations = 3;
  std::uint32_t members = 200;
  std::uint32_t events = 1'000;
  bool crashes = true;
  bool disorder = false;      ///< versions come in any order; needs the memory of one worker
  bool live = false;          ///< half of the events are produced while the workers run
  bool hot = false;           ///< a third of the events are of one member
  bool poison_stays = false;  ///< what fails with 500 or garbles never heals; all else must go on
  bool unlisted = false;      ///< the last organisation is not configured; all others must go on
  bool ledger = false;        ///< what was concluded is remembered, and inactive members come back
  bool brakes = false;        ///< low limits: what a brake holds may stay unconcluded
  /// Instead of a storm: from the beginning on every request is answered 503, for so long.
  Milliseconds outage{0};
  Hostility storm;
  WorkerSettings settings;

  [[nodiscard]] static Scenario draw(std::uint64_t seed);
  /// Half of the changes wait at its beginning, the others come in all the time.
  [[nodiscard]] static Scenario draw_outage(std::uint64_t seed, Milliseconds outage);
  /// Something never ends, so that its changes may stay unconcluded.
  [[nodiscard]] bool leaves_some() const { return poison_stays || unlisted || brakes; }
};

/// Nine digits with a right check digit, for the organisations of a scenario.
[[nodiscard]] OrganizationNumber organization_number(std::uint32_t index);

/// Everything that will be produced, in its order.
[[nodiscard]] std::vector<std::pair<Partition, Event>> draw_events(const Scenario& scenario,
                                                                   Random& random);

/// The event as the decoder would hand it over.
[[nodiscard]] Delivery delivery_of(const Event& event, Position position, Epoch epoch);

}  // namespace helsekontakter::simulation
