#include "adapters/json/plain_text.h"

#include "worker/domain/national_id.h"

#include <utility>

namespace helsekontakter::json {

std::string shown(std::string text) {
  text = scrub_national_ids(std::move(text));
  if (text.size() <= shown_bytes_max) return text;
  std::size_t end = shown_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  // Digits that a letter followed may stand at the end now.
  return scrub_national_ids(std::move(text));
}

}  // namespace helsekontakter::json
