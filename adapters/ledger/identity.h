#pragma once

#include "adapters/crypto/keyed_hash.h"
#include "worker/domain/bytes.h"
#include "worker/domain/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace helsekontakter::ledger {

/// Tells keys of ledger.hmac_key_file apart without telling anything of them.
using Fingerprint = Digest<struct FingerprintTag>;

[[nodiscard]] Fingerprint fingerprint_of(const crypto::KeyedHash& hash);

/// What a ledger was made for. Stored with it; another one is refused, because its keys would match
/// nothing, and every member would be submitted again as if never heard of.
struct Identity {
  Fingerprint fingerprint;
  std::uint32_t partitions = 1;  ///< of the input and of the ledger
  friend bool operator==(const Identity&, const Identity&) = default;
};

/// Format number and fields, 19 bytes or a little more.
[[nodiscard]] std::string encode(const Identity& identity);
/// Refuses a newer format, and bytes that are no identity. Remedy: stop.
[[nodiscard]] Result<Identity> decode_identity(std::string_view bytes);

/// Says how `stored` and `ours` differ and what to do. Remedy: stop. `where` names the ledger.
[[nodiscard]] Result<void> compare(const Identity& stored, const Identity& ours,
                                   const std::string& where);

/// The number in front of everything durable. This release reads it and the one before, as far as
/// there was one; a newer one was written by a newer release.
inline constexpr std::uint8_t format_newest = 1;
inline constexpr std::uint8_t format_oldest = 1;

/// Remedy: stop.
[[nodiscard]] Result<void> check_format(std::uint8_t format);

}  // namespace helsekontakter::ledger
