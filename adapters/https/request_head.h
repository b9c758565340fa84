#pragma once

#include "adapters/https/http.h"

#include <string>

namespace helsekontakter::https {

/// The request line and headers of a request, up to and with the empty line. Refuses a method,
/// target or header that would break out of its line; the message names the header, never its
/// value.
[[nodiscard]] Result<std::string> compose_head(const Request& request, std::size_t body_bytes);

}  // namespace helsekontakter::https
