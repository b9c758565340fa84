#pragma once

#include "tests/feed/broker.h"

#include <chrono>
#include <optional>
#include <string>

namespace helsekontakter::feed {

struct Judging {
  std::string events_file;  ///< ids of the events that must have a result, one a line
  bool table = false;
  std::optional<std::chrono::seconds> deadline;  ///< wait so long for results that are missing
  bool progress = false;
};

/// Reads the results, prints what they say, and returns whether every event has exactly one that
/// ends it (a terminal one, or inactive) and no result stands there twice.
[[nodiscard]] bool judge(const Place& place, const Judging& judging);

/// Prints keys, headers and, if wanted, values of a topic, one record a line.
void dump(const Place& place, bool values);

}  // namespace helsekontakter::feed
