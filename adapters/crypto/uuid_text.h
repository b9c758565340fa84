#pragma once

#include "worker/domain/bytes.h"

#include <cstddef>

namespace helsekontakter::crypto {

inline constexpr std::size_t uuid_text_length = 36;

/// Writes the 36 characters of Uuid::text(), without an end, to where there is room for them.
void write_text(const Uuid& uuid, char* out);

}  // namespace helsekontakter::crypto
