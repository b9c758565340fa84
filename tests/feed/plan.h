#pragma once

#include "tests/feed/event_text.h"
#include "tests/feed/population.h"

#include <cstdint>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>

// Which events are fed in which order, and the lists that say so.

namespace helsekontakter::feed {

struct Wishes {
  std::size_t organizations = 1;
  std::size_t members = 1'000;
  bool offerings = false;
  double changed_twice = 0;  ///< share of the members; version 2 comes later in the topic
  double invalid = 0;        ///< share of the members whose number has a wrong check digit
  double inactive = 0;     ///< share of the members listed in `inactive_file`, not in `expect_file`
  std::uint64_t seed = 1;  ///< of ids and chances; the people are the same for every seed
  std::int32_t version = 1;   ///< of the first change of each member
  std::string expect_file;    ///< NDJSON for `helsekontakter-simulator journal --expect`
  std::string numbers_file;   ///< every identity number fed, one a line
  std::string events_file;    ///< every event id, one a line
  std::string inactive_file;  ///< for the simulator's api.inactive.file
};

struct Planned {
  std::uint64_t events = 0;
  std::uint64_t offerings = 0;
  std::uint64_t invalid = 0;
  std::uint64_t inactive = 0;
  std::uint64_t changed_twice = 0;
};

/// Takes one record; false: stop.
using Emit = std::function<bool(std::string_view key, const std::string& value)>;

/// Emits all events and writes the lists. Throws std::runtime_error when a list cannot be written.
[[nodiscard]] Planned feed(const Wishes& wishes, const Emit& emit);

}  // namespace helsekontakter::feed
