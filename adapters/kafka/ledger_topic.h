#pragma once

#include "adapters/kafka/admin.h"
#include "adapters/ledger/record_format.h"
#include "worker/domain/result.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

// What the ledger's topic must be like, for `check` and for every start.

namespace helsekontakter::kafka {

/// Where a record's ledger entries go. No format: there is no ledger on Kafka.
struct LedgerTopic {
  std::string topic;
  std::shared_ptr<const ledger::RecordFormat> format;
};

/// Refuses (Remedy::stop, saying what to do) a topic that would forget members or that does not
/// match the input: missing, cleanup.policy not exactly `compact`, another number of partitions
/// than the input, or room for less than `value_bytes_min` in a message.
[[nodiscard]] Result<void> check_ledger_topic(const std::string& topic,
                                              const std::optional<TopicDescription>& found,
                                              std::int32_t input_partitions,
                                              std::size_t value_bytes_min = 0);

/// Options for a new one: compact, segments of 64 MB so that a restore does not read a week of old
/// entries, and messages of 2 MB so that the largest parked change fits.
[[nodiscard]] std::map<std::string, std::string> ledger_topic_options();

/// The largest value of a ledger record in a topic that takes messages of this size.
[[nodiscard]] std::size_t ledger_value_bytes_max(std::size_t message_bytes_max);

}  // namespace helsekontakter::kafka
