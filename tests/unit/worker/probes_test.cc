// Probes of an organisation that is held: which changes find out that its hold is over.

#include "tests/unit/worker/core.h"

#include <functional>
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

/// The event that stands first in the oldest request.
std::string oldest(const Core& core) {
  const std::string all = core.requests();
  return all.substr(0, all.find(' '));
}

/// Holds the organisation until all of its so many changes wait in the ledger; those that were its
/// probes meanwhile.
std::set<std::string> probed_until_parked(Core& core, Offset changes) {
  std::set<std::string> probes;
  for (int second = 0; second < 600 && core.committed() < changes; ++second) {
    while (core.in_flight() > 0) {
      probes.insert(oldest(core));
      core.answer(refused(403));
    }
    (void)core.record_all();
    core.pass(1s);
  }
  return probes;
}

/// Those that were its probes fail from then on, whatever becomes of the hold; the others would be
/// accepted, but wait in the ledger for an hour.
TEST(Probes, AreOthersWhenThoseAtHandAlwaysFail) {
  Core core(one_by_one());
  core.assign();
  core.deliver("ada@1 bob@1 cleo@1 dan@1 eve@1 fay@1 gus@1 hal@1");
  const std::set<std::string> failing = probed_until_parked(core, 8);
  ASSERT_EQ(core.committed(), 8) << "all are parked";
  ASSERT_LT(failing.size(), 8u);
  std::string told;
  for (int second = 0; second < 600; ++second) {
    while (core.in_flight() > 0) {
      if (failing.count(oldest(core)) > 0) {
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

/// They fail while others succeed: that says nothing of the hold, and is no reason to try the next
/// without a pause.
TEST(Probes, HaveAPauseAfterOneThatToldNothing) {
  Core core(one_by_one());
  core.assign();
  core.deliver("ada@1");
  core.answer(refused(403));
  for (int i = 0; i < 50; ++i) core.deliver("n" + std::to_string(i) + "@1");
  std::size_t probes = 0;
  for (int second = 0; second < 300; ++second) {
    core.deliver("sit:m" + std::to_string(second) + "@1");
    while (core.in_flight() > 0) {
      if (oldest(core).rfind("sit:", 0) == 0) {
        core.accept();
      } else {
        ++probes;
        core.answer(refused(500));
      }
    }
    (void)core.record_all();
    core.pass(1s);
  }
  EXPECT_GE(probes, 5u);
  EXPECT_LE(probes, 11u) << "half a minute apart at least";
}

/// Offerings whose first probes fail from then on, whatever becomes of the hold, and members in
/// front of their gate that nobody answers for. `more` is delivered each second.
void others_than_the_first_are_accepted(Core& core, const std::function<std::string(int)>& more) {
  const std::set<std::string> failing = probed_until_parked(core, 12);
  ASSERT_EQ(core.committed(), 12) << "all are parked";
  std::string told;
  for (int second = 0; second < 1'200; ++second) {
    core.deliver(more(second));
    while (core.in_flight() > 0) {
      const bool fails = failing.count(oldest(core)) > 0 || oldest(core).front() == 'm';
      fails ? core.answer(refused(500)) : core.accept();
    }
    told += core.record_all();
    core.pass(1s);
  }
  for (int i = 1; i <= 6; ++i) {
    const std::string event = "#o" + std::to_string(i) + "@1";
    const bool accepted = told.find(event + " accepted") != std::string::npos;
    EXPECT_EQ(accepted, failing.count(event) == 0) << event << ": " << told;
  }
}

WorkerSettings two_by_two() {
  WorkerSettings settings = one_by_one();
  settings.batch.entries_max = 2;  // an offering comes with its organisation
  return settings;
}

constexpr const char* offerings_and_members =
    "#o1@1 #o2@1 #o3@1 #o4@1 #o5@1 #o6@1 m1@1 m2@1 m3@1 m4@1 m5@1 m6@1";

/// Members in front of a closed gate come back with the offerings, and none of them can probe.
TEST(Probes, AreOfferingsThatWaitWhereMembersMayNotGo) {
  Core core(two_by_two());
  core.assign();
  core.deliver(offerings_and_members);
  others_than_the_first_are_accepted(core, [](int) { return std::string(); });
}

/// Those that keep coming in front of it are no probes either.
TEST(Probes, AreOfferingsThatWaitThoughMembersAreAtHand) {
  Core core(two_by_two());
  core.assign();
  core.deliver(offerings_and_members);
  others_than_the_first_are_accepted(
      core, [](int second) { return "m" + std::to_string(100 + second) + "@1"; });
}

}  // namespace
}  // namespace helsekontakter::test
