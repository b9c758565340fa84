#include "adapters/file/checkpoint.h"

#include "adapters/file/input_file.h"
#include "tests/unit/file/folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::file {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const Checkpoint sample{
    .line = 12,
    .byte = 345,
    .metadata = "AbC-_",
    .fingerprint = {.head_bytes = 345, .head = "h", .tail_bytes = 345, .tail = "t"}};

TEST(Checkpoints, AreReadAsTheyWereWritten) {
  const Folder folder;
  const CheckpointFile file(folder.path("at"), "a \"name\"\n");
  EXPECT_FALSE(file.read()->has_value());
  ASSERT_TRUE(file.write(sample));
  const auto read = file.read();
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->line, 12);
  EXPECT_EQ((*read)->byte, 345);
  EXPECT_EQ((*read)->metadata, "AbC-_");
  EXPECT_EQ((*read)->fingerprint.head_bytes, 345);
  EXPECT_EQ((*read)->fingerprint.head, "h");
  EXPECT_EQ((*read)->fingerprint.tail, "t");
  EXPECT_FALSE(folder.has("at.new")) << "the temporary file took the checkpoint's place";
}

TEST(Checkpoints, SurviveATemporaryFileThatACrashLeft) {
  const Folder folder;
  const CheckpointFile file(folder.path("at"), "in");
  ASSERT_TRUE(file.write(sample));
  folder.write("at.new", "{\"form");
  EXPECT_EQ((*file.read())->line, 12);
  EXPECT_TRUE(file.write(sample));
}

struct Damage {
  std::string_view name;
  std::string_view text;
  std::string_view said;
};

void PrintTo(const Damage& damage, std::ostream* out) {
  *out << damage.name;
}

class DamagedCheckpoint : public testing::TestWithParam<Damage> {};

TEST_P(DamagedCheckpoint, IsRefusedAndNeverTakenAsAStart) {
  const Folder folder;
  folder.write("at", GetParam().text);
  const auto read = CheckpointFile(folder.path("at"), "in").read();
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().remedy, Remedy::stop);
  EXPECT_THAT(read.error().message,
              AllOf(HasSubstr(folder.path("at")), HasSubstr(GetParam().said)));
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, DamagedCheckpoint,
    testing::Values(Damage{"empty", "", "is damaged"},
                    Damage{"torn", R"({"format":1,"li)", "damaged"},
                    Damage{"no_line", R"({"format":1,"byte":0,"metadata":""})", "damaged"},
                    Damage{"negative",
                           R"({"format":1,"line":-1,"byte":0,"metadata":"","head":{"bytes":0,)"
                           R"("hmac":""},"tail":{"bytes":0,"hmac":""}})",
                           "damaged"},
                    Damage{"of_the_future", R"({"format":2})", "format 2"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(Checkpoints, AreLockedAgainstASecondProcess) {
  const Folder folder;
  CheckpointFile first(folder.path("at"), "in");
  ASSERT_TRUE(first.lock());
  CheckpointFile second(folder.path("at"), "in");
  const auto refused = second.lock();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().remedy, Remedy::stop);
  EXPECT_THAT(refused.error().message, HasSubstr("another process"));
}

TEST(Checkpoints, SayWhatToDoWhenTheFolderIsGone) {
  const Folder folder;
  const auto written = CheckpointFile(folder.path("gone/at"), "in").write(sample);
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().remedy, Remedy::retry);
  EXPECT_THAT(written.error().message, HasSubstr("make the folder"));
}

/// A file of three lines that is concluded up to its third one.
class OfAFile : public testing::Test {
 protected:
  OfAFile() {
    folder.write("in", "one\ntwo\nthree\n");
    at = {.line = 2, .byte = 8};
    at.fingerprint = *InputFile::open(folder.path("in"), test_hash())->fingerprint(8, 14);
  }
  [[nodiscard]] std::string fault() const {
    const auto fits = InputFile::open(folder.path("in"), test_hash())->matches(at);
    return fits ? "" : fits.error().message;
  }

  Folder folder;
  Checkpoint at;
};

TEST_F(OfAFile, FitsItAsItIsAndWhenItHasGrown) {
  EXPECT_EQ(fault(), "");
  folder.append("in", "four\n");
  EXPECT_EQ(fault(), "");
}

TEST_F(OfAFile, DoesNotFitAFileThatWasCutShort) {
  folder.write("in", "one\n");
  EXPECT_THAT(fault(), AllOf(HasSubstr("was cut short"), HasSubstr("source.file.checkpoint")));
}

TEST_F(OfAFile, DoesNotFitAFileWithAnotherStart) {
  folder.write("in", "uno\ntwo\nthree\nfour\n");
  EXPECT_THAT(fault(), HasSubstr("is not the file"));
}

TEST_F(OfAFile, DoesNotFitAFileWithAnotherLineBeforeTheCheckpoint) {
  const std::string start(5000, 'x');
  folder.write("in", start + "\ntwo\n");
  at = {.line = 2, .byte = 5005};
  at.fingerprint = *InputFile::open(folder.path("in"), test_hash())->fingerprint(5005, 5005);
  EXPECT_EQ(fault(), "");
  folder.write("in", start + "\ntvo\n");
  EXPECT_THAT(fault(), HasSubstr("is not the file"));
}

TEST(InputFiles, CountLinesFromAByteOn) {
  const Folder folder;
  folder.write("in", "one\ntwo\nthree");
  const auto file = InputFile::open(folder.path("in"), test_hash());
  EXPECT_EQ(*file->count_lines(0, 13, 100, false), 2);
  EXPECT_EQ(*file->count_lines(0, 13, 100, true), 3);
  EXPECT_EQ(*file->count_lines(4, 8, 100, true), 1);
}

TEST(InputFiles, AreRegularFiles) {
  const Folder folder;
  const auto file = InputFile::open(folder.path(""), test_hash());
  ASSERT_FALSE(file.has_value());
  EXPECT_THAT(file.error().message, HasSubstr("is no regular file"));
}

TEST(NamesOfContent, AreThoseOfTheFirstLine) {
  const Folder folder;
  folder.write("in", "one\r\ntwo\n");
  folder.write("grown", "one\r\ntwo\nthree\n");
  folder.write("other", "uno\r\ntwo\n");
  const auto name = [&](const char* file) {
    return *InputFile::open(folder.path(file), test_hash())->name_of_content();
  };
  EXPECT_EQ(name("in"), name("grown"));
  EXPECT_EQ(name("in"), name_of_content(test_hash(), "one"));
  EXPECT_NE(name("in"), name("other"));
}

}  // namespace
}  // namespace helsekontakter::file
