#include "adapters/kafka/properties.h"
#include "adapters/kafka/source_loop.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <simdjson.h>

// The part of the source's thread that follows the group: assignments, revocations, and what the
// broker must be asked before a partition can be read.

namespace helsekontakter::kafka {
namespace {

using namespace std::chrono_literals;

constexpr auto restoration_timeout = 30s;
constexpr auto restoration_grace = 10s;
constexpr auto restoration_pause = 500ms;
constexpr auto held_pause = 5s;

/// What the ledger says of the partitions that have no committed offset.
Result<BoundsRead> with_ledger(BoundsRead read, const SourceSettings& settings) {
  std::vector<Partition> unknown;
  for (const auto& [partition, bounds] : read.bounds) {
    if (!bounds.committed) unknown.push_back(partition);
  }
  if (unknown.empty() || !settings.ledger_knows) return read;
  const auto known = settings.ledger_knows(unknown);
  if (!known) return tl::unexpected(known.error());
  for (const Partition partition : *known) read.bounds.at(partition).known_to_ledger = true;
  return read;
}

/// The generation in serialised group metadata, where its format is the one we know. A member
/// that lost its place has none, and a commit without generation is not fenced by the broker.
bool lacks_generation(const rd_kafka_consumer_group_metadata_t* metadata) {
  constexpr std::string_view magic = "CGMDv2:";
  void* bytes = nullptr;
  std::size_t size = 0;
  const OwnedError refused(rd_kafka_consumer_group_metadata_write(metadata, &bytes, &size));
  if (refused) return true;
  const std::string_view text(static_cast<const char*>(bytes), size);
  std::int32_t generation = 0;
  if (text.starts_with(magic) && size >= magic.size() + sizeof generation) {
    std::memcpy(&generation, text.data() + magic.size(), sizeof generation);
  }
  rd_kafka_mem_free(nullptr, bytes);
  return generation < 0;
}

}  // namespace

void KafkaSource::Loop::on_rebalance(rd_kafka_event_t& event) {
  const rd_kafka_topic_partition_list_t* list = rd_kafka_event_topic_partition_list(&event);
  switch (rd_kafka_event_error(&event)) {
    case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS:
      on_assigned(list);
      return;
    case RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS:
      if (rd_kafka_assignment_lost(client_->get()) != 0) {
        on_lost();
        unassign();
      } else {
        on_revoked();
      }
      return;
    default:
      on_lost();
      unassign();
  }
}

void KafkaSource::Loop::on_assigned(const rd_kafka_topic_partition_list_t* list) {
  std::vector<Partition> partitions;
  for (int i = 0; list != nullptr && i < list->cnt; ++i) {
    partitions.push_back(Partition{list->elems[i].partition});
  }
  tell(observer_.rebalanced, Rebalance::assigned, partitions.size());
  // Captured now: the group cannot move on before our assign, so it is this generation's.
  GroupMetadata metadata(rd_kafka_consumer_group_metadata(client_->get()));
  const bool void_assignment = !metadata || lacks_generation(metadata.get());
  metadata_ = std::make_shared<const GroupMetadata>(std::move(metadata));
  assignment_.begin(void_assignment ? std::vector<Partition>{} : partitions);
  restoration_.reset();
  restore_at_ = {};
  assign_is_due_ = true;
  if (assignment_.parts().empty()) assign({});
}

void KafkaSource::Loop::on_revoked() {
  auto inputs = assignment_.revoke();
  tell(observer_.rebalanced, Rebalance::revoked, inputs.size());
  for (const Partition partition : assignment_.in(Assignment::State::revoking)) {
    ownership_->leave(partition);
  }
  reader_.close_all();
  restoration_.reset();
  unassign_is_due_ = true;
  // Past the rebalance timeout the group would throw us out; be gone before. It began to count up
  // to one heartbeat before we heard of it.
  const auto timeout = settings_.rebalance_timeout;
  let_go_at_ = Clock::now() + std::max(timeout / 3, std::min(timeout * 9 / 10, timeout - 5s));
  push_all(std::move(inputs));
  end_revocation();
}

void KafkaSource::Loop::on_lost() {
  auto inputs = assignment_.lose();
  if (!inputs.empty()) tell(observer_.rebalanced, Rebalance::lost, inputs.size());
  ownership_->drop_all();
  reader_.close_all();
  restoration_.reset();
  push_all(std::move(inputs));
}

void KafkaSource::Loop::end_revocation() {
  if (!unassign_is_due_) return;
  if (assignment_.is_revoking()) {
    const bool lost = rd_kafka_assignment_lost(client_->get()) != 0;
    if (!lost && Clock::now() < let_go_at_) return;
    if (!lost) {
      tell(observer_.trouble,
           Error{Remedy::retry,
                 "a revoked partition of " + settings_.topic +
                     " was not concluded within the rebalance timeout and is given up; its "
                     "changes are submitted again by the next owner"});
    }
  }
  on_lost();
  unassign();
}

void KafkaSource::Loop::unassign() {
  unassign_is_due_ = assign_is_due_ = false;
  (void)assign_and_settle(client_->get(), nullptr);
}

void KafkaSource::Loop::begin_restoration() {
  const auto now = Clock::now();
  if (restoration_ || now < restore_at_ || unassign_is_due_) return;
  auto partitions = assignment_.in(Assignment::State::restoring);
  if (now >= check_held_at_) {
    const auto held = assignment_.in(Assignment::State::held);
    partitions.insert(partitions.end(), held.begin(), held.end());
    check_held_at_ = now + held_pause;
  }
  if (partitions.empty()) return;
  restoration_ = std::make_shared<Restoration>();
  restoration_->partitions = partitions;
  restoration_->deadline = now + restoration_timeout;
  run_detached([client = client_, settings = settings_, restoration = restoration_, wake = wake_] {
    auto answer =
        read_bounds(client->get(), settings.topic, restoration->partitions, restoration->deadline);
    if (answer) answer = with_ledger(std::move(*answer), settings);
    {
      const std::lock_guard lock(restoration->mutex);
      restoration->answer = std::move(answer);
    }
    wake->raise();
  });
}

void KafkaSource::Loop::end_restoration() {
  if (!restoration_) return;
  std::optional<Result<BoundsRead>> answer;
  {
    const std::lock_guard lock(restoration_->mutex);
    answer.swap(restoration_->answer);
  }
  if (!answer) {
    if (Clock::now() < restoration_->deadline + restoration_grace) return;
    restart({Remedy::retry, "the brokers do not answer where to read " + settings_.topic +
                                "; the Kafka client is made anew"});
    return;
  }
  const auto partitions = std::move(restoration_->partitions);
  restoration_.reset();
  if (!*answer) {
    tell(observer_.trouble, answer->error());
    restore_at_ = Clock::now() + restoration_pause;
    return;
  }
  restored(**answer, partitions);
}

void KafkaSource::Loop::restored(const BoundsRead& read, const std::vector<Partition>& partitions) {
  std::vector<Input> news;
  std::string said;  // what concerns all partitions is told once
  for (const Partition partition : partitions) {
    const auto found = read.bounds.find(partition);
    if (found == read.bounds.end()) continue;
    const bool was_held = [&] {
      const auto* part = assignment_.find(partition);
      return part != nullptr && part->state == Assignment::State::held;
    }();
    auto outcome = assignment_.restore(partition, found->second, read.partitions_total);
    if (outcome.newly_held) {
      if (outcome.hold != said) tell(observer_.trouble, Error{Remedy::stop, outcome.hold});
      said = outcome.hold;
      tell(observer_.held, partition, true);
    }
    if (!outcome.assigned) continue;
    if (was_held) tell(observer_.held, partition, false);
    ownership_->take(partition, outcome.assigned->epoch, outcome.assigned->committed, metadata_);
    news.emplace_back(std::move(*outcome.assigned));
  }
  if (!news.empty() || assign_is_due_) assign(std::move(news));
}

/// Reads every partition that can be read from where it stands. With the eager protocol an
/// assignment is changed only by a new one; what was fetched ahead is fetched again.
void KafkaSource::Loop::assign(std::vector<Input> news) {
  const auto reading = assignment_.in(Assignment::State::reading);
  const OwnedList list(rd_kafka_topic_partition_list_new(static_cast<int>(reading.size())));
  for (const Partition partition : reading) {
    rd_kafka_topic_partition_list_add(list.get(), settings_.topic.c_str(),
                                      static_cast<std::int32_t>(partition))
        ->offset = assignment_.find(partition)->next;
  }
  assign_is_due_ = false;
  push_all(std::move(news));
  reader_.open(client_->get(), reading);
  const auto error = assign_and_settle(client_->get(), list.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    restart({Remedy::retry, "assigning " + settings_.topic + ": " + rd_kafka_err2str(error) +
                                "; the Kafka client is made anew"});
  }
}

void KafkaSource::Loop::on_error(rd_kafka_event_t& event) {
  const auto error = rd_kafka_event_error(&event);
  const char* words = rd_kafka_event_error_string(&event);
  if (error == RD_KAFKA_RESP_ERR__FATAL || rd_kafka_event_error_is_fatal(&event) != 0) {
    char reason[256] = "";
    const auto original = rd_kafka_fatal_error(client_->get(), reason, sizeof reason);
    const bool fenced = original == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
    restart({Remedy::retry, std::string("the Kafka consumer cannot go on: ") + reason +
                                (fenced ? "; give each worker its own instance id" : "") +
                                "; it is made anew"});
    return;
  }
  renew_password(client_->get(), settings_.connection, password_);
  // A broker that is away says so again and again; once is enough until something else happens.
  std::string sentence = std::string("Kafka consumer: ") +
                         without_counts(words == nullptr ? "" : words) +
                         "; check kafka.brokers, the network and the worker's rights";
  if (sentence == last_trouble_) return;
  last_trouble_ = sentence;
  tell(observer_.trouble, Error{Remedy::retry, std::move(sentence)});
}

void KafkaSource::Loop::on_statistics(rd_kafka_event_t& event) {
  const char* text = rd_kafka_event_stats(&event);
  if (text == nullptr) return;
  const simdjson::padded_string json(text, std::strlen(text));
  simdjson::dom::parser parser;
  simdjson::dom::element statistics;
  std::int64_t emitted = 0;
  std::int64_t silence = -1;
  if (parser.parse(json).get(statistics) == simdjson::SUCCESS &&
      statistics["ts"].get(emitted) == simdjson::SUCCESS &&
      statistics["brokers"]["GroupCoordinator"]["rxidle"].get(silence) == simdjson::SUCCESS &&
      silence >= 0) {
    // The event may have waited for us; its own clock is the monotonic one.
    const auto now =
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch());
    ownership_->heard(std::chrono::microseconds(silence) +
                      std::max(now - std::chrono::microseconds(emitted), 0us));
  }
  tell_lag();
}

void KafkaSource::Loop::tell_lag() {
  if (!observer_.lag) return;
  for (const auto& [partition, part] : assignment_.parts()) {
    if (part.state != Assignment::State::reading) continue;
    std::int64_t first = 0;
    std::int64_t end = 0;
    if (rd_kafka_get_watermark_offsets(client_->get(), settings_.topic.c_str(),
                                       static_cast<std::int32_t>(partition), &first,
                                       &end) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        end < 0) {
      continue;
    }
    const Offset concluded = ownership_->committed(partition).value_or(part.next);
    observer_.lag({.partition = partition,
                   .unread = std::max<std::int64_t>(end - part.next, 0),
                   .unconcluded = std::max<std::int64_t>(end - concluded, 0)});
  }
}

}  // namespace helsekontakter::kafka
