#include "adapters/file/line_track.h"

#include "tests/unit/file/folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::file {
namespace {

Progress progress(Offset committed, Epoch epoch = Epoch{1}) {
  return {.partition = Partition{0}, .epoch = epoch, .committed = committed, .metadata = "m"};
}

Record record_under(Epoch epoch) {
  Record record;
  record.progress.push_back(progress(0, epoch));
  return record;
}

class Tracks : public testing::Test {
 protected:
  Tracks() : track(CheckpointFile(folder.path("at"), "in")) {
    folder.write("in", "one\ntwo\nthree\n");
    input = std::make_shared<const InputFile>(
        std::move(*InputFile::open(folder.path("in"), test_hash())));
    track.begin(Epoch{1}, {}, input);
    const std::int64_t ends[]{4, 8, 14};
    track.add(ends);
  }

  Folder folder;
  LineTrack track;
  std::shared_ptr<const InputFile> input;
};

TEST_F(Tracks, KeepWhereTheCommittedLineBegins) {
  ASSERT_TRUE(track.keep(progress(2)));
  const auto read = track.read();
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->line, 2);
  EXPECT_EQ((*read)->byte, 8);
  EXPECT_EQ((*read)->metadata, "m");
  EXPECT_TRUE(input->matches(**read));
  EXPECT_EQ(track.durable_line(), 2);
  EXPECT_EQ(track.durable().byte, 8);
}

TEST_F(Tracks, KnowTheFileBeforeAnythingOfItIsConcluded) {
  ASSERT_TRUE(track.keep(progress(0)));
  folder.write("in", "uno\ndos\ntres!!\n");
  const auto other = InputFile::open(folder.path("in"), test_hash());
  EXPECT_FALSE(other->matches(**track.read()));
}

TEST_F(Tracks, KeepTheEndOfWhatWasRead) {
  ASSERT_TRUE(track.keep(progress(1)));
  ASSERT_TRUE(track.keep(progress(3)));
  EXPECT_EQ((*track.read())->byte, 14);
  ASSERT_TRUE(track.keep(progress(3)));
}

TEST_F(Tracks, StayWhereTheyWereWhenTheCheckpointCannotBeWritten) {
  LineTrack lost(CheckpointFile(folder.path("gone/at"), "in"));
  lost.begin(Epoch{1}, {}, input);
  const std::int64_t ends[]{4};
  lost.add(ends);
  EXPECT_FALSE(lost.keep(progress(1)));
  EXPECT_EQ(lost.durable_line(), 0);
}

TEST_F(Tracks, KnowTheirEpoch) {
  EXPECT_TRUE(track.is_current(record_under(Epoch{1})));
  EXPECT_FALSE(track.is_current(record_under(Epoch{2})));
  track.begin(Epoch{2}, track.durable(), input);
  EXPECT_FALSE(track.is_current(record_under(Epoch{1})));
}

TEST(TrackOfStandardInput, KeepsNothingOnDisk) {
  LineTrack track(std::nullopt);
  ASSERT_TRUE(track.lock());
  track.begin(Epoch{1}, {}, nullptr);
  const std::int64_t ends[]{4};
  track.add(ends);
  EXPECT_TRUE(track.keep(progress(1)));
  EXPECT_EQ(track.durable_line(), 1);
  EXPECT_FALSE(track.read()->has_value());
}

}  // namespace
}  // namespace helsekontakter::file
