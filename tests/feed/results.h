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
  std::string lines_file;      ///< results are the lines of this file, not a topic
  bool at_least_once = false;  ///< a result may be repeated, if its id is the same
};

/// Reads the results, prints what they say, and returns whether every event has exactly one that
/// ends it (a terminal one, or inactive) and no result stands there twice.
[[nodiscard]] bool judge(const Place& place, const Judging& judging);

/// The same for lines of a file, as they stand there now.
[[nodiscard]] bool judge_lines(const Judging& judging);

/// Prints keys, headers and, if wanted, values of a topic, one record a line.
void dump(const Place& place, bool values);

}  // namespace helsekontakter::feed
