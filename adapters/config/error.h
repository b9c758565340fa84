#pragma once

#include <string>
#include <string_view>

namespace helsekontakter::config {

/// One fault of the configuration, for a person. Holds no secret and no identity number: only
/// values_of() in values.cc and the checks, which know what is secret, fill in `value`.
struct ConfigurationError {
  std::string key = {};      ///< "api.base_url"; empty: the file as a whole
  std::string value = {};    ///< as given; empty: none, or not to be shown
  std::string message = {};  ///< what is allowed, and what to do
  std::string nearest = {};  ///< for an unknown key: the known one that looks most like it
  std::string origin = {};   ///< "line 12" or a variable's name; empty: not given anywhere

  /// One line.
  [[nodiscard]] std::string text() const;
};

}  // namespace helsekontakter::config
