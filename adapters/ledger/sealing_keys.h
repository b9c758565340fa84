#pragma once

#include "adapters/crypto/keyed_hash.h"
#include "adapters/crypto/secret_file.h"
#include "worker/domain/result.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace helsekontakter::ledger {

/// The keys of ledger.sealing_key_files, newest first: the first one seals, each one opens.
/// AES-256-GCM with a random 96-bit nonce, so a key is good for 2^32 sealings. Sealed bytes name
/// their key by four bytes of a hash of it. Const calls from any thread.
class SealingKeys {
 public:
  using Key = crypto::KeyedHash::Key;
  static constexpr std::size_t overhead = 4 + 12 + 16;  ///< key id, nonce, tag

  /// At least one key; the same key twice is one.
  [[nodiscard]] static Result<SealingKeys> make(std::span<const Key> newest_first);
  /// Reads the files: 32 bytes each, in base64. Remedy: stop; messages name the file.
  [[nodiscard]] static Result<SealingKeys> read(
      std::span<const std::string> files, crypto::ModeCheck mode_check,
      const std::function<void(const std::string&)>& warn);

  /// Appends the sealed text. `bound` is not stored: opening needs the same.
  void seal(std::string_view text, std::string_view bound, std::string& out) const;
  /// The text again. A key that is not there, or bytes that were changed: Remedy::stop.
  [[nodiscard]] Result<std::string> open(std::string_view sealed, std::string_view bound) const;

 private:
  struct Cipher;
  struct Named {
    std::array<std::uint8_t, 4> id{};
    Key key{};
  };
  explicit SealingKeys(std::vector<Named> keys);

  std::vector<Named> keys_;
  std::shared_ptr<const Cipher> cipher_;
};

}  // namespace helsekontakter::ledger
