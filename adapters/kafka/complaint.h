#pragma once

#include "adapters/kafka/client.h"

#include <mutex>
#include <string>
#include <string_view>

namespace helsekontakter::kafka {

/// Why a client reaches no broker, in librdkafka's own words: the last that tell something. It
/// tries all brokers and all addresses of a name in turn, so that one that nobody answers at (the
/// IPv6 one, say) is often the last to be heard of; what another has answered (a wrong password, a
/// certificate) stays. Any thread.
class Complaint {
 public:
  /// A line of librdkafka's log that is an error.
  void hear(std::string_view line) {
    const std::lock_guard lock(mutex_);
    if (!text_.empty() && is_unanswered(line) && !is_unanswered(text_)) return;
    text_ = without_counts(line);
  }
  /// Empty: nothing was heard.
  [[nodiscard]] std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  static bool is_unanswered(std::string_view line) {
    return line.find(": Connect to ") != std::string_view::npos ||
           line.find(": Failed to resolve ") != std::string_view::npos;
  }

  mutable std::mutex mutex_;
  std::string text_;
};

}  // namespace helsekontakter::kafka
