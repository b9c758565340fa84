#include "adapters/crypto/uuid_text.h"

#include <string>

#include <gtest/gtest.h>

namespace helsekontakter::crypto {
namespace {

TEST(UuidText, IsThatOfTheUuidForEveryByteInEveryPlace) {
  for (std::size_t at = 0; at < 16; ++at) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      Uuid uuid;
      uuid.bytes[at] = static_cast<std::uint8_t>(byte);
      std::string text(uuid_text_length, '?');
      write_text(uuid, text.data());
      EXPECT_EQ(text, uuid.text());
    }
  }
}

}  // namespace
}  // namespace helsekontakter::crypto
