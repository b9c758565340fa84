#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace helsekontakter::simulator {

using Octets = std::string;  ///< bytes that are not text

/// The same bytes as OpenSSL takes them.
[[nodiscard]] inline const std::uint8_t* bytes(std::string_view octets) {
  return reinterpret_cast<const std::uint8_t*>(octets.data());
}

/// Base64url without padding, RFC 4648 section 5. Decoding is strict: padding, other characters
/// and stray bits are refused.
[[nodiscard]] std::string base64url(std::string_view octets);
[[nodiscard]] std::optional<Octets> from_base64url(std::string_view text);

[[nodiscard]] Octets sha256(std::string_view octets);
[[nodiscard]] Octets random_octets(std::size_t count);

/// Appends a JSON string with its quotes.
void append_json(std::string& out, std::string_view text);

/// Percent-decodes one part of an application/x-www-form-urlencoded body.
[[nodiscard]] std::optional<std::string> from_form(std::string_view text);

/// Text for the log: runs of exactly eleven digits replaced, control characters dropped, at most
/// 300 characters. What a client sends may hold an identity number anywhere.
[[nodiscard]] std::string scrubbed(std::string_view text);

/// HMAC-SHA256 with one key, cut to 16 bytes. The two half-hashed blocks of the key are kept, so
/// that a short text costs two blocks. Written apart from adapters/crypto: an oracle that shared
/// code with what it judges would share its faults.
class MemberHash {
 public:
  using Digest = std::array<std::uint8_t, 16>;
  explicit MemberHash(std::string_view key);

  /// Digest of organisation and member, joined by U+001F.
  [[nodiscard]] Digest operator()(std::string_view organization, std::string_view member) const;

 private:
  struct State {
    std::array<std::uint32_t, 8> words{};
  };
  State inner_;
  State outer_;
};

}  // namespace helsekontakter::simulator
