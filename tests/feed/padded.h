#pragma once

#include <string>

namespace helsekontakter::feed {

/// Digits with leading zeros; `unit` is the place of the first: 1'000 for four.
inline void append_padded(std::string& out, unsigned value, unsigned unit) {
  for (; unit > 0; unit /= 10) out += static_cast<char>('0' + value / unit % 10);
}

}  // namespace helsekontakter::feed
