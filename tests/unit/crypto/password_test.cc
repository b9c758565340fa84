#include "adapters/crypto/password.h"

#include <cstdio>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace helsekontakter::crypto {
namespace {

using ::testing::HasSubstr;

TEST(Password, OfAFileIsReadAgainEachTime) {
  const std::string path = ::testing::TempDir() + "password-" + std::to_string(::getpid());
  std::ofstream(path) << "first\n";
  const auto password = Password::of_file(path, ModeCheck::off);
  ASSERT_TRUE(password) << password.error().message;
  EXPECT_EQ(password->read(), "first");
  std::ofstream(path) << "second\n";
  EXPECT_EQ(password->read(), "second");
  std::remove(path.c_str());
  const auto gone = password->read();
  ASSERT_FALSE(gone);
  EXPECT_THAT(gone.error().message, HasSubstr(path));
}

TEST(Password, OfAFileThatIsNotThereIsRefusedAtOnce) {
  EXPECT_FALSE(Password::of_file("/nowhere", ModeCheck::off));
}

TEST(Password, WithoutAFileStaysAsItIs) {
  EXPECT_EQ(Password("secret").read(), "secret");
  EXPECT_EQ(Password::of_file("", ModeCheck::fail)->read(), "");
}

}  // namespace
}  // namespace helsekontakter::crypto
