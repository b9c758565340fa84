#pragma once

#include "worker/domain/result.h"
#include "worker/domain/time.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

namespace helsekontakter::file {

/// How far the file is behind, in lines; about once a second.
struct Lag {
  std::int64_t unread = 0;       ///< estimated: bytes that are not read, by the mean line so far
  std::int64_t unconcluded = 0;  ///< the same, and what was read and is not durable
};

/// What became of one record.
struct Recording {
  bool durable = false;
  std::size_t results = 0;
  std::size_t dead_letters = 0;
  std::uint32_t attempts = 0;
  Milliseconds took{};
};

/// Hooks for telemetry and for the program. Each may be empty; they are called from the adapter's
/// threads, so they must be safe for that, quick, and must not throw.
struct Observer {
  std::function<void(const Lag&)> lag;
  std::function<void(std::size_t records, std::size_t bytes)> read;
  std::function<void()> opened;  ///< reading begins, or begins anew after a failed record
  std::function<void(bool held)> held;
  std::function<void(const Recording&)> recorded;
  /// One sentence for a person: what is wrong and what to try. Work goes on when it is mended.
  std::function<void(const Error&)> trouble;
  /// Nothing this process does can mend it: end with a fault.
  std::function<void(const Error&)> failed;
  /// Standard input: its end is reached and everything of it is durable.
  std::function<void()> ended;
};

/// Calls a hook that may be empty.
template <class Hook, class... Arguments>
void tell(const Hook& hook, Arguments&&... arguments) {
  if (hook) hook(std::forward<Arguments>(arguments)...);
}

}  // namespace helsekontakter::file
