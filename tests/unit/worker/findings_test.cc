// Rejected and undecodable changes of an organisation that is held or braked.

#include "tests/unit/worker/core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::test {
namespace {

using ::testing::HasSubstr;

WorkerSettings with_ledger() {
  WorkerSettings settings = prompt();
  settings.ledger.enabled = true;
  return settings;
}

/// One unusable change pulls the brake of sio.
Core braked(WorkerSettings settings) {
  settings.brake.rejected_in_row_max = 1;
  Core core(settings);
  core.assign();
  core.deliver("sio:?");
  EXPECT_EQ(core.record_all(), "? undecodable (wrong_type)");
  return core;
}

TEST(Findings, OfABrakedOrganizationGoWhenTheyTakeTheRoomOfOthers) {
  WorkerSettings settings = with_ledger();
  settings.unsettled_max = 16;
  Core core = braked(settings);
  core.deliver("sio:? sio:? sio:? sio:? sit:?");
  EXPECT_EQ(core.record_all(), "? undecodable (wrong_type)") << "that of sit";
  EXPECT_EQ(core.committed(), 1) << "four wait for the brake";
  core.deliver("sammen:a@1 sammen:b@1 sammen:c@1 sammen:d@1 sammen:e@1 sammen:f@1 sammen:g@1");
  EXPECT_EQ(core.record_all(), "") << "the room that others take counts not against them";
  EXPECT_FALSE(core.noticed(Notice::Kind::findings_let_go));
  core.deliver("sio:?");
  EXPECT_THAT(core.record_all(), HasSubstr("? undecodable (wrong_type)"));
  EXPECT_EQ(core.committed(), 6) << "five of sixteen made room";
  core.deliver("sio:? sio:? sio:? sio:? sio:?");
  EXPECT_THAT(core.record_all(), HasSubstr("? undecodable (wrong_type)"));
  EXPECT_EQ(core.notices(Notice::Kind::findings_let_go), 1u) << "said once";
  core.hear(SharedBrake{.organization = organization("sio"), .pulled = false, .since = {}});
  core.deliver("sio:? sio:? sio:? sio:? sio:? sio:?");
  (void)core.record_all();
  EXPECT_EQ(core.notices(Notice::Kind::findings_let_go), 2u) << "and once for the next brake";
}

TEST(Findings, GoWhenTheyTakeAQuarterOfThePartitionsMemory) {
  WorkerSettings settings = with_ledger();
  settings.memory_bytes_max = 40'000;
  Core core = braked(settings);
  std::string told;
  int findings = 0;
  while (told.empty() && findings < 100) {
    core.deliver("sio:?");
    told = core.record_all();
    ++findings;
  }
  EXPECT_GT(findings, 5);
  EXPECT_LT(findings, 60);
  EXPECT_EQ(core.status().bytes_held, 0u);
  core.deliver("sio:?");
  EXPECT_EQ(core.record_all(), "") << "there is room again";
}

/// What waited and was told when the brake was released counts no longer.
TEST(Findings, CountOnlyWhileTheyAreThere) {
  WorkerSettings settings = with_ledger();
  settings.unsettled_max = 16;
  Core core = braked(settings);
  const auto brake = [&](bool pulled) {
    core.hear(SharedBrake{.organization = organization("sio"), .pulled = pulled, .since = {}});
  };
  core.deliver("sio:? sio:? sio:? sio:?");
  for (int left = 4; left > 0; --left) {
    brake(false);
    EXPECT_EQ(core.record_all(), "? undecodable (wrong_type)") << "and the brake is pulled again";
  }
  EXPECT_EQ(core.committed(), 5);
  core.deliver("sio:? sio:? sio:? sio:?");
  EXPECT_EQ(core.record_all(), "") << "a quarter of the room is theirs";
  EXPECT_FALSE(core.noticed(Notice::Kind::findings_let_go));
}

TEST(Findings, GoWhenTheMetadataCanTakeNoMore) {
  WorkerSettings settings = with_ledger();
  settings.brake.rejected_in_row_max = 1;
  settings.metadata_characters_max = 100;
  Core core(settings);
  core.assign();
  std::string accepted;
  core.deliver("sio:?");
  (void)core.record_all();
  for (int i = 0; i < 1'500; ++i) {
    core.deliver("sio:? sit:m" + std::to_string(i) + "@1");
    while (core.in_flight() > 0) core.accept();
    accepted += core.record_all() + ", ";
  }
  EXPECT_THAT(accepted, HasSubstr("sit:m1499@1 accepted"));
}

}  // namespace
}  // namespace helsekontakter::test
