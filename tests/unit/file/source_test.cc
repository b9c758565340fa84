#include "adapters/file/source.h"

#include "tests/unit/file/folder.h"
#include "worker/ordering/progress.h"

#include <filesystem>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::file {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::size_t line_max = 64;

/// Its id is the line's text; too large ones are findings, others tombstones.
Delivery decode(const json::RawEvent& raw) {
  Delivery delivery{raw.position, raw.epoch, {}, Tombstone{}};
  delivery.texts.append(Texts::Field::id, raw.payload.substr(0, line_max + 1));
  delivery.texts.append(Texts::Field::source, raw.plain_source);
  if (raw.payload.size() > line_max) delivery.content = Finding{.reason = Reason::event_too_large};
  return delivery;
}

/// A source whose inputs are collected; every wait ends when what it waits for is there.
class Reading : public testing::Test {
 protected:
  void start(bool drain = false) {
    Observer observer;
    observer.trouble = [this](const Error& error) { tell(error); };
    observer.failed = [this](const Error& error) { tell(error); };
    source = std::make_unique<FileSource>(SourceSettings{.path = folder.path("in"),
                                                         .checkpoint = folder.path("at"),
                                                         .event_bytes_max = line_max,
                                                         .drain = drain},
                                          test_hash(), decode, inbox, observer, ledger);
    const auto started = source->start();
    ASSERT_TRUE(started) << started.error().message;
  }

  void tell(const Error& error) {
    const std::lock_guard lock(mutex);
    troubles.push_back(error.message);
    told.notify_all();
  }

  void wait_until(const std::function<bool()>& holds) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    std::vector<Input> inputs;
    while (!holds() && std::chrono::steady_clock::now() < deadline) {
      inbox.take(inputs, std::chrono::steady_clock::now() + 10ms);
      for (Input& input : inputs) take(input);
    }
    ASSERT_TRUE(holds()) << "not within 20 s";
  }

  void wait_for_lines(std::size_t count) {
    wait_until([&] { return lines.size() >= count; });
  }
  void wait_for_position(Offset position) {
    wait_until([&] { return reached >= position; });
  }
  std::string wait_for_trouble() {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(told.wait_for(lock, 20s, [&] { return !troubles.empty(); }));
    return troubles.empty() ? "" : troubles.front();
  }

  void take(Input& input) {
    if (const auto* delivered = std::get_if<Delivered>(&input)) {
      for (const Delivery& delivery : delivered->deliveries) {
        lines.push_back(std::to_string(delivery.position.offset) + ":" +
                        std::string(delivery.texts[Texts::Field::id]));
        plain_source = delivery.texts[Texts::Field::source];
        if (std::holds_alternative<Finding>(delivery.content)) ++too_large;
      }
    } else if (const auto* got = std::get_if<Assigned>(&input)) {
      assigned.push_back(*got);
    } else if (const auto* at = std::get_if<ReachedPosition>(&input)) {
      reached = at->position;
    } else if (std::get_if<Lost>(&input) != nullptr) {
      ++lost;
    }
  }

  [[nodiscard]] Epoch epoch() const { return assigned.back().epoch; }
  void keep(Offset committed, const std::string& metadata = "") {
    ASSERT_TRUE(source->track()->keep({.partition = Partition{0},
                                       .epoch = epoch(),
                                       .committed = committed,
                                       .metadata = metadata}));
  }

  Folder folder;
  Inbox inbox{1 << 20};
  LedgerSteps ledger;
  std::unique_ptr<FileSource> source;
  std::mutex mutex;
  std::condition_variable told;
  std::vector<std::string> troubles;
  std::vector<std::string> lines;
  std::string plain_source;
  std::size_t too_large = 0;
  std::vector<Assigned> assigned;
  Offset reached = -1;
  int lost = 0;
};

