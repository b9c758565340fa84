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

  /// The same for a link that has `credit`, while `waiting` messages wait and there is room for so
  /// many more. Less than none is what a broker took that sent more than was granted
  /// (RabbitMQ 3.10: a thousand, when credit stops at the limit): it is given back too, or the link
  /// would have none after the grant, and nothing would ever come.
  [[nodiscard]] std::uint32_t to_add(int credit, std::size_t waiting, std::size_t room) const {
    const auto granted = static_cast<std::size_t>(std::max(credit, 0));
    if (granted >= room) return 0;
    const auto more = static_cast<std::uint32_t>(
        std::min<std::size_t>(to_grant(granted + waiting), room - granted));
    return more > 0 && credit < 0 ? more + static_cast<std::uint32_t>(-credit) : more;
  }

 private:
  std::size_t places_max_;
  std::size_t bytes_max_;
  std::size_t mean_ = 2048;
};

}  // namespace helsekontakter::amqp
