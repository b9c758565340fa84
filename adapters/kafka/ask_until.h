#pragma once

#include "adapters/kafka/client.h"
#include "worker/domain/result.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

namespace helsekontakter::kafka {

/// The answer of a call that may overrun its own time-out: librdkafka 2.0.2's watermark call does
/// (its issue 4460). It is made on a thread that nobody waits for, so `question` must own all that
/// it touches. Blocks until the answer, until the deadline (then `unanswered`), or until stopped.
template <class T>
[[nodiscard]] Result<T> ask_until(std::chrono::steady_clock::time_point deadline,
                                  const std::stop_token& stop, Error unanswered,
                                  std::function<Result<T>()> question) {
  struct Answer {
    std::mutex mutex;
    std::condition_variable_any came;
    std::optional<Result<T>> value;
  };
  const auto answer = std::make_shared<Answer>();
  run_detached([answer, question = std::move(question)] {
    auto value = question();
    {
      const std::lock_guard lock(answer->mutex);
      answer->value.emplace(std::move(value));
    }
    answer->came.notify_all();
  });
  std::unique_lock lock(answer->mutex);
  answer->came.wait_until(lock, stop, deadline, [&] { return answer->value.has_value(); });
  if (answer->value) return std::move(*answer->value);
  if (stop.stop_requested()) return fail(Remedy::retry, "stopped while the brokers were asked");
  return tl::unexpected(std::move(unanswered));
}

}  // namespace helsekontakter::kafka
