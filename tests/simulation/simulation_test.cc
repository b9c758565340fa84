#include "tests/simulation/world.h"
#include "tests/support/number_from.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace helsekontakter::simulation {
namespace {

using namespace std::chrono_literals;
using test::number_from;

/// SIMULATION_SEED and SIMULATION_SEEDS choose where to start and how many to run.
TEST(Simulation, KeepsItsPromisesInEveryWeather) {
  const std::uint64_t first = number_from("SIMULATION_SEED", 1);
  const std::uint64_t count = number_from("SIMULATION_SEEDS", 300);
  std::uint64_t requests = 0;
  std::uint64_t questions = 0;
  std::pair<Milliseconds, std::uint64_t> slowest;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    World world(Scenario::draw(seed));
    const auto faults = world.run();
    requests += world.requests();
    questions += world.questions();
    slowest = std::max(slowest, std::pair(world.calm_took(), seed));
    ASSERT_TRUE(faults.empty()) << "seed " << seed << ": " << faults.front()
                                << "\nagain: SIMULATION_SEEDS=1 SIMULATION_SEED=" << seed << "\n"
                                << world.describe();
  }
  EXPECT_GT(requests, count);
  if (count >= 20) {
    EXPECT_GT(questions, count);
  }
  std::printf("longest calm: %lld s, seed %llu\n", static_cast<long long>(slowest.first / 1000ms),
              static_cast<unsigned long long>(slowest.second));
}

/// The model of the broker finds every good change that is rejected and whatever expires; that
/// memory keeps to its budget and every change has its result in the end is checked as always.
TEST(Simulation, TwoHoursOf503RejectAndExpireNothing) {
  const std::uint64_t first = number_from("SIMULATION_SEED", 1);
  const std::uint64_t count = std::max<std::uint64_t>(number_from("SIMULATION_SEEDS", 300) / 30, 1);
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    World world(Scenario::draw_outage(seed, 2h));
    const auto faults = world.run();
    ASSERT_TRUE(faults.empty()) << "seed " << seed << ": " << faults.front()
                                << "\nagain: SIMULATION_SEEDS=1 SIMULATION_SEED=" << seed << "\n"
                                << world.describe();
    EXPECT_EQ(world.executed_in_storm(), 0u) << "seed " << seed << ": this was no outage";
    EXPECT_GT(world.requests(), 0u);
  }
}

TEST(Simulation, GivesTheSameRunForTheSameSeed) {
  World one(Scenario::draw(7));
  World other(Scenario::draw(7));
  EXPECT_EQ(one.run(), other.run());
  EXPECT_EQ(one.requests(), other.requests());
  EXPECT_EQ(one.bytes_held_max(), other.bytes_held_max());
}

}  // namespace
}  // namespace helsekontakter::simulation
