#include "adapters/results/room.h"

#include <cstdio>
#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace helsekontakter::results {
namespace {

std::string escaped(const std::string& text) {
  Room room;
  room.clear(6 * text.size());
  room.put_escaped(text);
  return std::string(room.text());
}

std::string as_json_has_it(char c) {
  if (c == '"') return "\\\"";
  if (c == '\\') return "\\\\";
  if (static_cast<unsigned char>(c) >= 0x20) return {c};
  char text[8];
  std::snprintf(text, sizeof text, "\\u%04x", static_cast<unsigned>(c));
  return text;
}

TEST(Room, EscapesEveryByteInEveryPlaceOfEveryLength) {
  for (std::size_t length = 1; length < 28; ++length) {
    for (std::size_t at = 0; at < length; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(length, 'x');
        text[at] = static_cast<char>(byte);
        const std::string expected = std::string(at, 'x') +
                                     as_json_has_it(static_cast<char>(byte)) +
                                     std::string(length - at - 1, 'x');
        ASSERT_EQ(escaped(text), expected) << length << " " << at << " " << byte;
      }
    }
  }
}

TEST(Room, TakesSixTimesTheBytesAtMost) {
  EXPECT_EQ(escaped(std::string(100, '\1')).size(), 600u);
  EXPECT_EQ(escaped(""), "");
}

TEST(Room, ForgetsTheTextBeforeAndGrows) {
  Room room;
  room.clear(4);
  room.put("abcd");
  room.clear(100);
  room.put(std::string(80, 'e'));
  room.put_number(std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(room.text(), std::string(80, 'e') + "-9223372036854775808");
}

}  // namespace
}  // namespace helsekontakter::results
