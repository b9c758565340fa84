#pragma once

#include "worker/domain/time.h"

#include <optional>
#include <string_view>

namespace helsekontakter::https {

/// Reads an HTTP date in its one current form, "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7).
/// The name of the day is not checked. The obsolete forms are not read.
[[nodiscard]] std::optional<WallTime> parse_date(std::string_view text);

/// Reads a Retry-After header: seconds, or an HTTP date counted from `now`. A date that is over
/// gives zero; more than an hour gives an hour, since a longer wait is a fault of the peer.
[[nodiscard]] std::optional<Milliseconds> parse_retry_after(std::string_view text, WallTime now);

}  // namespace helsekontakter::https
