#include "adapters/file/recorder.h"

#include "tests/unit/file/folder.h"

#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::file {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

/// A recorder over a file of three lines that were all read under epoch 1.
class RecordingToFiles : public testing::Test {
 protected:
  RecordingToFiles()
      : track(std::make_shared<LineTrack>(CheckpointFile(folder.path("state/at"), "in"))) {
    std::filesystem::create_directory(folder.path("state"));
    folder.write("in", "one\ntwo\nthree\n");
    track->begin(Epoch{1}, {},
                 std::make_shared<const InputFile>(
                     std::move(*InputFile::open(folder.path("in"), test_hash()))));
    const std::int64_t ends[]{4, 8, 14};
    track->add(ends);
  }

  void start() {
    Observer observer;
    observer.trouble = [this](const Error& error) {
      const std::lock_guard lock(mutex);
      trouble = error.message;
      told.notify_all();
    };
    recorder =
        std::make_unique<FileRecorder>(ResultSettings{.path = folder.path("out"),
                                                      .dead_letter_path = folder.path("letters"),
                                                      .source = "/test",
                                                      .environment = "TEST1"},
                                       "in", track, inbox, observer, ledger);
    const auto started = recorder->start();
    ASSERT_TRUE(started) << started.error().message;
  }

  static Conclusion conclusion(Offset line, Reason reason, std::string_view payload) {
    Conclusion out;
    out.delivery = std::make_unique<Delivery>();
    out.delivery->position = {Partition{0}, line};
    out.delivery->content = Finding{.reason = reason};
    out.delivery->texts.append(Texts::Field::id, "event-" + std::to_string(line));
    out.delivery->texts.append(Texts::Field::payload, payload);
    out.verdict = entry_of(reason).verdict;
    out.reason = reason;
    out.batch = Conclusion::no_batch;
    return out;
  }

  static Record record(RecordId id, Offset committed, Epoch epoch = Epoch{1}) {
    Record out{.id = id};
    out.progress.push_back(
        {.partition = Partition{0}, .epoch = epoch, .committed = committed, .metadata = "m"});
    return out;
  }

  /// The answer to the record; every record has exactly one.
  Recorded answer() {
    std::vector<Input> inputs;
    inbox.take(inputs, std::chrono::steady_clock::now() + 20s);
    EXPECT_EQ(inputs.size(), 1u);
    return inputs.empty() ? Recorded{} : std::get<Recorded>(inputs.front());
  }

  std::string wait_for_trouble() {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(told.wait_for(lock, 20s, [&] { return !trouble.empty(); }));
    return trouble;
  }

  Folder folder;
  Inbox inbox{1 << 20};
  LedgerSteps ledger;
  std::shared_ptr<LineTrack> track;
  std::mutex mutex;
  std::condition_variable told;
  std::string trouble;
  std::unique_ptr<FileRecorder> recorder;
};

TEST_F(RecordingToFiles, WritesResultsDeadLettersAndTheCheckpoint) {
  start();
  Record first = record(RecordId{1}, 1);
  first.conclusions.push_back(conclusion(0, Reason::not_json, "one\xff"));
  first.conclusions.push_back(conclusion(1, Reason::event_too_large, ""));
  recorder->record(std::move(first));
  const Recorded recorded = answer();
  EXPECT_EQ(recorded.id, RecordId{1});
  EXPECT_TRUE(recorded.durable);
  const std::string results = folder.read("out");
  EXPECT_EQ(std::count(results.begin(), results.end(), '\n'), 2);
  EXPECT_THAT(results, AllOf(HasSubstr(R"("id":"event-0")"), HasSubstr(R"("topic":"in")"),
                             HasSubstr(R"("source":"/test")"), HasSubstr("not_json")));
  EXPECT_EQ(folder.read("letters"),
            "one\xff\n"
            R"({"verdict":"undecodable","reason":"event_too_large","topic":"in","partition":0,)"
            R"("offset":1})"
            "\n");
  EXPECT_EQ((*track->read())->line, 1);
}

TEST_F(RecordingToFiles, PublishesNothingOfAChangeThatOnlyWaitsFromNowOn) {
  start();
  Record both = record(RecordId{1}, 2);
  both.conclusions.push_back(conclusion(0, Reason::not_json, "one"));
  both.conclusions.push_back(conclusion(1, Reason::not_json, "two"));
  both.conclusions.front().publishes = false;
  recorder->record(std::move(both));
  EXPECT_TRUE(answer().durable);
  EXPECT_THAT(folder.read("out"), AllOf(HasSubstr("event-1"), Not(HasSubstr("event-0"))));
  EXPECT_EQ(folder.read("letters"), "two\n");
}