TEST_F(Reading, DeliversLinesByTheirNumbersAndCountsBlankOnes) {
  folder.write("in", "\xEF\xBB\xBFone\r\n\n  \ntwo\n");
  start();
  wait_for_position(4);
  EXPECT_THAT(lines, ElementsAre("0:one", "3:two"));
  ASSERT_EQ(assigned.size(), 1u);
  EXPECT_EQ(assigned[0].committed, 0);
  EXPECT_EQ(assigned[0].end, 4);
  EXPECT_THAT(plain_source, testing::StartsWith("in#"));
}

TEST_F(Reading, FollowsAFileThatGrowsAndWaitsForTheNewline) {
  folder.write("in", "one\ntw");
  start();
  wait_for_position(1);
  EXPECT_EQ(assigned[0].end, 1);
  folder.append("in", "o\nthree\n");
  wait_for_lines(3);
  EXPECT_THAT(lines, ElementsAre("0:one", "1:two", "2:three"));
}

TEST_F(Reading, DrainsToTheEndThatWasThereAndTakesALastLineWithoutNewline) {
  folder.write("in", "one\ntwo");
  start(true);
  wait_for_position(2);
  EXPECT_THAT(lines, ElementsAre("0:one", "1:two"));
  EXPECT_EQ(assigned[0].end, 2);
}

TEST_F(Reading, GoesOnBehindALineThatWasTakenWithoutItsNewline) {
  folder.write("in", "one\ntwo");
  start(true);
  wait_for_position(2);
  keep(2);
  source.reset();
  folder.append("in", "\nthree\n");
  start();
  wait_for_lines(3);
  EXPECT_THAT(lines, ElementsAre("0:one", "1:two", "2:three"));
}

TEST_F(Reading, WillNotGuessWhatBecameOfALineThatGrewAfterItWasTaken) {
  folder.write("in", "one\ntwo");
  start(true);
  wait_for_position(2);
  keep(2);
  source.reset();
  folder.append("in", "fold\n");
  start();
  EXPECT_THAT(wait_for_trouble(), HasSubstr("had no end when --drain took it"));
}

TEST_F(Reading, BeginsAtTheCheckpoint) {
  folder.write("in", "one\ntwo\nthree\n");
  start();
  wait_for_lines(3);
  keep(2, "mark");
  source.reset();
  lines.clear();
  start();
  wait_for_lines(1);
  EXPECT_THAT(lines, ElementsAre("2:three"));
  EXPECT_EQ(assigned.back().committed, 2);
  EXPECT_EQ(assigned.back().metadata, "mark");
  EXPECT_EQ(assigned.back().end, 3);
}

/// The mark that the core gets when the last process ended like this.
class AfterAnEnd : public Reading {
 protected:
  ProgressMark mark_after(bool clean) {
    folder.write("in", "one\ntwo\nthree\n");
    start();
    wait_for_lines(3);
    keep(1, encode(ProgressMark{.submitted_to = 3, .clean = clean}, 1));
    source.reset();
    start();
    wait_until([&] { return assigned.size() == 2; });
    return helsekontakter::decode(assigned.back().metadata, 1).value();
  }
};

TEST_F(AfterAnEnd, ThatWasCleanNothingIsWaitedFor) {
  EXPECT_FALSE(mark_after(true).unsettled);
}

TEST_F(AfterAnEnd, ThatWasNotCleanTheSettleTimePasses) {
  EXPECT_TRUE(mark_after(false).unsettled);
}

TEST_F(Reading, ReadsAgainFromTheCheckpointAfterAFailedRecord) {
  folder.write("in", "one\ntwo\nthree\n");
  start();
  wait_for_lines(3);
  keep(1);
  SourceOrders orders;
  orders.reread.push_back(Partition{0});
  source->order(orders);
  wait_for_lines(5);
  EXPECT_THAT(lines, ElementsAre("0:one", "1:two", "2:three", "1:two", "2:three"));
  EXPECT_EQ(lost, 1);
  EXPECT_GT(assigned[1].epoch, assigned[0].epoch);
  const std::pair<Partition, Epoch> old[]{{Partition{0}, assigned[0].epoch}};
  const std::pair<Partition, Epoch> now[]{{Partition{0}, assigned[1].epoch}};
  EXPECT_FALSE(source->still_ours(old));
  EXPECT_TRUE(source->still_ours(now));
}

