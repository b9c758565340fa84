#include "adapters/tools/audit_merge.h"

#include <gmock/gmock.h>

namespace helsekontakter::tools {
namespace {

Uuid id(std::uint8_t number, std::uint8_t round = 0) {
  Uuid id;
  id.bytes[0] = number;
  id.bytes[1] = round;
  return id;
}

MemberKey key(std::uint8_t number) {
  MemberKey key;
  key.bytes[0] = number;
  return key;
}

/// What topics hold, event by event; offsets count up in one partition unless said otherwise.
class Topics {
 public:
  explicit Topics(bool inactive_is_final = false, std::size_t bytes_max = 1 << 20)
      : merge_(inactive_is_final, bytes_max) {}

  Topics& event(std::uint8_t number, Offset offset, bool settled = true,
                std::int32_t partition = 0) {
    EXPECT_TRUE(merge_.add_event(id(number), {Partition{partition}, offset}, settled, key(number)));
    return *this;
  }
  Topics& terminal(std::uint8_t number, Offset origin) {
    EXPECT_TRUE(merge_.add_result(id(number), id(number), true, {Partition{0}, origin}));
    return *this;
  }
  Topics& inactive(std::uint8_t number, Offset origin, std::uint8_t round = 0) {
    EXPECT_TRUE(merge_.add_result(id(number, static_cast<std::uint8_t>(round + 1)), id(number),
                                  false, {Partition{0}, origin}));
    return *this;
  }
  Topics& parked(std::uint8_t number) {
    EXPECT_TRUE(merge_.add_parked(id(number)));
    return *this;
  }
  AuditFindings conclude() {
    auto findings = merge_.conclude();
    EXPECT_TRUE(findings);
    return findings.value_or(AuditFindings{});
  }
  /// "concluded/parked/waiting/gaps/twice".
  std::string counts() {
    const AuditFindings found = conclude();
    return std::to_string(found.concluded) + "/" + std::to_string(found.parked) + "/" +
           std::to_string(found.waiting) + "/" + std::to_string(found.gaps) + "/" +
           std::to_string(found.twice);
  }

  AuditMerge merge_;
};

TEST(Audit, FindsNothingWhereEachEventHasItsVerdictOrWaits) {
  EXPECT_EQ(Topics().event(1, 0).terminal(1, 0).counts(), "1/0/0/0/0");
  EXPECT_EQ(Topics().event(1, 0).inactive(1, 0).parked(1).counts(), "0/1/0/0/0");
  EXPECT_EQ(Topics().event(1, 0).parked(1).counts(), "0/1/0/0/0") << "its organisation is held";
  EXPECT_EQ(Topics().event(1, 0).inactive(1, 0).inactive(1, 0, 1).terminal(1, 0).counts(),
            "1/0/0/0/0");
  EXPECT_EQ(Topics().event(1, 0).parked(1).terminal(1, 0).counts(), "1/0/0/0/0")
      << "it was concluded between the reading of the ledger and that of the results";
}

TEST(Audit, FindsAnEventThatWasSettledWithoutAVerdict) {
  Topics topics;
  topics.event(1, 0).event(2, 7).terminal(1, 0);
  const AuditFindings found = topics.conclude();
  EXPECT_EQ(found.gaps, 1);
  ASSERT_EQ(found.first_gaps.size(), 1);
  EXPECT_EQ(found.first_gaps[0].position, (Position{Partition{0}, 7}));
  EXPECT_FALSE(found.first_gaps[0].told_inactive);
}

TEST(Audit, FindsAnInactiveMemberThatWaitsNowhere) {
  Topics topics;
  topics.event(1, 3).inactive(1, 3);
  const AuditFindings found = topics.conclude();
  EXPECT_EQ(found.gaps, 1);
  EXPECT_TRUE(found.first_gaps.at(0).told_inactive);
  EXPECT_EQ(Topics(true).event(1, 3).inactive(1, 3).counts(), "1/0/0/0/0") << "no ledger";
}

TEST(Audit, TellsWhatIsNotSettledYetApartFromGaps) {
  EXPECT_EQ(Topics().event(1, 0, false).counts(), "0/0/1/0/0");
  EXPECT_EQ(Topics().event(1, 0, false).terminal(1, 0).counts(), "1/0/0/0/0")
      << "concluded out of order";
}

TEST(Audit, FindsTwoResultsOfOneEvent) {
  EXPECT_EQ(Topics().event(1, 0).terminal(1, 0).terminal(1, 0).counts(), "1/0/0/0/1");
  EXPECT_EQ(Topics().event(1, 0).terminal(1, 0).terminal(9, 0).counts(), "1/0/0/0/1")
      << "with another id";
  EXPECT_EQ(Topics().event(1, 0).inactive(1, 0).inactive(1, 0).parked(1).counts(), "0/1/0/0/1");
}

TEST(Audit, TakesAnEventThatWasSentTwiceForOne) {
  Topics topics;
  topics.event(1, 0).event(1, 5).terminal(1, 0).terminal(1, 5);
  const AuditFindings found = topics.conclude();
  EXPECT_EQ(found.events, 1);
  EXPECT_EQ(found.repeated, 1);
  EXPECT_EQ(found.twice, 0);
  EXPECT_EQ(Topics().event(1, 0).event(1, 5).inactive(1, 0).inactive(1, 5).parked(1).counts(),
            "0/1/0/0/0");
}

TEST(Audit, CountsResultsOfEventsThatAreNotThere) {
  Topics topics;
  topics.terminal(1, 0).terminal(2, 1).parked(3);
  const AuditFindings found = topics.conclude();
  EXPECT_EQ(found.strays, 2);
  EXPECT_EQ(found.events, 0);
}

TEST(Audit, FindsAKeyInTwoPartitions) {
  Topics topics;
  topics.event(1, 4).event(1, 6).event(2, 5).event(1, 2, true, 3);
  const AuditFindings found = topics.conclude();
  EXPECT_EQ(found.wandered, 1);
  ASSERT_EQ(found.first_wandered.size(), 1);
  EXPECT_EQ(found.first_wandered[0].key, key(1));
  ASSERT_EQ(found.first_wandered[0].first.size(), 2);
  EXPECT_EQ(found.first_wandered[0].first[0], (Position{Partition{0}, 4}));
  EXPECT_EQ(found.first_wandered[0].first[1], (Position{Partition{3}, 2}));
}

TEST(Audit, FindsTheOneGapAmongMoreThanFitsIntoMemory) {
  AuditMerge merge(false, 1000);
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    Uuid event;
    std::memcpy(event.bytes.data(), &i, sizeof i);
    MemberKey member;
    std::memcpy(member.bytes.data(), &i, sizeof i);
    const Position position{Partition{0}, i};
    ASSERT_TRUE(merge.add_event(event, position, true, member));
    if (i != 12'345) {
      ASSERT_TRUE(merge.add_result(event, event, true, position));
    }
  }
  const auto found = merge.conclude();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->concluded, 19'999);
  ASSERT_EQ(found->gaps, 1);
  EXPECT_EQ(found->first_gaps[0].position.offset, 12'345);
  EXPECT_EQ(found->twice + found->wandered, 0);
}

TEST(Audit, ListsTheFirstGapsAndCountsAll) {
  Topics topics;
  for (std::uint8_t i = 0; i < 200; ++i) topics.event(i, i);
  const AuditFindings found = topics.conclude();
  EXPECT_EQ(found.gaps, 200);
  EXPECT_EQ(found.first_gaps.size(), AuditMerge::told_max);
}

}  // namespace
}  // namespace helsekontakter::tools
