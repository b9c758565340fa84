#pragma once

#include "adapters/kafka/client.h"
#include "adapters/kafka/ledger_topic.h"
#include "adapters/kafka/ownership.h"
#include "adapters/kafka/properties.h"
#include "adapters/kafka/settings.h"
#include "adapters/results/result_writer.h"

#include <chrono>
#include <memory>
#include <string>

namespace helsekontakter::kafka {

/// What became of one attempt to make a record durable.
enum class Attempt : std::uint8_t {
  durable,
  again,    ///< aborted: a read_committed consumer sees nothing of it; the same may be tried again
  refused,  ///< aborted, and another attempt would fare no better
  broken,   ///< not committed, and the producer is of no more use
  unknown,  ///< whether it was committed is not known; the producer must be discarded
};

/// A transactional producer and what it needs to write one record at a time. One thread at a time
/// uses it; a thread that hangs in it keeps it, and everybody else forgets it.
class RecordSession {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  /// Makes the producer and ends, at the broker, whatever an earlier one of the same
  /// transactional id left open. Blocks until the deadline.
  [[nodiscard]] static Result<std::shared_ptr<RecordSession>> open(
      const RecordSettings& settings, const std::string& password, const std::string& origin_topic,
      TopicLimits limits, const Observer& observer, Deadline deadline, LedgerTopic ledger = {},
      std::size_t ledger_bytes_max = default_message_bytes);
  static constexpr std::size_t default_message_bytes = 1'048'588;

  struct Sent {
    Attempt attempt = Attempt::broken;
    std::string trouble;  ///< one sentence, unless durable
    std::size_t results = 0;
    std::size_t dead_letters = 0;
  };
  /// One transaction: results, dead letters, ledger entries, offsets. Blocks until the deadline at
  /// most, as far as librdkafka keeps its time-outs. `metadata` may be null when there is no
  /// progress to commit.
  [[nodiscard]] Sent send(const Record& record, const GroupMetadata* metadata, Deadline deadline);

 private:
  RecordSession(SharedClient client, const RecordSettings& settings, std::string origin_topic,
                TopicLimits limits, LedgerTopic ledger, std::size_t ledger_bytes_max);

  [[nodiscard]] bool produce_all(const Record& record, Deadline deadline, Sent& sent);
  [[nodiscard]] rd_kafka_resp_err_t produce_result(const Conclusion& conclusion, Deadline deadline);
  [[nodiscard]] rd_kafka_resp_err_t produce_dead_letter(const Conclusion& conclusion,
                                                        Deadline deadline);
  [[nodiscard]] bool produce_ledger(const Record& record, Deadline deadline, Sent& sent);
  struct Message {
    rd_kafka_topic_t* topic = nullptr;
    std::string_view key;
    std::string_view value;
    OwnedHeaders headers;  ///< null: none
    std::int32_t partition = RD_KAFKA_PARTITION_UA;
  };
  [[nodiscard]] rd_kafka_resp_err_t produce(Message message, Deadline deadline);
  [[nodiscard]] bool send_offsets(const Record& record, const GroupMetadata& metadata,
                                  Deadline deadline, Sent& sent);
  void commit(Deadline deadline, Sent& sent);
  void judge(const rd_kafka_error_t* error, const std::string& step, Deadline deadline, Sent& sent);
  void abort(Attempt if_aborted, Deadline deadline, Sent& sent);

  using OwnedTopic = Owned<rd_kafka_topic_t, rd_kafka_topic_destroy>;

  const SharedClient client_;
  const OwnedTopic results_;       ///< null: none is published here, as in a mixed deployment
  const OwnedTopic dead_letters_;  ///< null: none
  const LedgerTopic ledger_;
  const OwnedTopic ledger_topic_;  ///< null: no ledger on Kafka
  const std::size_t ledger_value_max_;
  const TopicLimits limits_;
  const std::string origin_topic_;
  const std::string transactional_id_;
  results::ResultWriter writer_;
  std::string buffer_;
};

}  // namespace helsekontakter::kafka
