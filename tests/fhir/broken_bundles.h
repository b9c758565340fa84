#pragma once

#include <string>
#include <vector>

namespace helsekontakter::fhir {

struct BrokenBundle {
  std::string name;
  std::string body;
};

/// Bundles that break one rule of FHIR R4 each: a validator that lets one pass proves nothing.
/// HAPI 7.4.5 overlooks an element with an id only, an empty array and a reference to a fullUrl
/// that is not there; tests/unit/fhir covers those.
[[nodiscard]] std::vector<BrokenBundle> broken_bundles();

}  // namespace helsekontakter::fhir
