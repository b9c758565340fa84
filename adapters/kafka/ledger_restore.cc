#include "adapters/kafka/ledger_restore.h"

#include "adapters/kafka/client.h"
#include "adapters/kafka/properties.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <span>
#include <utility>

namespace helsekontakter::kafka {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int poll_ms = 100;
constexpr std::size_t messages_at_a_time = 1000;

tl::unexpected<Error> unreachable(const std::string& topic, rd_kafka_resp_err_t error) {
  return fail(Remedy::retry, "the ledger topic " + topic +
                                 " cannot be read: " + rd_kafka_err2str(error) +
                                 "; check the brokers, and the worker's right to read it");
}

Properties reader_properties(const LedgerReading& reading, const char* isolation) {
  Properties properties = connection_properties(reading.connection, reading.password);
  properties["group.id"] = reading.group;
  properties["isolation.level"] = isolation;
  properties["enable.auto.commit"] = "false";
  properties["enable.auto.offset.store"] = "false";
  properties["enable.partition.eof"] = "true";
  properties["auto.offset.reset"] = "error";
  properties["fetch.wait.max.ms"] = "100";
  properties["fetch.error.backoff.ms"] = "100";
  properties["receive.message.max.bytes"] = "1000000000";
  return properties;
}

struct Bounds {
  Offset first = 0;
  Offset end = 0;
};

/// With isolation read_committed the end would be that of the last stable offset, short of what an
/// open transaction wrote.
Result<std::map<Partition, Bounds>> read_bounds(const LedgerReading& reading,
                                                const std::vector<Partition>& partitions,
                                                const Observer& observer) {
  const auto client =
      make_client(RD_KAFKA_CONSUMER, reader_properties(reading, "read_uncommitted"), 0, observer);
  if (!client) return tl::unexpected(client.error());
  const auto deadline = Clock::now() + reading.quiet_max;
  std::map<Partition, Bounds> all;
  for (const Partition partition : partitions) {
    Bounds& bounds = all[partition];
    const auto error = rd_kafka_query_watermark_offsets(
        (*client)->get(), reading.topic.c_str(), static_cast<std::int32_t>(partition),
        &bounds.first, &bounds.end, std::max(remaining_ms(deadline), 1));
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return unreachable(reading.topic, error);
  }
  return all;
}

/// One reading of the ledger, from the callers' positions to the ends.
class Restoration {
 public:
  Restoration(const LedgerReading& reading, const ledger::RecordFormat& format,
              const Observer& observer, LedgerTables tables)
      : reading_(reading), format_(format), observer_(observer), tables_(std::move(tables)) {}

  Result<LedgerTables> run(const std::stop_token& stop);

 private:
  Result<void> plan();
  Result<void> open();
  Result<void> take(const rd_kafka_message_t& message);
  Result<void> take_record(const rd_kafka_message_t& message, RestoredLedger& restored);
  void advance(Partition partition, RestoredLedger& restored, Offset position);
  [[nodiscard]] std::string place(Partition partition) const;

