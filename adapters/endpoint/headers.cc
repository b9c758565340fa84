#include "adapters/endpoint/headers.h"

#include <string_view>

namespace helsekontakter::endpoint {

std::vector<https::Header> filled(std::vector<https::Header> headers,
                                  const std::function<Uuid()>& fresh_uuid) {
  constexpr std::string_view mark = "{uuid}";
  for (https::Header& header : headers) {
    const std::size_t at = header.value.find(mark);
    if (at != std::string::npos) header.value.replace(at, mark.size(), fresh_uuid().text());
  }
  return headers;
}

}  // namespace helsekontakter::endpoint
