#pragma once

#include "adapters/inbox/inbox.h"
#include "adapters/kafka/admin.h"
#include "adapters/kafka/recorder.h"
#include "adapters/kafka/source.h"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

// Tests against a real Kafka, whose address tests/run.sh passes in HELSEKONTAKTER_TEST_KAFKA.

namespace helsekontakter::kafka::test {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

struct Sent {
  std::string value;
  std::string key;
  std::vector<std::pair<std::string, std::string>> headers;
  bool null_value = false;
  std::int32_t partition = 0;
};

struct Seen {
  std::string key;
  std::string value;
  bool null_key = false;
  std::map<std::string, std::string> headers;
  std::size_t header_count = 0;
  std::int64_t offset = 0;
};

/// A decoder that needs no schema: what was read becomes the id; headers and payload are kept.
[[nodiscard]] Delivery decode_plainly(const json::RawEvent& raw);

/// One worker in small: source, recorder and the inbox between them; the test is the core.
class Member {
 public:
  Member(SourceSettings source, RecordSettings record, std::size_t inbox_bytes = 64 << 20,
         Decode decode = decode_plainly);

  /// Takes inputs until the predicate holds; false when it does not within the time.
  [[nodiscard]] bool take_until(const std::function<bool()>& holds, Clock::duration within = 30s);
  [[nodiscard]] bool take_assigned(std::size_t partitions, Clock::duration within = 30s);
  [[nodiscard]] bool take_deliveries(std::size_t count, Clock::duration within = 30s);
  void take_for(Clock::duration time);

  /// Accepts all deliveries taken since the last call, commits, and says whether it is durable.
  [[nodiscard]] bool record_all(Verdict verdict = Verdict::accepted, Reason reason = Reason::none,
                                const std::string& metadata = {});
  /// Writes a record and says whether it is durable; nothing when there was no answer in time.
  [[nodiscard]] std::optional<bool> write(Record record, Clock::duration within = 60s);
  [[nodiscard]] Record next_record(Verdict verdict = Verdict::accepted,
                                   Reason reason = Reason::none);

  [[nodiscard]] bool troubled_by(const std::string& words) const;

  Inbox inbox;
  std::map<Partition, Assigned> assigned;  ///< as last told, and not taken back
  std::vector<Revoked> revoked;
  std::vector<Lost> lost;
  std::vector<Delivery> deliveries;
  std::vector<ReachedPosition> reached;
  std::vector<Recorded> answers;
  std::map<Partition, bool> held;
  std::size_t bytes_read = 0;
  KafkaSource source;
  KafkaRecorder recorder;

 private:
  Observer observer();
  void note(Input& input);

  mutable std::mutex mutex_;  ///< guards what the observer's hooks write
  std::vector<std::string> troubles_;
  std::uint64_t records_ = 0;
};

class RealKafka : public ::testing::Test {
 protected:
  void SetUp() override;

  [[nodiscard]] Connection connection() const;
  /// A new topic whose name nobody else has.
  std::string make_topic(std::int32_t partitions, std::map<std::string, std::string> options = {});
  /// The topic has so many from now on.
  void grow_topic(const std::string& topic, std::size_t partitions);
  void produce(const std::string& topic, const std::vector<Sent>& messages);
  /// What a read_committed consumer sees from the first record to the end.
  std::vector<Seen> read_committed(const std::string& topic, std::int32_t partition = 0);
  void delete_records(const std::string& topic, std::int32_t partition, Offset before);

  [[nodiscard]] SourceSettings source_settings(const std::string& topic) const;
  [[nodiscard]] RecordSettings record_settings(const std::string& results,
                                               const std::string& dead_letters = {}) const;

 private:
  std::string bootstrap_;
  std::unique_ptr<Admin> admin_;
};

}  // namespace helsekontakter::kafka::test
