#pragma once

#include "adapters/kafka/admin.h"
#include "adapters/kafka/topic_log.h"
#include "worker/domain/result.h"
#include "worker/domain/time.h"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

// --from and --to: a time (RFC 3339), "earliest", "latest", or offsets "PARTITION:OFFSET,…".

namespace helsekontakter::tools {

struct Earliest {};
struct Latest {};
using Mark = std::variant<Earliest, Latest, WallTime, kafka::Offsets>;

/// `option` names what was said, for the message. Remedy: stop.
[[nodiscard]] Result<Mark> parse_mark(const std::string& option, std::string_view text);

/// What is known of a topic, to turn marks into offsets.
struct TopicFacts {
  std::string topic;
  kafka::Stretches bounds;
  kafka::Offsets at_from;  ///< where `from` is a time: the first records that are not older
  kafka::Offsets at_to;
  std::optional<Milliseconds> retention;  ///< none: for ever
  bool is_bounded_by_size = false;
  WallTime now{};
};

/// From `from` up to, not including, `to`. Refuses (Remedy::stop) a stretch of which a part may
/// have been removed, saying what is gone, and one that the topic does not reach. Offsets of `from`
/// leave out the partitions that they do not name.
[[nodiscard]] Result<kafka::Stretches> resolve(const Mark& from, const Mark& to,
                                               const TopicFacts& facts);

/// Asks the topic, and resolves.
[[nodiscard]] Result<kafka::Stretches> resolve(const Mark& from, const Mark& to,
                                               const kafka::TopicLog& log,
                                               const kafka::TopicDescription& description);

/// The beginnings or the ends of stretches, as --from and --to take them.
[[nodiscard]] std::string begins_text(const kafka::Stretches& stretches);
[[nodiscard]] std::string ends_text(const kafka::Stretches& stretches);

}  // namespace helsekontakter::tools
