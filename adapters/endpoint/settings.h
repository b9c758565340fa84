#pragma once

#include "adapters/https/http.h"
#include "worker/domain/time.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace helsekontakter::endpoint {

/// api.*: where and how submissions go.
struct EndpointSettings {
  https::Url url;  ///< api.base_url and api.path
  std::string media_type = "application/fhir+json";
  std::string accept = "application/fhir+json";
  std::vector<https::Header> headers;  ///< {uuid} in a value: a fresh UUID for each request
  Milliseconds request_timeout{15'000};
  Milliseconds connect_timeout{5'000};
  std::size_t answer_bytes_max = 16 * 1024 * 1024;
};

/// Volven 7618 (contract/medlemstjenester 10).
enum class Area : std::uint8_t { helsehjelp, ungdom };
enum class AreaForm : std::uint8_t { text, number };

/// digital_status.*: where and how it is asked who is digitally active.
struct StatusSettings {
  https::Url url;  ///< api.base_url and digital_status.path
  Area area = Area::helsehjelp;
  AreaForm area_form = AreaForm::text;
  std::string scope = "nhn:helsenorge.eksternapi/helsenorgeaktivsjekken";  ///< of its tokens
  std::vector<https::Header> headers;                                      ///< as above
  Milliseconds request_timeout{15'000};
  Milliseconds connect_timeout{5'000};
  std::size_t answer_bytes_max = 4 * 1024 * 1024;
};

}  // namespace helsekontakter::endpoint
