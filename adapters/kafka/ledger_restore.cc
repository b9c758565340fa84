#include "adapters/kafka/ledger_restore.h"

#include "adapters/kafka/ask_until.h"
#include "adapters/kafka/assigned_reader.h"
#include "adapters/kafka/message.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace helsekontakter::kafka {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto bounds_grace = 3s;  // beyond quiet_max, for a call that overruns its time-out

tl::unexpected<Error> ledger_unreadable(const std::string& topic, rd_kafka_resp_err_t error) {
  return fail(Remedy::retry, "the ledger topic " + topic +
                                 " cannot be read: " + rd_kafka_err2str(error) +
                                 "; check the brokers, and the worker's right to read it");
}

/// What trying again does not mend.
bool is_unreadable(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
      return true;
    default:
      return false;
  }
}

Result<Properties> ledger_properties(const LedgerReading& reading) {
  const auto password = reading.password.read();
  if (!password) return tl::unexpected(password.error());
  return AssignedReader::properties(reading.connection, *password, reading.group);
}

struct LedgerBounds {
  Offset first = 0;
  Offset end = 0;
};

using AllBounds = std::map<Partition, LedgerBounds>;

Result<AllBounds> query_bounds(rd_kafka_t* client, const std::string& topic,
                               const std::vector<Partition>& partitions,
                               Clock::time_point deadline) {
  AllBounds all;
  for (const Partition partition : partitions) {
    LedgerBounds& bounds = all[partition];
    const auto error = rd_kafka_query_watermark_offsets(
        client, topic.c_str(), static_cast<std::int32_t>(partition), &bounds.first, &bounds.end,
        std::max(remaining_ms(deadline), 1));
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return ledger_unreadable(topic, error);
  }
  return all;
}

/// With isolation read_committed the end would be that of the last stable offset, short of what an
/// open transaction wrote.
Result<AllBounds> read_bounds(const LedgerReading& reading,
                              const std::vector<Partition>& partitions, const Observer& observer,
                              const std::stop_token& stop = {}) {
  auto properties = ledger_properties(reading);
  if (!properties) return tl::unexpected(properties.error());
  (*properties)["isolation.level"] = "read_uncommitted";
  const auto client = make_client(RD_KAFKA_CONSUMER, *properties, 0, observer);
  if (!client) return tl::unexpected(client.error());
  const auto deadline = Clock::now() + reading.quiet_max;
  return ask_until<AllBounds>(
      deadline + bounds_grace, stop,
      Error{Remedy::retry, "the brokers do not answer where the ledger topic " + reading.topic +
                               " ends; check that they are up and reachable"},
      [client = *client, topic = reading.topic, partitions, deadline] {
        return query_bounds(client->get(), topic, partitions, deadline);
      });
}

/// One reading of the ledger, from the callers' positions to the ends.
class Restoration {
 public:
  Restoration(const LedgerReading& reading, const ledger::RecordFormat& format,
              const Observer& observer, LedgerTables tables)
      : reading_(reading), format_(format), observer_(observer), tables_(std::move(tables)) {}

  Result<LedgerTables> run(const std::stop_token& stop);

 private:
  Result<void> plan(const std::stop_token& stop);
  [[nodiscard]] Result<AssignedReader> open() const;
  Result<bool> take(const rd_kafka_message_t& message);
  Result<bool> take_record(const rd_kafka_message_t& message, RestoredLedger& restored);
  void advance(Partition partition, RestoredLedger& restored, Offset position);
  [[nodiscard]] std::string place(Partition partition) const;

  const LedgerReading& reading_;
  const ledger::RecordFormat& format_;
  const Observer& observer_;
  LedgerTables tables_;
  std::map<Partition, Offset> ends_;
  std::set<Partition> unfinished_;
  Clock::time_point heard_;
};

std::string Restoration::place(Partition partition) const {
  return "the ledger topic " + reading_.topic + "/" +
         std::to_string(static_cast<std::int32_t>(partition));
}

