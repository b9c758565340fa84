#pragma once

#include "adapters/https/http.h"
#include "worker/domain/bytes.h"

#include <functional>
#include <vector>

namespace helsekontakter::endpoint {

/// api.headers of one request: {uuid} in a value is replaced by a fresh UUID.
[[nodiscard]] std::vector<https::Header> filled(std::vector<https::Header> headers,
                                                const std::function<Uuid()>& fresh_uuid);

}  // namespace helsekontakter::endpoint
