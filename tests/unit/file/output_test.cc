#include "adapters/file/output.h"

#include "tests/unit/file/folder.h"

#include <csignal>
#include <cstdio>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

namespace helsekontakter::file {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr const char* option = "results.file.path";

TEST(Outputs, AreAppendedTo) {
  const Folder folder;
  folder.write("out", "old\n");
  Output output(folder.path("out"), option);
  ASSERT_TRUE(output.open());
  ASSERT_TRUE(output.append("one\n"));
  ASSERT_TRUE(output.append("two\nthree\n"));
  EXPECT_EQ(folder.read("out"), "old\none\ntwo\nthree\n");
}

TEST(Outputs, LoseALineThatACrashLeftTorn) {
  const Folder folder;
  folder.write("out", "whole\n{\"torn\":" + std::string(200'000, 'x'));
  Output output(folder.path("out"), option);
  ASSERT_TRUE(output.open());
  EXPECT_EQ(folder.read("out"), "whole\n");
  folder.write("torn_only", "{\"torn\":");
  Output other(folder.path("torn_only"), option);
  ASSERT_TRUE(other.open());
  EXPECT_EQ(folder.read("torn_only"), "");
}

TEST(Outputs, AreLockedAgainstASecondProcess) {
  const Folder folder;
  Output first(folder.path("out"), option);
  ASSERT_TRUE(first.open());
  Output second(folder.path("out"), option);
  const auto refused = second.open();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().remedy, Remedy::stop);
  EXPECT_THAT(refused.error().message, AllOf(HasSubstr("another process"), HasSubstr(option)));
}

TEST(Outputs, AreMadeAnewWhenTheyWereMovedAway) {
  const Folder folder;
  Output output(folder.path("out"), option);
  ASSERT_TRUE(output.append("one\n"));
  std::filesystem::rename(folder.path("out"), folder.path("out.1"));
  ASSERT_TRUE(output.append("two\n"));
  EXPECT_EQ(folder.read("out.1"), "one\n");
  EXPECT_EQ(folder.read("out"), "two\n");
}

TEST(Outputs, SayWhatToDoWhenTheFolderIsGoneAndGoOnWhenItIsBack) {
  const Folder folder;
  Output output(folder.path("sub/out"), option);
  const auto refused = output.append("one\n");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().remedy, Remedy::retry);
  EXPECT_THAT(refused.error().message, AllOf(HasSubstr(option), HasSubstr("make the folder")));
  std::filesystem::create_directory(folder.path("sub"));
  EXPECT_TRUE(output.append("one\n"));
  EXPECT_EQ(folder.read("sub/out"), "one\n");
}

/// No file of this process may grow beyond so many bytes, as on a full disk.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) {
    (void)std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
};

TEST(Outputs, TakeBackWhatDidNotFitWhole) {
  const Folder folder;
  Output output(folder.path("out"), option);
  ASSERT_TRUE(output.append("one\n"));
  {
    const FullDisk full(10);
    const auto refused = output.append("two\nthree\nfour\n");
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().remedy, Remedy::retry);
  }
  EXPECT_EQ(folder.read("out"), "one\n");
  EXPECT_TRUE(output.append("two\nthree\nfour\n"));
  EXPECT_EQ(folder.read("out"), "one\ntwo\nthree\nfour\n");
}

TEST(Outputs, AreRegularFiles) {
  const Folder folder;
  Output output("/dev/null", option);
  const auto refused = output.open();
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("is no regular file"));
}

}  // namespace
}  // namespace helsekontakter::file
