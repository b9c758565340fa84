#include "tests/unit/config/sample.h"

#include <stdexcept>

namespace helsekontakter::config {

std::string with(std::string_view old_text, std::string_view new_text) {
  std::string text(least);
  const std::size_t at = text.find(old_text);
  if (at == std::string::npos) throw std::logic_error("no such text: " + std::string(old_text));
  return text.replace(at, old_text.size(), new_text);
}

std::string least_and(std::string_view lines) {
  return std::string(least) + std::string(lines) + "\n";
}

std::vector<ConfigurationError> faults_of(std::string_view yaml, const Environment& environment) {
  const Loaded result = load_text(yaml, environment);
  return result ? std::vector<ConfigurationError>{} : result.error();
}

std::string errors_of(std::string_view yaml, const Environment& environment) {
  std::string out;
  for (const ConfigurationError& error : faults_of(yaml, environment)) out += error.text() + "\n";
  return out;
}

Configuration loaded(std::string_view yaml, const Environment& environment) {
  Loaded result = load_text(yaml, environment);
  if (!result) throw std::runtime_error(errors_of(yaml, environment));
  return std::move(*result);
}

}  // namespace helsekontakter::config