  const LedgerReading& reading_;
  const ledger::RecordFormat& format_;
  const Observer& observer_;
  LedgerTables tables_;
  std::map<Partition, Offset> ends_;
  std::set<Partition> unfinished_;
  SharedClient client_;
  OwnedQueue queue_;
};

std::string Restoration::place(Partition partition) const {
  return "the ledger topic " + reading_.topic + "/" +
         std::to_string(static_cast<std::int32_t>(partition));
}

/// What is to be read. A kept table whose position is past the end, or in front of the beginning,
/// is of another topic than the one that is there now.
Result<void> Restoration::plan() {
  std::vector<Partition> partitions;
  for (const auto& [partition, restored] : tables_) partitions.push_back(partition);
  const auto bounds = read_bounds(reading_, partitions, observer_);
  if (!bounds) return tl::unexpected(bounds.error());
  for (auto& [partition, restored] : tables_) {
    const Bounds& bound = bounds->at(partition);
    const bool kept = restored.position > 0;
    if (kept && (restored.position > bound.end || restored.position < bound.first)) {
      return fail(Remedy::stop, place(partition) +
                                    " does not reach as far as it was read before: it was deleted "
                                    "and made anew, or a broker lost data; restore it, or begin "
                                    "anew with another ledger and group");
    }
    if (!kept && bound.first > 0) {
      tell(observer_.trouble,
           Error{Remedy::retry, place(partition) + " begins at offset " +
                                    std::to_string(bound.first) +
                                    ": something removed what was before it, and members that "
                                    "were last written there are unknown now; keep its "
                                    "cleanup.policy at compact"});
      restored.position = bound.first;
    }
    ends_[partition] = bound.end;
    if (restored.position < bound.end) unfinished_.insert(partition);
  }
  return {};
}

Result<void> Restoration::open() {
  Properties properties = reader_properties(reading_, "read_committed");
  const std::size_t kbytes = reading_.fetch_bytes_max / unfinished_.size() / 1024;
  properties["queued.max.messages.kbytes"] =
      std::to_string(std::clamp<std::size_t>(kbytes, 64, 2'000'000));
  auto client = make_client(RD_KAFKA_CONSUMER, properties, 0, observer_);
  if (!client) return tl::unexpected(client.error());
  client_ = std::move(*client);
  rd_kafka_poll_set_consumer(client_->get());
  queue_.reset(rd_kafka_queue_get_consumer(client_->get()));
  const OwnedList list(rd_kafka_topic_partition_list_new(static_cast<int>(unfinished_.size())));
  for (const Partition partition : unfinished_) {
    rd_kafka_topic_partition_list_add(list.get(), reading_.topic.c_str(),
                                      static_cast<std::int32_t>(partition))
        ->offset = tables_.at(partition).position;
  }
  const auto error = rd_kafka_assign(client_->get(), list.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return unreachable(reading_.topic, error);
  return {};
}

Result<LedgerTables> Restoration::run(const std::stop_token& stop) {
  if (auto planned = plan(); !planned) return tl::unexpected(planned.error());
  if (unfinished_.empty()) return std::move(tables_);
  if (auto opened = open(); !opened) return tl::unexpected(opened.error());
  std::array<rd_kafka_message_t*, messages_at_a_time> messages{};
  auto heard = Clock::now();
  while (!unfinished_.empty()) {
    if (stop.stop_requested()) return fail(Remedy::retry, "restoring the ledger was stopped");
    const auto count =
        rd_kafka_consume_batch_queue(queue_.get(), poll_ms, messages.data(), messages.size());
    std::optional<Error> refused;
    for (const auto& message : std::span(messages).first(count > 0 ? std::size_t(count) : 0)) {
      const Owned<rd_kafka_message_t, rd_kafka_message_destroy> owned(message);
      if (refused) continue;
      const auto taken = take(*owned);
      if (!taken) refused = taken.error();
      const bool is_news = owned->err == RD_KAFKA_RESP_ERR_NO_ERROR ||
                           owned->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
      if (is_news) heard = Clock::now();
    }
    if (refused) return tl::unexpected(*refused);
    if (Clock::now() - heard > reading_.quiet_max) {
      return fail(Remedy::retry, place(*unfinished_.begin()) +
                                     " cannot be read to its end: nothing came for " +
                                     std::to_string(reading_.quiet_max.count() / 1000) +
                                     " s; check the brokers, and whether a transaction hangs");
    }
  }
  return std::move(tables_);
}

Result<void> Restoration::take(const rd_kafka_message_t& message) {
  const Partition partition{message.partition};
  const auto found = tables_.find(partition);
  switch (message.err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      if (found == tables_.end() || message.offset < found->second.position) return {};
      return take_record(message, found->second);
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      // Also the way past the markers of transactions, and past what was aborted.
      if (found != tables_.end()) advance(partition, found->second, message.offset);
      return {};
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
      return unreachable(reading_.topic, message.err);
    default:
      return {};  // librdkafka tries again by itself; quiet_max ends it
  }
}

Result<void> Restoration::take_record(const rd_kafka_message_t& message, RestoredLedger& restored) {
  const Partition partition{message.partition};
  const std::string_view key(static_cast<const char*>(message.key), message.key_len);
  const std::string_view value(static_cast<const char*>(message.payload), message.len);
  if (message.payload == nullptr) {
    MemberKey member;
    if (key.size() == member.bytes.size()) {
      std::copy(key.begin(), key.end(), member.bytes.begin());
      restored.table.erase(member);
    }
  } else if (auto read = format_.read(key, value, restored.table, place(partition)); !read) {
    return fail(read.error().remedy,
                read.error().message + " (offset " + std::to_string(message.offset) + ")");
  }
  ++restored.records;
  advance(partition, restored, message.offset + 1);
  return {};
}

void Restoration::advance(Partition partition, RestoredLedger& restored, Offset position) {
  restored.position = std::max(restored.position, position);
  if (restored.position >= ends_.at(partition)) unfinished_.erase(partition);
}

}  // namespace

Result<LedgerTables> restore_ledger(const LedgerReading& reading,
                                    const ledger::RecordFormat& format, LedgerTables from,
                                    std::stop_token stop, const Observer& observer) {
  return Restoration(reading, format, observer, std::move(from)).run(stop);
}

Result<std::map<Partition, Offset>> read_ledger_ends(const LedgerReading& reading,
                                                     const std::vector<Partition>& partitions,
                                                     const Observer& observer) {
  const auto bounds = read_bounds(reading, partitions, observer);
  if (!bounds) return tl::unexpected(bounds.error());
  std::map<Partition, Offset> ends;
  for (const auto& [partition, bound] : *bounds) ends[partition] = bound.end;
  return ends;
}

}  // namespace helsekontakter::kafka
