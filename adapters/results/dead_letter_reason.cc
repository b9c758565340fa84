#include "adapters/results/dead_letter_reason.h"

#include "adapters/results/room.h"

#include <cstdint>

namespace helsekontakter::results {

std::string dead_letter_reason(const Conclusion& conclusion, std::string_view origin) {
  constexpr std::size_t fixed_bytes_max = 512;  // names, codes, numbers
  constexpr std::size_t escaped_bytes_max = 6;
  const Position& position = conclusion.delivery->position;
  Room room;
  room.clear(fixed_bytes_max + escaped_bytes_max * origin.size());
  room.put(R"({"verdict":")");
  room.put(name(conclusion.verdict));
  if (conclusion.reason != Reason::none) {
    room.put(R"(","reason":")");
    room.put(entry_of(conclusion.reason).code);
  }
  room.put(R"(","topic":")");
  room.put_escaped(origin);
  room.put(R"(","partition":)");
  room.put_number(static_cast<std::int32_t>(position.partition));
  room.put(R"(,"offset":)");
  room.put_number(position.offset);
  room.put('}');
  return std::string(room.text());
}

}  // namespace helsekontakter::results