TEST_F(RecordingToFiles, TouchesTheCheckpointAloneForProgressAlone) {
  start();
  recorder->record(record(RecordId{1}, 2));
  EXPECT_TRUE(answer().durable);
  EXPECT_EQ(folder.read("out"), "");
  EXPECT_EQ((*track->read())->byte, 8);
}

TEST_F(RecordingToFiles, WritesTheLedgerBeforeAnythingElse) {
  int tries = 0;
  ledger.write = [&](std::span<const LedgerWrite> writes) -> Result<void> {
    EXPECT_EQ(writes.size(), 1u);
    EXPECT_EQ(folder.read("out"), "");
    if (++tries == 1) return fail(Remedy::retry, "the ledger's disk is full");
    return {};
  };
  start();
  Record one = record(RecordId{1}, 1);
  one.ledger.push_back({.entry = {.organization = *OrganizationNumber::parse("948554062")}});
  one.conclusions.push_back(conclusion(0, Reason::not_json, "one"));
  recorder->record(std::move(one));
  EXPECT_EQ(wait_for_trouble(), "the ledger's disk is full");
  EXPECT_TRUE(answer().durable);
  EXPECT_EQ(tries, 2);
  EXPECT_NE(folder.read("out"), "");
}

TEST_F(RecordingToFiles, SaysNothingOfWhatOnlyWaitsInTheLedger) {
  start();
  Record one = record(RecordId{1}, 1);
  one.conclusions.push_back(conclusion(0, Reason::not_json, "one"));
  one.conclusions.back().publishes = false;
  recorder->record(std::move(one));
  EXPECT_TRUE(answer().durable);
  EXPECT_EQ(folder.read("out") + folder.read("letters"), "");
  EXPECT_EQ((*track->read())->line, 1);
}

TEST_F(RecordingToFiles, PublishesNothingOfAReadingThatWasGivenUp) {
  start();
  Record late = record(RecordId{1}, 1, Epoch{7});
  late.conclusions.push_back(conclusion(0, Reason::not_json, "one"));
  recorder->record(std::move(late));
  EXPECT_FALSE(answer().durable);
  EXPECT_EQ(folder.read("out"), "");
  EXPECT_FALSE(track->read()->has_value());
}

TEST_F(RecordingToFiles, TriesAgainWithoutRepeatingWhatIsWritten) {
  start();
  std::filesystem::rename(folder.path("state"), folder.path("gone"));
  Record one = record(RecordId{1}, 1);
  one.conclusions.push_back(conclusion(0, Reason::not_json, "one"));
  recorder->record(std::move(one));
  EXPECT_THAT(wait_for_trouble(), AllOf(HasSubstr("checkpoint"), HasSubstr("make the folder")));
  std::filesystem::rename(folder.path("gone"), folder.path("state"));
  EXPECT_TRUE(answer().durable);
  const std::string results = folder.read("out");
  EXPECT_EQ(std::count(results.begin(), results.end(), '\n'), 1);
  EXPECT_EQ((*track->read())->line, 1);
}

TEST_F(RecordingToFiles, MovesTheCheckpointOnlyWhenResultsAndDeadLettersAreWritten) {
  start();
  for (const char* name : {"out", "letters"}) {
    trouble.clear();
    std::filesystem::remove(folder.path(name));
    std::filesystem::create_directory(folder.path(name));
    const bool first = std::string_view(name) == "out";
    Record one = record(RecordId{1}, first ? 1 : 2);
    one.conclusions.push_back(conclusion(first ? 0 : 1, Reason::not_json, "one"));
    recorder->record(std::move(one));
    EXPECT_THAT(wait_for_trouble(), HasSubstr(first ? "results.file.path" : "dead_letter_path"));
    EXPECT_EQ(track->durable_line(), first ? 0 : 1);
    std::filesystem::remove(folder.path(name));
    EXPECT_TRUE(answer().durable);
    EXPECT_EQ((*track->read())->line, first ? 1 : 2);
  }
  const std::string results = folder.read("out");
  EXPECT_EQ(std::count(results.begin(), results.end(), '\n'), 2) << "none is told twice";
}

TEST_F(RecordingToFiles, AnswersThatItIsNotDurableWhenItIsToStop) {
  start();
  std::filesystem::remove(folder.path("state"));
  recorder->record(record(RecordId{1}, 1));
  (void)wait_for_trouble();
  recorder->stop();
  EXPECT_FALSE(answer().durable);
}

}  // namespace
}  // namespace helsekontakter::file
