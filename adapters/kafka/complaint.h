#pragma once

#include "adapters/kafka/client.h"

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace helsekontakter::kafka {

/// Why a client reaches no broker, in librdkafka's own words: the last that tell most. It tries all
/// brokers and all addresses of a name in turn, so that one that nobody answers at (the IPv6 one,
/// say) is often the last to be heard of; what another has answered (a wrong password, a
/// certificate) stays. That all brokers are down says least. Any thread.
class Complaint {
 public:
  /// A line of librdkafka's log that is an error.
  void hear(std::string_view line) {
    const std::lock_guard lock(mutex_);
    if (!text_.empty() && tells(line) < tells(text_)) return;
    text_ = without_counts(line);
  }
  /// Empty: nothing was heard.
  [[nodiscard]] std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  enum class Telling : std::uint8_t { that_all_are_down, that_nobody_answered, what_was_answered };

  static Telling tells(std::string_view line) {
    const auto says = [line](std::string_view words) {
      return line.find(words) != std::string_view::npos;
    };
    if (says(" brokers are down")) return Telling::that_all_are_down;
    if (says(": Connect to ") || says(": Failed to resolve ")) return Telling::that_nobody_answered;
    return Telling::what_was_answered;
  }

  mutable std::mutex mutex_;
  std::string text_;
};

}  // namespace helsekontakter::kafka
