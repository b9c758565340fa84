#pragma once

#include "worker/domain/bytes.h"
#include "worker/domain/result.h"

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace helsekontakter::crypto {

/// HMAC-SHA256 with one key (ledger.hmac_key_file), its inner and outer state kept ready, so that
/// hashing a short text costs a few blocks. Copyable; const calls from any thread.
class KeyedHash {
 public:
  using Key = std::array<std::uint8_t, 32>;
  explicit KeyedHash(const Key& key);

  /// HMAC of the parts, each followed by U+001F, the first 16 bytes.
  template <class Tag>
  [[nodiscard]] Digest<Tag> digest(std::initializer_list<std::string_view> parts) const {
    return Digest<Tag>{compute(parts)};
  }

 private:
  [[nodiscard]] std::array<std::uint8_t, 16> compute(
      std::initializer_list<std::string_view> parts) const;

  /// SHA-256's chaining value after the key's block.
  struct State {
    std::array<std::uint32_t, 8> words;
  };
  State inner_{};
  State outer_{};
};

/// Reads the content of ledger.hmac_key_file: 32 bytes in base64 (RFC 4648, with or without its
/// padding), white space around it allowed. Remedy: stop. The message never shows the content.
[[nodiscard]] Result<KeyedHash::Key> parse_key(std::string_view base64);

/// UUIDv5 (SHA-1) of the parts joined by U+001F, under a namespace.
[[nodiscard]] Uuid uuid_v5(const Uuid& name_space, std::initializer_list<std::string_view> parts);

/// A random UUIDv4 from the system's generator.
[[nodiscard]] Uuid uuid_v4();

}  // namespace helsekontakter::crypto
