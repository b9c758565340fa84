#pragma once

#include "adapters/ledger/record_format.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace helsekontakter::ledger {

/// A record format with an HMAC key made of this byte.
inline std::shared_ptr<const RecordFormat> format_of(std::uint8_t hmac, std::uint32_t partitions) {
  crypto::KeyedHash::Key secret;
  secret.fill(hmac);
  const auto fingerprint = fingerprint_of(crypto::KeyedHash(secret));
  secret.fill(0x5e);
  const std::vector<crypto::KeyedHash::Key> keys{secret};
  return std::make_shared<const RecordFormat>(Identity{fingerprint, partitions},
                                              *SealingKeys::make(keys), BundleForm{});
}

}  // namespace helsekontakter::ledger
