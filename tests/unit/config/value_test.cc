#include "adapters/config/value.h"

#include "tests/unit/config/sample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::config {
namespace {

using testing::HasSubstr;

std::string fault_of(std::string_view yaml) {
  const auto value = parse_yaml(yaml);
  return value ? "" : value.error().message;
}

TEST(Yaml, NamesTheLineOfAFault) {
  EXPECT_THAT(fault_of("a: 1\nb: [1, 2\n"), HasSubstr("is not valid YAML at line"));
}

TEST(Yaml, IsOneDocument) {
  EXPECT_THAT(fault_of("a: 1\n---\nb: 2\n"), HasSubstr("more than one"));
}

TEST(Yaml, IsAMebibyteAtMost) {
  EXPECT_THAT(fault_of(std::string(1024 * 1024 + 1, '#')), HasSubstr("larger than 1 MiB"));
  EXPECT_EQ(fault_of(std::string(1024 * 1024, '#')), "");
}

TEST(Yaml, DoesNotGrowWithoutBoundThroughAliases) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string above = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) text += (j > 0 ? ", " : "") + above;
    text += "]\n";
  }
  EXPECT_THAT(fault_of(text), HasSubstr("more than 100000 values"));
}

TEST(Yaml, IsNotNestedForEver) {
  EXPECT_THAT(fault_of(std::string(100, '[') + std::string(100, ']')), HasSubstr("nested"));
  EXPECT_NE(fault_of(std::string(200'000, '[')), "");
}

TEST(Yaml, RefusesKeysThatAreNoTexts) {
  EXPECT_THAT(fault_of("? [a, b]\n: c\n"), HasSubstr("a key that is no text at line 1"));
}

TEST(Yaml, MayBeEmpty) {
  EXPECT_EQ(fault_of(""), "");
  EXPECT_THAT(errors_of(""), HasSubstr("environment: is missing"));
}

}  // namespace
}  // namespace helsekontakter::config
