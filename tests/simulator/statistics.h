#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace helsekontakter::simulator {

/// Counters by dotted name ("api.refused.content_type"), printed as nested JSON. Owned by the
/// server's only thread.
class Statistics {
 public:
  /// The counters that are printed also while they are nought.
  Statistics();

  void count(std::string_view name, std::uint64_t amount = 1);
  void set(std::string_view name, std::uint64_t value);
  [[nodiscard]] std::uint64_t value(std::string_view name) const;
  [[nodiscard]] std::string json() const;

 private:
  std::map<std::string, std::uint64_t, std::less<>> counters_;
};

}  // namespace helsekontakter::simulator
