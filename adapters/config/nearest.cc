#include "adapters/config/nearest.h"

#include "adapters/config/option.h"

#include <algorithm>
#include <vector>

namespace helsekontakter::config {
namespace {

constexpr std::size_t length_max = 128;

std::string_view last_part(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? path : path.substr(dot + 1);
}

std::string_view section_of(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : path.substr(0, dot);
}

/// Smaller is nearer. A name begun or cut short is near whatever its length ("password" and
/// "password_file"); so is the right name in the wrong section.
std::size_t distance(std::string_view unknown, std::string_view known) {
  const std::string_view unknown_name = last_part(unknown);
  const std::string_view known_name = last_part(known);
  std::size_t names = edit_distance(unknown_name, known_name);
  if (unknown_name.size() >= 3 && known_name.size() >= 3 &&
      (known_name.starts_with(unknown_name) || unknown_name.starts_with(known_name))) {
    names = std::min<std::size_t>(names, 1);
  }
  const std::size_t sections = edit_distance(section_of(unknown), section_of(known));
  return 4 * names + std::min<std::size_t>(sections, 8);
}

}  // namespace

std::size_t edit_distance(std::string_view one, std::string_view other) {
  one = one.substr(0, length_max);
  other = other.substr(0, length_max);
  std::vector<std::size_t> before_last(other.size() + 1);
  std::vector<std::size_t> last(other.size() + 1);
  std::vector<std::size_t> current(other.size() + 1);
  for (std::size_t j = 0; j <= other.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= one.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= other.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (one[i - 1] == other[j - 1] ? 0 : 1);
      current[j] = std::min({last[j] + 1, current[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1]) {
        current[j] = std::min(current[j], before_last[j - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, current);
  }
  return last[other.size()];
}

std::string nearest_key(std::string_view unknown) {
  std::string_view nearest;
  const std::size_t acceptable = 4 * std::max<std::size_t>(2, last_part(unknown).size() / 2);
  std::size_t least = acceptable + 1;
  const auto consider = [&](std::string_view known) {
    const std::size_t far = distance(unknown, known);
    if (far < least) {
      least = far;
      nearest = known;
    }
  };
  for (const Option& option : option_table()) {
    consider(option.path);
    for (std::size_t dot = option.path.find('.'); dot != std::string_view::npos;
         dot = option.path.find('.', dot + 1)) {
      consider(option.path.substr(0, dot));
    }
  }
  return std::string(nearest);
}

}  // namespace helsekontakter::config
