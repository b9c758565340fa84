#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>

namespace helsekontakter {

/// Stops a stream of changes of which too many are unusable: too many in a row, or too large a
/// share of the last 1000 noted. It stays pulled.
class Brake {
 public:
  struct Limits {
    std::uint32_t in_row_max = 200;
    double share_max = 0.5;
  };
  static constexpr std::size_t window = 1000;

  explicit Brake(Limits limits) : limits_(limits) {}

  /// Notes one change. Returns true when this one pulls the brake.
  bool note(bool unusable) {
    in_row_ = unusable ? in_row_ + 1 : 0;
    if (filled_ == window) {
      bad_ -= last_[at_] ? 1u : 0u;
    } else {
      ++filled_;
    }
    last_[at_] = unusable;
    bad_ += unusable ? 1u : 0u;
    at_ = (at_ + 1) % window;
    const bool over = in_row_ >= limits_.in_row_max ||
                      (filled_ == window &&
                       static_cast<double>(bad_) > limits_.share_max * static_cast<double>(window));
    if (!over || pulled_) return false;
    return pulled_ = true;
  }

  [[nodiscard]] bool pulled() const { return pulled_; }
  /// Another worker pulled it.
  void pull() { pulled_ = true; }
  /// What was noted before counts no longer.
  void release() { *this = Brake(limits_); }

 private:
  Limits limits_;
  bool pulled_ = false;
  std::uint32_t in_row_ = 0;
  std::size_t filled_ = 0;
  std::size_t at_ = 0;
  std::size_t bad_ = 0;
  std::bitset<window> last_;
};

}  // namespace helsekontakter
