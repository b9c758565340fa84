#pragma once

#include "adapters/ledger/identity.h"
#include "worker/domain/result.h"
#include "worker/ledger/shared.h"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace helsekontakter::kafka {

/// A record of the shared topic. The key is readable text that names the subject ("identity",
/// "hold/operator/948554062", "offering/" and 32 hexadecimal digits), so that compaction keeps the
/// newest of each; the value is a format number and packed fields.
struct SharedRecord {
  std::string key;
  std::string value;
};

[[nodiscard]] SharedRecord encode_shared(const SharedFact& fact);
[[nodiscard]] SharedRecord encode_shared(const ledger::Identity& identity);

/// Nothing: a kind that this release does not know, or a record that was deleted; to be passed
/// over. A newer format, or a value that cannot be read: Remedy::stop, saying what to do.
using SharedContent = std::optional<std::variant<SharedFact, ledger::Identity>>;
[[nodiscard]] Result<SharedContent> decode_shared(std::string_view key, std::string_view value);

}  // namespace helsekontakter::kafka
