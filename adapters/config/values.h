#pragma once

#include "adapters/config/error.h"
#include "adapters/config/option.h"
#include "adapters/config/value.h"
#include "worker/domain/time.h"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace helsekontakter::config {

using Environment = std::map<std::string, std::string>;

/// The path of an option of a section.
[[nodiscard]] inline std::string below(std::string_view section, std::string_view name) {
  return std::string(section) + "." + std::string(name);
}

/// The operator's values by option: those of the file, then those of variables in their place,
/// each checked against the option's type, range and availability. Where a value is missing or
/// wrong the getters give the default, so one fault does not show as several.
class Values {
 public:
  /// `file` is a map or nothing. Appends every fault to `errors`, which outlives this.
  Values(const Value& file, const Environment& environment,
         std::vector<ConfigurationError>& errors);

  /// Said by file or variable, and of the right form.
  [[nodiscard]] bool given(std::string_view path) const;
  /// Anything of this section was written, right or wrong.
  [[nodiscard]] bool mentions(std::string_view section) const;

  /// False when one of them was written wrong: what it contradicts cannot be told yet.
  [[nodiscard]] bool sound(std::initializer_list<std::string_view> paths) const;

  [[nodiscard]] bool boolean(std::string_view path) const;
  [[nodiscard]] double number(std::string_view path) const;
  [[nodiscard]] std::size_t size(std::string_view path) const;
  /// A text or a choice; empty without value and default.
  [[nodiscard]] std::string text(std::string_view path) const;
  [[nodiscard]] std::vector<std::string> list(std::string_view path) const;
  [[nodiscard]] std::map<std::string, std::string> map(std::string_view path) const;
  /// An option in `_ms`, `_s`, `_h` or `_d`.
  [[nodiscard]] Milliseconds duration(std::string_view path) const;
  /// As written, for the options that have a form of their own.
  [[nodiscard]] const Value& value(std::string_view path) const;

  /// The value of a choice, by its place among the option's choices: the enumeration has them in
  /// the same order.
  template <class Enum>
  [[nodiscard]] Enum choice(std::string_view path) const {
    return static_cast<Enum>(choice_index(path));
  }

  /// An error about the value of this option, with value and origin where they may be shown.
  [[nodiscard]] ConfigurationError error(std::string_view path, std::string message) const;

 private:
  void read_file(const Value& value, const std::string& prefix);
  void read_member(const std::string& path, const Value& value);
  void read_variables(const Environment& environment);
  void read_variable(const std::string& name, const std::string& path, const std::string& text);
  void check_all();
  [[nodiscard]] std::size_t choice_index(std::string_view path) const;

  std::map<std::string, Value, std::less<>> said_;      ///< by option path
  std::map<std::string, Value, std::less<>> defaults_;  ///< parsed once
  std::vector<std::string> mentioned_;                  ///< every path that was written
  std::vector<ConfigurationError>& errors_;             ///< while constructing
};

}  // namespace helsekontakter::config
