#include "adapters/config/error.h"

namespace helsekontakter::config {

std::string ConfigurationError::text() const {
  std::string out = key.empty() ? "configuration" : key;
  out += ": ";
  if (!value.empty()) out += "\"" + value + "\": ";
  out += message;
  if (!nearest.empty()) out += "; did you mean " + nearest + "?";
  if (!origin.empty()) out += " (" + origin + ")";
  return out;
}

}  // namespace helsekontakter::config
