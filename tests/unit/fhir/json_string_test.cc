#include "worker/fhir/bundle.h"

#include <cstddef>
#include <random>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <simdjson.h>

namespace helsekontakter::fhir {
namespace {

std::string json_of(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string read_back(const std::string& json) {
  simdjson::dom::parser parser;
  return std::string(std::string_view(parser.parse(json)));
}

TEST(JsonString, QuotesPlainText) {
  EXPECT_EQ(json_of(""), R"("")");
  EXPECT_EQ(json_of("Studentsamskipnaden i Oslo"), R"("Studentsamskipnaden i Oslo")");
}

TEST(JsonString, LeavesLettersBeyondAsciiAsTheyAre) {
  EXPECT_EQ(json_of("Bærum, Tromsø – 日本 🩺"), "\"Bærum, Tromsø – 日本 🩺\"");
}

TEST(JsonString, EscapesQuotesBackslashesAndControls) {
  EXPECT_EQ(json_of("a\"b\\c\n\r\t"), R"("a\"b\\c\n\r\t")");
  EXPECT_EQ(json_of(std::string_view("\0\x1f\x7f", 3)), "\"\\u0000\\u001f\x7f\"");
}

TEST(JsonString, FindsEverySpecialByteAtEveryPlace) {
  for (int byte = 0; byte < 128; ++byte) {
    for (std::size_t place = 0; place < 20; ++place) {
      std::string text(20, '#');
      text[place] = static_cast<char>(byte);
      EXPECT_EQ(read_back(json_of(text)), text) << byte << " at " << place;
    }
  }
}

/// Words that an escape could break: specials beside each other, at ends, beside UTF-8.
std::string random_text(std::mt19937_64& random) {
  static constexpr std::string_view words[] = {"a",    "\"", "\\", "\n", "\x01", "æøå",
                                               "🩺", " ",  "/",  "12", "\x7f", "abcdefgh"};
  std::string text;
  for (std::size_t left = random() % 24; left > 0; --left) text += words[random() % 12];
  return text;
}

TEST(JsonString, IsReadBackAsItWasByAParser) {
  for (std::uint64_t seed = 1; seed <= 5000; ++seed) {
    std::mt19937_64 random(seed);
    const std::string text = random_text(random);
    ASSERT_EQ(read_back(json_of(text)), text) << "seed " << seed;
  }
}

}  // namespace
}  // namespace helsekontakter::fhir
