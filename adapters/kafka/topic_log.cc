#include "adapters/kafka/topic_log.h"

#include "adapters/kafka/ask_until.h"
#include "adapters/kafka/assigned_reader.h"
#include "adapters/kafka/message.h"
#include "adapters/kafka/offsets.h"
#include "adapters/kafka/properties.h"

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

namespace helsekontakter::kafka {
namespace {

using Clock = std::chrono::steady_clock;

tl::unexpected<Error> unreadable(const std::string& topic, rd_kafka_resp_err_t error) {
  return fail(Remedy::retry, "topic " + topic + " cannot be read: " + rd_kafka_err2str(error) +
                                 "; check that the brokers are up, and the right to read it");
}

Properties log_properties(const TopicLog::Where& where) {
  return AssignedReader::properties(where.connection, where.password, where.group);
}

/// The client's own time-out ends where `wait` does; one that is overrun is not waited for.
template <class T>
Result<T> ask(const std::string& topic, Milliseconds wait, std::function<Result<T>()> question) {
  return ask_until<T>(Clock::now() + wait, {},
                      unreadable(topic, RD_KAFKA_RESP_ERR__TIMED_OUT).value(), std::move(question));
}

OwnedList list_of(const std::string& topic, std::int32_t partitions) {
  OwnedList list(rd_kafka_topic_partition_list_new(partitions));
  for (std::int32_t partition = 0; partition < partitions; ++partition) {
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition);
  }
  return list;
}

/// One reading of some stretches.
class Reading {
 public:
  Reading(const TopicLog::Where& where, const Stretches& stretches, const TopicLog::Visit& visit)
      : where_(where), visit_(visit) {
    for (const auto& [partition, stretch] : stretches) {
      if (stretch.from >= stretch.to) continue;
      next_[partition] = stretch.from;
      ends_[partition] = stretch.to;
    }
  }

  [[nodiscard]] bool is_done() const { return next_.empty(); }
  /// False: stopped, or the visitor wants no more.
  Result<bool> run(const Observer& observer, const std::stop_token& stop);

 private:
  Result<bool> take(const rd_kafka_message_t& message);
  Result<bool> hand_over(const rd_kafka_message_t& message);
  void advance(Partition partition, Offset position);

  const TopicLog::Where& where_;
  const TopicLog::Visit& visit_;
  Offsets next_;  ///< of partitions that are not read to their ends
  Offsets ends_;
  Clock::time_point heard_;
  HeaderViews headers_;
};

Result<bool> Reading::run(const Observer& observer, const std::stop_token& stop) {
  Properties properties = log_properties(where_);
  properties["queued.max.messages.kbytes"] =
      AssignedReader::queued_kbytes(where_.fetch_bytes_max, next_.size());
  auto reader = AssignedReader::open(properties, where_.topic, next_, observer);
  if (!reader) return tl::unexpected(reader.error());
  heard_ = Clock::now();
  while (!next_.empty()) {
    if (stop.stop_requested()) return false;
    const auto goes_on = reader->poll([this](const auto& message) { return take(message); });
    if (!goes_on || !*goes_on) return goes_on;
    if (Clock::now() - heard_ > where_.quiet_max) {
      return fail(Remedy::retry, "topic " + where_.topic + " cannot be read to its end: nothing " +
                                     "came for " + std::to_string(where_.quiet_max.count() / 1000) +
                                     " s; check the brokers");
    }
  }
  return true;
}

Result<bool> Reading::take(const rd_kafka_message_t& message) {
  const Partition partition{message.partition};
  switch (message.err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR: {
      auto goes_on = hand_over(message);
      heard_ = Clock::now();  // whoever visits may take its time
      return goes_on;
    }
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      // Also the way past the markers of transactions, and past what was aborted.
      heard_ = Clock::now();
      advance(partition, message.offset);
      return true;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
      return fail(Remedy::stop, "topic " + where_.topic + "/" + std::to_string(message.partition) +
                                    ": what was to be read next was removed meanwhile; choose a "
                                    "later beginning");
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      return unreadable(where_.topic, message.err);
    default:
      return true;  // librdkafka tries again by itself; quiet_max ends it
  }
}

Result<bool> Reading::hand_over(const rd_kafka_message_t& message) {
  const Partition partition{message.partition};
  const auto next = next_.find(partition);
  if (next == next_.end() || message.offset < next->second) return true;
  if (message.offset >= ends_.at(partition)) {
    advance(partition, message.offset);
    return true;
  }
  read_headers(message, headers_);
  auto goes_on = visit_({.position = {partition, message.offset},
                         .key = message_key(message),
                         .has_key = message.key != nullptr,
                         .value = message_payload(message),
                         .is_null = message.payload == nullptr,
                         .headers = headers_,
                         .time = time_of(message)});
  if (goes_on && *goes_on) advance(partition, message.offset + 1);
  return goes_on;
}

void Reading::advance(Partition partition, Offset position) {
  const auto next = next_.find(partition);
  if (next == next_.end()) return;
  next->second = std::max(next->second, position);
  if (next->second >= ends_.at(partition)) next_.erase(next);
}

}  // namespace

