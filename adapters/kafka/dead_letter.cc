#include "adapters/kafka/dead_letter.h"

#include "adapters/json/packed_headers.h"
#include "adapters/kafka/message.h"
#include "adapters/results/dead_letter_reason.h"

#include <cstdint>

namespace helsekontakter::kafka {
namespace {

using Field = Texts::Field;

constexpr std::size_t record_overhead = 256;  // of a record batch with one record
constexpr std::size_t header_overhead = 10;
constexpr std::size_t key_bytes_max = 1024;  // of a reference

}  // namespace

DeadLetter make_dead_letter(const Conclusion& conclusion, const std::string& topic,
                            std::size_t bytes_max) {
  const Texts& texts = conclusion.delivery->texts;
  const std::string_view payload = texts[Field::payload];
  const auto originals = json::unpack_headers(texts[Field::headers]);
  const std::string error = results::dead_letter_reason(conclusion, topic);

  std::size_t bytes = record_overhead + payload.size() + texts[Field::key].size() + error.size();
  std::size_t count = 1;
  if (originals) {
    for (const auto& [name, value] : *originals) {
      bytes += name.size() + value.size() + header_overhead;
    }
    count += originals->size();
  }
  DeadLetter letter;
  letter.key = texts[Field::key];
  letter.headers.reset(rd_kafka_headers_new(count));
  // A payload that was not kept, because it is over event_bytes_max, is referred to as well.
  const bool kept = !payload.empty() || conclusion.reason != Reason::event_too_large;
  if (kept && bytes <= bytes_max) {
    letter.value = payload;
    for (const auto& [name, value] : originals.value_or(std::vector<json::HeaderView>{})) {
      if (name != results::error_header) add_header(letter.headers.get(), name, value);
    }
  } else {
    letter.reference = error;
    letter.value = letter.reference;
    if (letter.key.size() > key_bytes_max) letter.key = {};
    add_header(letter.headers.get(), "content-type", results::reference_content_type);
  }
  add_header(letter.headers.get(), results::error_header, error);
  return letter;
}

}  // namespace helsekontakter::kafka
