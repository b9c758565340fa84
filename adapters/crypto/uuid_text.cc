#include "adapters/crypto/uuid_text.h"

#include <array>
#include <cstring>

namespace helsekontakter::crypto {
namespace {

/// The two digits of each byte, side by side.
constexpr std::array<char, 512> pairs = [] {
  constexpr char digits[] = "0123456789abcdef";
  std::array<char, 512> table{};
  for (std::size_t byte = 0; byte < 256; ++byte) {
    table[2 * byte] = digits[byte >> 4];
    table[2 * byte + 1] = digits[byte & 0xf];
  }
  return table;
}();

/// Writes `count` bytes from `from` on; returns where the next character goes.
template <std::size_t count>
char* write_bytes(const std::uint8_t* from, char* out) {
  for (std::size_t i = 0; i < count; ++i) std::memcpy(out + 2 * i, &pairs[2 * from[i]], 2);
  return out + 2 * count;
}

}  // namespace

void write_text(const Uuid& uuid, char* out) {
  const std::uint8_t* bytes = uuid.bytes.data();
  out = write_bytes<4>(bytes, out);
  *out++ = '-';
  out = write_bytes<2>(bytes + 4, out);
  *out++ = '-';
  out = write_bytes<2>(bytes + 6, out);
  *out++ = '-';
  out = write_bytes<2>(bytes + 8, out);
  *out++ = '-';
  write_bytes<6>(bytes + 10, out);
}

}  // namespace helsekontakter::crypto
