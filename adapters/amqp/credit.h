#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace helsekontakter::amqp {

/// How many messages a broker may send, so that what was granted or waits fits both limits. AMQP
/// grants messages, not bytes: the mean size of what came says how many fit. At least one, or
/// nothing would ever come.
class CreditWindow {
 public:
  CreditWindow(std::size_t places_max, std::size_t bytes_max)
      : places_max_(places_max), bytes_max_(bytes_max) {}

  void received(std::size_t bytes) {
    // A large one counts at once, small ones make the mean fall slowly.
    mean_ = std::max(bytes, mean_ - mean_ / 16 + bytes / 16);
  }

  [[nodiscard]] std::size_t places() const {
    return std::clamp<std::size_t>(bytes_max_ / std::max<std::size_t>(mean_, 1), 1, places_max_);
  }

  /// Credit to add while `held` messages are granted or wait. In portions, or each message would
  /// cost a flow frame.
  [[nodiscard]] std::uint32_t to_grant(std::size_t held) const {
    const std::size_t places = this->places();
    if (held >= places) return 0;
    const std::size_t free = places - held;
    return free * 4 >= places ? static_cast<std::uint32_t>(free) : 0;
  }

 private:
  std::size_t places_max_;
  std::size_t bytes_max_;
  std::size_t mean_ = 2048;
};

}  // namespace helsekontakter::amqp
