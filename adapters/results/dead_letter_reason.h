#pragma once

#include "worker/domain/verdict.h"
#include "worker/ports/commands.h"

#include <string>
#include <string_view>

namespace helsekontakter::results {

/// The header or property that says why an event is a dead letter; there is one, however often it
/// comes back.
inline constexpr std::string_view error_header = "helsekontakter-error";

/// The media type of a dead letter that refers to its event instead of copying it.
inline constexpr std::string_view reference_content_type =
    "application/vnd.helsekontakter.reference+json";

/// True for verdicts whose event is copied to where dead letters go.
[[nodiscard]] constexpr bool is_dead_letter(Verdict verdict) {
  return verdict == Verdict::rejected || verdict == Verdict::undecodable ||
         verdict == Verdict::expired;
}

/// What is wrong and where the event stood, as JSON: `origin` is the name of the input. No text of
/// the event: only closed codes and numbers.
[[nodiscard]] std::string dead_letter_reason(const Conclusion& conclusion, std::string_view origin);

}  // namespace helsekontakter::results
