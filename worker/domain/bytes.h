#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace helsekontakter {

/// 16 bytes of a keyed hash (HMAC-SHA256, truncated). Safe to print as hex: it cannot be reversed
/// without the key. The tag keeps digests of different things apart.
template <class Tag>
struct Digest {
  std::array<std::uint8_t, 16> bytes{};

  friend bool operator==(const Digest&, const Digest&) = default;
  friend auto operator<=>(const Digest&, const Digest&) = default;

  /// 32 lower-case hexadecimal digits.
  [[nodiscard]] std::string hex() const {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    out.reserve(32);
    for (const std::uint8_t byte : bytes) {
      out += digits[byte >> 4];
      out += digits[byte & 0xf];
    }
    return out;
  }
};

/// HMAC of the unit of order: (organisation number, member identifier), or (organisation number,
/// service id) for an offering.
using MemberKey = Digest<struct MemberKeyTag>;
/// HMAC of an event's identity: (source, id, resend id).
using EventDigest = Digest<struct EventDigestTag>;
/// HMAC of the normalised data without its version.
using ContentDigest = Digest<struct ContentDigestTag>;

/// For unordered containers: the bytes are a keyed hash already, so eight of them are one too.
struct DigestHash {
  template <class Tag>
  std::size_t operator()(const Digest<Tag>& digest) const noexcept {
    std::size_t value = 0;
    std::memcpy(&value, digest.bytes.data(), sizeof value);
    return value;
  }
};

/// An RFC 4122 UUID, 16 bytes in network order.
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  friend bool operator==(const Uuid&, const Uuid&) = default;
  friend auto operator<=>(const Uuid&, const Uuid&) = default;

  /// 36 characters, lower case, with hyphens.
  [[nodiscard]] std::string text() const;
  /// Appends text() to out.
  void append_to(std::string& out) const;
  /// Reads 36 characters with hyphens in either case; nothing else is a UUID.
  [[nodiscard]] static std::optional<Uuid> parse(std::string_view text);
};

}  // namespace helsekontakter
