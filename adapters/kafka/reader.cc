#include "adapters/kafka/reader.h"

#include "adapters/clock/wall_now.h"
#include "adapters/kafka/message.h"

#include <algorithm>
#include <utility>

namespace helsekontakter::kafka {
namespace {

constexpr std::size_t batch_max = 512;
constexpr std::size_t batch_bytes_max = 1 << 20;
constexpr std::size_t chunk_bytes = 1 << 20;
constexpr std::uint64_t wake = 1;
constexpr std::size_t messages_ahead = 4;

/// Keys and payloads lie in memory since the broker's thread wrote them, long out of this
/// processor's caches: asking for the next ones while one is decoded hides most of the wait.
void fetch_ahead(const rd_kafka_message_t& message) {
  constexpr std::size_t line = 64;
  constexpr std::size_t bytes_max = 512;
  const char* payload = static_cast<const char*>(message.payload);
  for (std::size_t at = 0; at < std::min(message.len, bytes_max); at += line) {
    __builtin_prefetch(payload + at);
  }
  // In a record the key stands just before the value.
  if (message.key_len > 0) __builtin_prefetch(message.key);
}

}  // namespace

Reader::Reader(Options options, Decode decode, Inbox& inbox, Assignment& assignment,
               const Observer& observer)
    : options_(std::move(options)),
      decode_(std::move(decode)),
      inbox_(inbox),
      assignment_(assignment),
      observer_(observer),
      messages_(batch_max),
      chunk_(16) {
  pending_.reserve(batch_max);
}

void Reader::open(rd_kafka_t* consumer, const std::vector<Partition>& partitions) {
  for (const Partition partition : partitions) {
    OwnedQueue& queue = queues_[partition];
    if (!queue) {
      queue.reset(rd_kafka_queue_get_partition(consumer, options_.topic.c_str(),
                                               static_cast<std::int32_t>(partition)));
    }
    if (!queue) {
      queues_.erase(partition);
      continue;
    }
    // Forwarding that an application set, even to nowhere, is left alone when fetching starts.
    rd_kafka_queue_forward(queue.get(), nullptr);
    rd_kafka_queue_io_event_enable(queue.get(), options_.wake_fd, &wake, sizeof wake);
  }
}

void Reader::close(Partition partition) {
  if (const auto found = queues_.find(partition); found != queues_.end()) {
    // Whoever outlives us must not write to a descriptor that is somebody else's by then.
    rd_kafka_queue_io_event_enable(found->second.get(), -1, nullptr, 0);
    queues_.erase(found);
  }
  std::erase_if(pending_,
                [&](const Delivery& delivery) { return delivery.position.partition == partition; });
  pending_bytes_ = 0;
  for (const Delivery& delivery : pending_) pending_bytes_ += delivery.cost();
  std::erase_if(reached_, [&](const ReachedPosition& at) { return at.partition == partition; });
  gaps_.erase(partition);
}

void Reader::close_all() {
  while (!queues_.empty()) close(queues_.begin()->first);
}

bool Reader::read() {
  read_bytes_ = 0;
  read_records_ = 0;
  bool more = false;
  for (auto& [partition, part] : assignment_.parts()) {
    if (part.state != Assignment::State::reading || part.paused) continue;
    if (!deliver({})) break;
    more |= read(partition, part);
  }
  if (read_records_ > 0) tell(observer_.read, read_records_, read_bytes_);
  return more;
}

bool Reader::deliver(std::chrono::steady_clock::time_point deadline) {
  if (!pending_.empty()) {
    if (!inbox_.push(pending_, deadline)) return false;
    pending_.reserve(batch_max);
    pending_bytes_ = 0;
  }
  for (const ReachedPosition& position : reached_) inbox_.push(position);
  reached_.clear();
  return true;
}

bool Reader::read(Partition partition, Assignment::Part& part) {
  const auto queue = queues_.find(partition);
  if (queue == queues_.end()) return false;
  bool more = true;
  while (more && pending_.size() < batch_max && pending_bytes_ < batch_bytes_max) {
    const std::size_t wanted = std::min(chunk_, batch_max - pending_.size());
    const ssize_t count =
        rd_kafka_consume_batch_queue(queue->second.get(), 0, messages_.data(), wanted);
    if (count <= 0) return false;
    more = static_cast<std::size_t>(count) == wanted;
    std::size_t bytes = 0;
    const WallTime now = wall_now();
    for (ssize_t i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      rd_kafka_message_t* message = messages_[at];
      if (at + messages_ahead < static_cast<std::size_t>(count)) {
        fetch_ahead(*messages_[at + messages_ahead]);
      }
      bytes += message->len + message->key_len;
      take(*message, part, now);
      rd_kafka_message_destroy(message);
    }
    // Few at a time when they are large, so that little is held beyond the queue's limit.
    const std::size_t mean = std::max<std::size_t>(bytes / static_cast<std::size_t>(count), 64);
    chunk_ = std::clamp<std::size_t>(chunk_bytes / mean, 1, batch_max);
    read_bytes_ += bytes;
    read_records_ += static_cast<std::size_t>(count);
  }
  return more;
}

void Reader::take(const rd_kafka_message_t& message, Assignment::Part& part, WallTime now) {
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    note(message, part);
    return;
  }
  if (message.offset < part.next) return;
  const json::RawEvent raw = raw_event(message, part.epoch, now);
  Delivery delivery = decode_(raw);
  pending_bytes_ += delivery.cost();
  pending_.push_back(std::move(delivery));
  part.next = message.offset + 1;
}

void Reader::note(const rd_kafka_message_t& message, Assignment::Part& part) {
  const Partition partition{message.partition};
  switch (message.err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      if (message.offset >= part.next && assignment_.reach(partition, message.offset)) {
        reached_.push_back({partition, part.epoch, message.offset});
      }
      return;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
      gaps_.insert(partition);
      return;
    default:
      tell(observer_.trouble,
           Error{Remedy::retry, "reading " + options_.topic + "/" +
                                    std::to_string(message.partition) + ": " +
                                    rd_kafka_err2str(message.err) +
                                    "; it goes on by itself when the broker is well again"});
  }
}

json::RawEvent Reader::raw_event(const rd_kafka_message_t& message, Epoch epoch, WallTime now) {
  read_headers(message, headers_);
  return {.payload = message_payload(message),
          .is_null = message.payload == nullptr,
          .key = message_key(message),
          .content_type = {},
          .headers = headers_,
          .plain_source = options_.topic,
          .position = {Partition{message.partition}, message.offset},
          .epoch = epoch,
          .broker_time = time_of(message),
          .now = now};
}

}  // namespace helsekontakter::kafka
