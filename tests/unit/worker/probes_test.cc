// Probes of an organisation that is held: which changes find out that its hold is over.

#include "tests/unit/worker/core.h"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::test {
namespace {

using namespace std::chrono_literals;

WorkerSettings one_by_one() {
  WorkerSettings settings = prompt();
  settings.ledger.enabled = true;
  settings.retry.park_after = 2min;
  settings.retry.backoff_first = settings.retry.backoff_max = 1min;
  settings.batch.entries_max = 1;
  return settings;
}

/// Those that were its probes fail from then on, whatever becomes of the hold; the others would be
/// accepted, but wait in the ledger for an hour.
TEST(Probes, AreOthersWhenThoseAtHandAlwaysFail) {
  Core core(one_by_one());
  core.assign();
  core.deliver("ada@1 bob@1 cleo@1 dan@1 eve@1 fay@1 gus@1 hal@1");
  std::set<std::string> failing;
  for (int second = 0; second < 600 && core.committed() < 8; ++second) {
    while (core.in_flight() > 0) {
      const std::string all = core.requests();
      failing.insert(all.substr(0, all.find(' ')));
      core.answer(refused(403));
    }
    (void)core.record_all();
    core.pass(1s);
  }
  ASSERT_EQ(core.committed(), 8) << "all are parked";
  ASSERT_LT(failing.size(), 8u);
  std::string told;
  for (int second = 0; second < 600; ++second) {
    while (core.in_flight() > 0) {
      const std::string all = core.requests();
      if (failing.count(all.substr(0, all.find(' '))) > 0) {
        core.answer(refused(500));
      } else {
        core.accept();
      }
    }
    told += core.record_all();
    core.pass(1s);
  }
  for (const std::string event :
       {"ada@1", "bob@1", "cleo@1", "dan@1", "eve@1", "fay@1", "gus@1", "hal@1"}) {
    const bool accepted = told.find(event + " accepted") != std::string::npos;
    EXPECT_EQ(accepted, failing.count(event) == 0) << event << ": " << told;
  }
}

}  // namespace
}  // namespace helsekontakter::test
