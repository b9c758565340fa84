#pragma once

#include "worker/domain/result.h"
#include "worker/domain/time.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

namespace helsekontakter::amqp {

/// What became of one record.
struct Recording {
  bool durable = false;
  std::size_t results = 0;
  std::size_t dead_letters = 0;
  std::uint32_t refused = 0;  ///< messages that the broker released, rejected or modified
  Milliseconds took{};
};

/// Hooks for telemetry. Each may be empty; they are called from the adapter's threads, so they must
/// be quick and must not throw.
struct Observer {
  /// The receiving link is there, or gone.
  std::function<void(bool attached)> attached;
  std::function<void(std::size_t messages, std::size_t bytes)> read;
  /// A message that was delivered before; `count` as the broker says, at least 1.
  std::function<void(std::uint32_t count)> redelivered;
  std::function<void(std::size_t deliveries)> unsettled;
  /// With SourceSettings::drain, once.
  std::function<void()> drained;
  std::function<void(const Recording&)> recorded;
  /// One sentence for a person: what is wrong and what to try.
  std::function<void(const Error&)> trouble;
};

/// Calls a hook that may be empty.
template <class Hook, class... Arguments>
void tell(const Hook& hook, Arguments&&... arguments) {
  if (hook) hook(std::forward<Arguments>(arguments)...);
}

}  // namespace helsekontakter::amqp