TopicLog::TopicLog(Where where, Observer observer, SharedClient client, std::int32_t partitions)
    : where_(std::move(where)),
      observer_(std::move(observer)),
      client_(std::move(client)),
      partitions_(partitions) {}

Result<TopicLog> TopicLog::open(Where where, const Observer& observer) {
  const auto refused = refused_properties(where.connection);
  if (!refused.empty()) return tl::unexpected(refused.front());
  // As a read_committed client sees the end, it lies before what an open transaction wrote.
  Properties properties = log_properties(where);
  properties["isolation.level"] = "read_uncommitted";
  auto client = make_client(RD_KAFKA_CONSUMER, properties, 0, observer);
  if (!client) return tl::unexpected(client.error());
  const auto partitions = ask<std::int32_t>(
      where.topic, where.quiet_max,
      [client = *client, topic = where.topic, deadline = Clock::now() + where.quiet_max] {
        return count_partitions(client->get(), topic, deadline);
      });
  if (!partitions) return tl::unexpected(partitions.error());
  return TopicLog(std::move(where), observer, std::move(*client), *partitions);
}

Result<Stretches> TopicLog::bounds() const {
  return ask<Stretches>(where_.topic, where_.quiet_max,
                        [client = client_, topic = where_.topic, partitions = partitions_,
                         deadline = Clock::now() + where_.quiet_max]() -> Result<Stretches> {
                          Stretches all;
                          for (std::int32_t partition = 0; partition < partitions; ++partition) {
                            Stretch& stretch = all[Partition{partition}];
                            const auto error = rd_kafka_query_watermark_offsets(
                                client->get(), topic.c_str(), partition, &stretch.from, &stretch.to,
                                std::max(remaining_ms(deadline), 1));
                            if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
                              return unreadable(topic, error);
                          }
                          return all;
                        });
}

Result<Offsets> TopicLog::offsets_at(WallTime time) const {
  const auto all = bounds();
  if (!all) return tl::unexpected(all.error());
  return ask<Offsets>(
      where_.topic, where_.quiet_max,
      [client = client_, topic = where_.topic, bounds = *all, time,
       wait = static_cast<int>(where_.quiet_max.count())]() -> Result<Offsets> {
        const OwnedList list = list_of(topic, static_cast<std::int32_t>(bounds.size()));
        for (int i = 0; i < list->cnt; ++i) {
          list->elems[i].offset = time.time_since_epoch().count();
        }
        const auto error = rd_kafka_offsets_for_times(client->get(), list.get(), wait);
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return unreadable(topic, error);
        Offsets offsets;
        for (int i = 0; i < list->cnt; ++i) {
          const rd_kafka_topic_partition_t& answer = list->elems[i];
          if (answer.err != RD_KAFKA_RESP_ERR_NO_ERROR) return unreadable(topic, answer.err);
          const Partition partition{answer.partition};
          const Offset end = bounds.at(partition).to;
          offsets[partition] = answer.offset < 0 ? end : std::min(answer.offset, end);
        }
        return offsets;
      });
}

Result<Offsets> TopicLog::committed() const {
  return ask<Offsets>(where_.topic, where_.quiet_max,
                      [client = client_, topic = where_.topic, partitions = partitions_,
                       wait = static_cast<int>(where_.quiet_max.count())]() -> Result<Offsets> {
                        const OwnedList list = list_of(topic, partitions);
                        const auto error = rd_kafka_committed(client->get(), list.get(), wait);
                        if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return unreadable(topic, error);
                        Offsets offsets;
                        for (int i = 0; i < list->cnt; ++i) {
                          const rd_kafka_topic_partition_t& answer = list->elems[i];
                          if (answer.err != RD_KAFKA_RESP_ERR_NO_ERROR)
                            return unreadable(topic, answer.err);
                          if (answer.offset >= 0)
                            offsets[Partition{answer.partition}] = answer.offset;
                        }
                        return offsets;
                      });
}

Result<bool> TopicLog::read(const Stretches& stretches, const Visit& visit,
                            const std::stop_token& stop) const {
  Reading reading(where_, stretches, visit);
  if (reading.is_done()) return true;
  return reading.run(observer_, stop);
}

}  // namespace helsekontakter::kafka
