#pragma once

#include "worker/domain/time.h"
#include "worker/ports/digital_status.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace helsekontakter::json {

using StatusReading = tl::expected<std::vector<DigitalStatus>, StatusFailure>;

/// Reads an answer of HelsenorgeAktivSjekken (contract/medlemstjenester 10): one status for each
/// identifier. Active is who is so alone, or through others, or is reached by a representative;
/// both spellings are read. Whoever the answer leaves out is unknown; one that speaks of nobody who
/// was asked for cannot be read. Total, and callable from any thread.
[[nodiscard]] StatusReading read_statuses(int http_status, std::string_view body,
                                          const std::vector<std::string>& identifiers,
                                          std::optional<Milliseconds> retry_after);

}  // namespace helsekontakter::json
