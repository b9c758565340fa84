#pragma once

#include "adapters/kafka/client.h"
#include "worker/ports/commands.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace helsekontakter::kafka {

/// A copy of the event, byte for byte, or a reference to it where the copy does not fit.
struct DeadLetter {
  std::string_view key;    ///< empty: null. A hash where the event's own holds an identity number
  std::string_view value;  ///< a view into the conclusion, or into `reference`
  std::string reference;
  OwnedHeaders headers;
};

/// Builds it so that it fits `bytes_max`, the topic's max.message.bytes. `topic` is where the
/// event was read.
[[nodiscard]] DeadLetter make_dead_letter(const Conclusion& conclusion, const std::string& topic,
                                          std::size_t bytes_max);

}  // namespace helsekontakter::kafka
