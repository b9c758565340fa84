#include "adapters/json/packed_headers.h"

#include <cstdint>

namespace helsekontakter::json {
namespace {

constexpr std::uint32_t null_length = 0xffffffff;

void append_length(std::string& out, std::uint32_t length) {
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(length >> shift & 0xff);
}

std::optional<std::uint32_t> take_length(std::string_view& packed) {
  if (packed.size() < 4) return std::nullopt;
  std::uint32_t length = 0;
  for (std::size_t i = 4; i-- > 0;) {
    length = length << 8 | static_cast<unsigned char>(packed[i]);
  }
  packed.remove_prefix(4);
  return length;
}

std::optional<std::string_view> take_text(std::string_view& packed) {
  const auto length = take_length(packed);
  if (!length) return std::nullopt;
  if (*length == null_length) return std::string_view{};
  if (packed.size() < *length) return std::nullopt;
  const std::string_view text = packed.substr(0, *length);
  packed.remove_prefix(*length);
  return text;
}

}  // namespace

std::string pack_headers(std::span<const HeaderView> headers) {
  std::string out;
  for (const auto& [name, value] : headers) {
    append_length(out, static_cast<std::uint32_t>(name.size()));
    out += name;
    append_length(out,
                  value.data() == nullptr ? null_length : static_cast<std::uint32_t>(value.size()));
    out += value;
  }
  return out;
}

std::optional<std::vector<HeaderView>> unpack_headers(std::string_view packed) {
  std::vector<HeaderView> headers;
  while (!packed.empty()) {
    const auto name = take_text(packed);
    if (!name) return std::nullopt;
    const auto value = take_text(packed);
    if (!value) return std::nullopt;
    headers.emplace_back(*name, *value);
  }
  return headers;
}

}  // namespace helsekontakter::json