/// What is to be read. A kept table whose position is past the end, or in front of the beginning,
/// is of another topic than the one that is there now.
Result<void> Restoration::plan(const std::stop_token& stop) {
  std::vector<Partition> partitions;
  for (const auto& [partition, restored] : tables_) partitions.push_back(partition);
  const auto bounds = read_bounds(reading_, partitions, observer_, stop);
  if (!bounds) return tl::unexpected(bounds.error());
  for (auto& [partition, restored] : tables_) {
    const LedgerBounds& bound = bounds->at(partition);
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

Result<AssignedReader> Restoration::open() const {
  auto properties = ledger_properties(reading_);
  if (!properties) return tl::unexpected(properties.error());
  (*properties)["queued.max.messages.kbytes"] =
      AssignedReader::queued_kbytes(reading_.fetch_bytes_max, unfinished_.size());
  std::map<Partition, Offset> from;
  for (const Partition partition : unfinished_) from[partition] = tables_.at(partition).position;
  return AssignedReader::open(*properties, reading_.topic, from, observer_);
}

Result<LedgerTables> Restoration::run(const std::stop_token& stop) {
  if (auto planned = plan(stop); !planned) return tl::unexpected(planned.error());
  if (unfinished_.empty()) return std::move(tables_);
  auto reader = open();
  if (!reader) return tl::unexpected(reader.error());
  heard_ = Clock::now();
  while (!unfinished_.empty()) {
    if (stop.stop_requested()) return fail(Remedy::retry, "restoring the ledger was stopped");
    const auto taken = reader->poll([this](const auto& message) { return take(message); });
    if (!taken) return tl::unexpected(taken.error());
    if (Clock::now() - heard_ > reading_.quiet_max) {
      return fail(Remedy::retry, place(*unfinished_.begin()) +
                                     " cannot be read to its end: nothing came for " +
                                     std::to_string(reading_.quiet_max.count() / 1000) +
                                     " s; check the brokers, and whether a transaction hangs");
    }
  }
  return std::move(tables_);
}

Result<bool> Restoration::take(const rd_kafka_message_t& message) {
  const Partition partition{message.partition};
  const auto found = tables_.find(partition);
  switch (message.err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      heard_ = Clock::now();
      if (found == tables_.end() || message.offset < found->second.position) return true;
      return take_record(message, found->second);
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      // Also the way past the markers of transactions, and past what was aborted.
      heard_ = Clock::now();
      if (found != tables_.end()) advance(partition, found->second, message.offset);
      return true;
    default:
      if (is_unreadable(message.err)) return ledger_unreadable(reading_.topic, message.err);
      return true;  // librdkafka tries again by itself; quiet_max ends it
  }
}

Result<bool> Restoration::take_record(const rd_kafka_message_t& message, RestoredLedger& restored) {
  const Partition partition{message.partition};
  const std::string_view key = message_key(message);
  if (message.payload == nullptr) {
    MemberKey member;
    if (key.size() == member.bytes.size()) {
      std::copy(key.begin(), key.end(), member.bytes.begin());
      restored.table.erase(member);
    }
  } else if (auto read =
                 format_.read(key, message_payload(message), restored.table, place(partition));
             !read) {
    return fail(read.error().remedy,
                read.error().message + " (offset " + std::to_string(message.offset) + ")");
  }
  ++restored.records;
  advance(partition, restored, message.offset + 1);
  return true;
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

Result<std::set<Partition>> with_ledger_records(const LedgerReading& reading,
                                                const std::vector<Partition>& partitions,
                                                const Observer& observer) {
  std::set<Partition> found;
  const auto bounds = read_bounds(reading, partitions, observer);
  if (!bounds) return tl::unexpected(bounds.error());
  std::map<Partition, Offset> from;
  for (const auto& [partition, bound] : *bounds) {
    if (bound.first < bound.end) from[partition] = bound.first;
  }
  if (from.empty()) return found;
  auto properties = ledger_properties(reading);
  if (!properties) return tl::unexpected(properties.error());
  (*properties)["queued.max.messages.kbytes"] =
      AssignedReader::queued_kbytes(reading.fetch_bytes_max, from.size());
  auto reader = AssignedReader::open(*properties, reading.topic, from, observer);
  if (!reader) return tl::unexpected(reader.error());
  const auto until = Clock::now() + reading.quiet_max;
  while (!from.empty() && Clock::now() < until) {
    const auto taken = reader->poll([&](const auto& message) -> Result<bool> {
      const Partition partition{message.partition};
      if (is_unreadable(message.err)) return ledger_unreadable(reading.topic, message.err);
      // At its end: the markers of transactions, and what was aborted, are all there is.
      const bool ended = message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF &&
                         message.offset >= bounds->at(partition).end;
      if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) found.insert(partition);
      if (ended || found.contains(partition)) from.erase(partition);
      return !from.empty();
    });
    if (!taken) return tl::unexpected(taken.error());
  }
  if (from.empty()) return found;
  return ledger_unreadable(reading.topic, RD_KAFKA_RESP_ERR__TIMED_OUT);
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
