#include "adapters/crypto/secret_file.h"

#include "tests/unit/helseid/bench.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace helsekontakter::crypto {
namespace {

using helseid::test::KeyPath;
using testing::HasSubstr;

Result<std::string> read(const KeyPath& path, ModeCheck check = ModeCheck::fail,
                         std::vector<std::string>* warnings = nullptr) {
  return read_secret_file(path.str(), check, [&](const std::string& text) {
    if (warnings != nullptr) warnings->push_back(text);
  });
}

TEST(SecretFile, LosesOneNewlineAtItsEndAndNothingElse) {
  const KeyPath path;
  path.write(" secret \n");
  EXPECT_EQ(read(path).value(), " secret ");
  path.write("secret\n\n");
  EXPECT_EQ(read(path).value(), "secret\n");
  path.write("secret\r\n");
  EXPECT_EQ(read(path).value(), "secret");
  path.write(std::string("a\0b", 3));
  EXPECT_EQ(read(path).value(), std::string("a\0b", 3));
}

TEST(SecretFile, HoldsAtMost64KiB) {
  const KeyPath path;
  path.write(std::string(64 * 1024, 'x'));
  EXPECT_EQ(read(path).value().size(), 65'536U);
  path.write(std::string(64 * 1024 + 1, 'x'));
  EXPECT_THAT(read(path).error().message, HasSubstr("larger than 64 KiB"));
}

TEST(SecretFile, ThatIsAbsentEmptyOrNoFileIsRefusedByName) {
  const KeyPath path;
  EXPECT_THAT(read(path).error().message, HasSubstr(path.str() + ": cannot be opened"));
  path.write("\n");
  EXPECT_THAT(read(path).error().message, HasSubstr("is empty"));
  const auto folder = read_secret_file("/", ModeCheck::off, {});
  EXPECT_THAT(folder.error().message, HasSubstr("not a regular file"));
  EXPECT_EQ(folder.error().remedy, Remedy::stop);
}

TEST(SecretFile, ThatIsAPipeIsRefusedWithoutWaiting) {
  const KeyPath path;
  ASSERT_EQ(::mkfifo(path.str().c_str(), 0600), 0);
  EXPECT_THAT(read(path).error().message, HasSubstr("not a regular file"));
}

TEST(SecretFile, IsReadThroughASymbolicLink) {
  const KeyPath path;
  const KeyPath link;
  path.write("secret");
  std::filesystem::create_symlink(path.str(), link.str());
  EXPECT_EQ(read(link).value(), "secret");
}

struct Mode {
  unsigned bits;
  bool loose;
};

class SecretFileMode : public testing::TestWithParam<Mode> {};

TEST_P(SecretFileMode, IsCheckedAsTheSettingSays) {
  const KeyPath path;
  path.write("secret");
  path.mode(GetParam().bits);
  std::vector<std::string> warnings;
  EXPECT_TRUE(read(path, ModeCheck::off, &warnings));
  EXPECT_TRUE(warnings.empty());
  EXPECT_TRUE(read(path, ModeCheck::warn, &warnings));
  EXPECT_EQ(warnings.size(), GetParam().loose ? 1U : 0U);
  EXPECT_EQ(read(path, ModeCheck::fail).has_value(), !GetParam().loose);
  EXPECT_TRUE(read_secret_file(path.str(), ModeCheck::warn, {}));
}

INSTANTIATE_TEST_SUITE_P(Modes, SecretFileMode,
                         testing::Values(Mode{0600, false}, Mode{0400, false}, Mode{0700, false},
                                         Mode{0640, true}, Mode{0604, true}, Mode{0444, true},
                                         Mode{0620, true}, Mode{0602, true}, Mode{0666, true}));

}  // namespace
}  // namespace helsekontakter::crypto
