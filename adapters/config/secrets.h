#pragma once

#include "adapters/config/configuration.h"
#include "adapters/crypto/keyed_hash.h"
#include "worker/domain/result.h"

#include <string>
#include <vector>

namespace helsekontakter::config {

/// Reads ledger.hmac_key_file: 32 bytes in base64. The message names the file, never its content.
[[nodiscard]] Result<crypto::KeyedHash::Key> read_hmac_key(const Configuration& configuration);

/// What is wrong with the files that the configuration names: missing, not readable, readable by
/// others (secrets.mode_check: fail), no key. Appends to `warnings` what is only to be mended.
/// Reads files, so it comes after load().
[[nodiscard]] std::vector<ConfigurationError> check_secrets(const Configuration& configuration,
                                                            std::vector<std::string>& warnings);

}  // namespace helsekontakter::config
