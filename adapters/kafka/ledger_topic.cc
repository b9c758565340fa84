#include "adapters/kafka/ledger_topic.h"

namespace helsekontakter::kafka {
namespace {

constexpr std::size_t bytes_beside_value = 512;  // key, and the frame of a batch of one

}  // namespace

Result<void> check_ledger_topic(const std::string& topic,
                                const std::optional<TopicDescription>& found,
                                std::int32_t input_partitions, std::size_t value_bytes_min) {
  const std::string what = "the ledger topic " + topic;
  const std::string partitions = std::to_string(input_partitions);
  if (!found) {
    return fail(Remedy::stop, what + " does not exist; create it with " + partitions +
                                  " partitions, as many as the input has, and "
                                  "cleanup.policy=compact (`check --connect --create`)");
  }
  if (found->cleanup_policy != "compact") {
    return fail(Remedy::stop, what + " has cleanup.policy=" + found->cleanup_policy +
                                  ", which would forget members; set it to exactly `compact`");
  }
  if (found->partitions != input_partitions) {
    return fail(Remedy::stop,
                what + " has " + std::to_string(found->partitions) + " partitions and the input " +
                    partitions +
                    "; they must be equal, or entries would be looked for in the "
                    "wrong place: \"More partitions\" in deploy/README.md says how to "
                    "grow (a new input, ledger and group)");
  }
  if (ledger_value_bytes_max(found->message_bytes_max) < value_bytes_min) {
    return fail(Remedy::stop,
                what + " takes messages of " + std::to_string(found->message_bytes_max) +
                    " bytes, and a parked change may have " + std::to_string(value_bytes_min) +
                    "; raise its max.message.bytes, or lower batch.bytes_max");
  }
  return {};
}

std::map<std::string, std::string> ledger_topic_options() {
  return {{"cleanup.policy", "compact"},
          {"max.message.bytes", "2097152"},
          {"segment.bytes", "67108864"}};
}

std::size_t ledger_value_bytes_max(std::size_t message_bytes_max) {
  return message_bytes_max > bytes_beside_value ? message_bytes_max - bytes_beside_value : 0;
}

}  // namespace helsekontakter::kafka
