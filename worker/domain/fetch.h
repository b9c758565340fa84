#pragma once

#include <cstddef>

namespace helsekontakter {

/// Asks for the memory of an object that is needed soon. What the core holds outweighs the
/// processor's caches many times over, so most of its time would be waiting for memory; asked for
/// several objects ahead, the waits overlap.
template <class T>
void fetch_lines(const T& object) {
  constexpr std::size_t line = 64;
  const char* begin = reinterpret_cast<const char*>(&object);
  for (std::size_t at = 0; at < sizeof(T); at += line) __builtin_prefetch(begin + at);
}
/// How far ahead; what is found by way of another object, half as far.
inline constexpr std::size_t fetched_ahead = 16;

}  // namespace helsekontakter