TEST_F(Reading, StandsStillWhilePausedUnderItsEpoch) {
  folder.write("in", "one\n");
  start();
  wait_for_lines(1);
  SourceOrders stale;
  stale.pause.emplace_back(Partition{0}, Epoch{99});
  source->order(stale);
  folder.append("in", "two\n");
  wait_for_lines(2);
  SourceOrders pause;
  pause.pause.emplace_back(Partition{0}, epoch());
  source->order(pause);
  folder.append("in", "three\n");
  SourceOrders resume;
  resume.resume.emplace_back(Partition{0}, epoch());
  source->order(resume);
  wait_for_lines(3);
}

TEST_F(Reading, GivesALineThatIsTooLongAsOneFinding) {
  folder.write("in", "one\n" + std::string(5'000'000, 'x') + "\ntwo\n");
  start();
  wait_for_lines(3);
  EXPECT_EQ(too_large, 1u);
  EXPECT_EQ(lines[1].size(), 2 + line_max + 1);
  EXPECT_EQ(lines[2], "2:two");
}

TEST_F(Reading, WaitsForAFileThatIsNotThereYet) {
  start();
  EXPECT_THAT(wait_for_trouble(), AllOf(HasSubstr("source.file.path"), HasSubstr("No such file")));
  folder.write("in", "one\n");
  wait_for_lines(1);
}

TEST_F(Reading, RefusesASecondProcess) {
  folder.write("in", "one\n");
  start();
  FileSource second({.path = folder.path("in"), .checkpoint = folder.path("at")}, test_hash(),
                    decode, inbox, {});
  const auto refused = second.start();
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("another process"));
}

TEST_F(Reading, HoldsAFileThatIsNotThatOfTheCheckpoint) {
  folder.write("in", "one\ntwo\n");
  start();
  wait_for_lines(2);
  keep(2);
  source.reset();
  lines.clear();
  folder.write("in", "uno\ndos\ntres\n");
  start();
  EXPECT_THAT(wait_for_trouble(), HasSubstr("is not the file"));
  source.reset();
  EXPECT_THAT(lines, IsEmpty());
}

TEST_F(Reading, HoldsAFileThatIsCutShortWhileItIsRead) {
  folder.write("in", "one\ntwo\n");
  start();
  wait_for_position(2);
  std::filesystem::resize_file(folder.path("in"), 4);
  EXPECT_THAT(wait_for_trouble(), HasSubstr("was cut short while it was read"));
}

TEST_F(Reading, HoldsAFileThatIsReplacedWhileItIsRead) {
  folder.write("in", "one\n");
  start();
  wait_for_position(1);
  folder.write("other", "uno\ndos\n");
  std::filesystem::rename(folder.path("other"), folder.path("in"));
  EXPECT_THAT(wait_for_trouble(), HasSubstr("removed or replaced"));
  EXPECT_THAT(lines, ElementsAre("0:one"));
}

TEST_F(Reading, BeginsWhenTheLedgerIsRestored) {
  folder.write("in", "one\n");
  std::vector<Epoch> asked;
  ledger.restore = [&](Partition, Epoch epoch) -> Result<void> {
    asked.push_back(epoch);
    if (asked.size() == 1) return fail(Remedy::retry, "the ledger's disk is away");
    return {};
  };
  start();
  EXPECT_EQ(wait_for_trouble(), "the ledger's disk is away");
  wait_for_lines(1);
  source.reset();
  EXPECT_THAT(asked, ElementsAre(epoch(), epoch()));
}

TEST_F(Reading, EndsAtRelease) {
  folder.write("in", "one\n");
  start();
  wait_for_position(1);
  SourceOrders release;
  release.release.emplace_back(Partition{0}, epoch());
  source->order(release);
  source->stop();
  const std::pair<Partition, Epoch> under[]{{Partition{0}, epoch()}};
  EXPECT_FALSE(source->still_ours(under));
}

}  // namespace
}  // namespace helsekontakter::file
