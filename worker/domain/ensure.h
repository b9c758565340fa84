#pragma once

#include <source_location>
#include <stdexcept>
#include <string>

namespace helsekontakter {

/// A fault of ours: a promise between our own parts was broken. Never thrown for what the outside
/// world sends. Only main() catches it; the process ends with status 1 and restarts from durable
/// state.
class ProgrammerError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Stays on in release builds. Throws ProgrammerError naming the place of the broken promise.
inline void ensure(bool holds,
                   const std::source_location& where = std::source_location::current()) {
  if (!holds) [[unlikely]] {
    throw ProgrammerError(std::string("promise broken at ") + where.file_name() + ":" +
                          std::to_string(where.line()) + " in " + where.function_name());
  }
}

}  // namespace helsekontakter
