#pragma once

#include "worker/domain/time.h"
#include "worker/ports/commands.h"
#include "worker/submission/outcome.h"

#include <optional>
#include <string_view>
#include <vector>

namespace helsekontakter::json {

/// Reads what the endpoint answered to a Bundle of these entries. All tolerated forms:
/// contract/medlemstjenester 9. A 2xx gives Answered (one EntryAnswer for each reference, in
/// their order) or Unreadable; everything else gives Refused. Matching: identifier, fullUrl or
/// location, then position where the counts agree; never a guess. Never throws. Texts are scrubbed
/// of identity numbers and at most 256 characters.
[[nodiscard]] SubmissionOutcome read_answer(int http_status, std::string_view body, Lane lane,
                                            const std::vector<EntryReference>& entries,
                                            std::optional<Milliseconds> retry_after);

}  // namespace helsekontakter::json
