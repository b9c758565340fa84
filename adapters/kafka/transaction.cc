#include "adapters/kafka/transaction.h"

#include "adapters/clock/wall_now.h"
#include "adapters/kafka/dead_letter.h"
#include "adapters/kafka/message.h"
#include "adapters/results/dead_letter_reason.h"
#include "worker/domain/ensure.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace helsekontakter::kafka {
namespace {

using Field = Texts::Field;

constexpr std::size_t text_max = 4096;         // of one text of the event, in its result
constexpr std::size_t short_text_max = 128;    // where the topic takes small messages only
constexpr std::size_t result_overhead = 1024;  // headers and frame of a result
constexpr int queue_full_poll_ms = 10;
constexpr std::size_t conclusions_ahead = 4;

bool means_lost_membership(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
         code == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
         code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
}

bool means_second_producer(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH ||
         code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED;
}

std::string remedy_for(rd_kafka_resp_err_t code, const std::string& transactional_id) {
  if (means_lost_membership(code)) {
    return "the partitions are somebody else's by now, who submits the changes again";
  }
  if (means_second_producer(code)) {
    return "another producer uses transactional id " + transactional_id +
           "; give each worker its own instance id";
  }
  if (code == RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE) {
    return "raise the broker's offset.metadata.max.bytes to 4096 or more";
  }
  if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
      code == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED ||
      code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED) {
    return "give the worker's user the right to write results and to use transactions";
  }
  return "check the brokers and the results topics (`check --connect`)";
}

OwnedHeaders result_headers(const Texts& texts) {
  OwnedHeaders headers(rd_kafka_headers_new(3));
  add_header(headers.get(), "content-type", results::result_content_type);
  for (const auto& [field, name] :
       {std::pair{Field::traceparent, "traceparent"}, std::pair{Field::tracestate, "tracestate"}}) {
    const std::string_view value = texts[field];
    if (!value.empty() && value.size() <= text_max) add_header(headers.get(), name, value);
  }
  return headers;
}

/// The same for the delivery itself, which says where its texts lie.
void fetch_ahead(const Delivery& delivery) {
  constexpr std::size_t line = 64;
  const char* begin = reinterpret_cast<const char*>(&delivery);
  for (std::size_t at = 0; at < sizeof(Delivery); at += line) __builtin_prefetch(begin + at);
}

/// The texts were last touched when the change was submitted and lie in memory; asking for the
/// next ones while one result is written hides most of the wait.
void fetch_ahead(const Texts& texts) {
  constexpr std::size_t line = 64;
  const char* begin = texts[Field::id].data();
  const std::size_t size = texts[Field::id].size() + texts[Field::source].size() +
                           texts[Field::type].size() + texts[Field::subject].size() +
                           texts[Field::key].size();
  for (std::size_t at = 0; at < std::min<std::size_t>(size, 512); at += line) {
    __builtin_prefetch(begin + at);
  }
}

/// The producer's limits let a ledger record pass, too.
TopicLimits with_ledger(TopicLimits limits, std::size_t ledger_bytes_max) {
  const auto [least, most] =
      std::minmax({limits.results_bytes_max, limits.dead_letter_bytes_max, ledger_bytes_max});
  return {.results_bytes_max = least, .dead_letter_bytes_max = most};
}

}  // namespace

RecordSession::RecordSession(SharedClient client, const RecordSettings& settings,
                             std::string origin_topic, TopicLimits limits, LedgerTopic ledger,
                             std::size_t ledger_bytes_max)
    : client_(std::move(client)),
      results_(settings.topic.empty()
                   ? nullptr
                   : rd_kafka_topic_new(client_->get(), settings.topic.c_str(), nullptr)),
      dead_letters_(
          settings.dead_letter_topic.empty()
              ? nullptr
              : rd_kafka_topic_new(client_->get(), settings.dead_letter_topic.c_str(), nullptr)),
      ledger_(std::move(ledger)),
      ledger_topic_(ledger_.format
                        ? rd_kafka_topic_new(client_->get(), ledger_.topic.c_str(), nullptr)
                        : nullptr),
      ledger_value_max_(ledger_value_bytes_max(ledger_bytes_max)),
      limits_(limits),
      origin_topic_(std::move(origin_topic)),
      transactional_id_(settings.transactional_id),
      writer_({.source = settings.source,
               .environment = settings.environment,
               .origin_topic = origin_topic_}) {}

Result<std::shared_ptr<RecordSession>> RecordSession::open(
    const RecordSettings& settings, const std::string& password, const std::string& origin_topic,
    TopicLimits limits, const Observer& observer, Deadline deadline, LedgerTopic ledger,
    std::size_t ledger_bytes_max) {
  auto client = make_client(
      RD_KAFKA_PRODUCER,
      producer_properties(settings, password,
                          ledger.format ? with_ledger(limits, ledger_bytes_max) : limits),
      RD_KAFKA_EVENT_ERROR, observer);
  if (!client) return tl::unexpected(client.error());
  const OwnedError error(rd_kafka_init_transactions((*client)->get(), remaining_ms(deadline)));
  if (error) {
    return fail(Remedy::retry,
                std::string("the transactional producer does not come up: ") +
                    rd_kafka_error_string(error.get()) + "; " +
                    remedy_for(rd_kafka_error_code(error.get()), settings.transactional_id));
  }
  std::shared_ptr<RecordSession> session(new RecordSession(
      std::move(*client), settings, origin_topic, limits, std::move(ledger), ledger_bytes_max));
  if ((!settings.topic.empty() && !session->results_) ||
      (!settings.dead_letter_topic.empty() && !session->dead_letters_)) {
    return fail(Remedy::stop, "results.kafka: a topic name is not valid");
  }
  if (session->ledger_.format && !session->ledger_topic_) {
    return fail(Remedy::stop, "ledger.kafka.topic: the name is not valid");
  }
  return session;
}

RecordSession::Sent RecordSession::send(const Record& record, const GroupMetadata* metadata,
                                        Deadline deadline) {
  Sent sent;
  if (const OwnedError error(rd_kafka_begin_transaction(client_->get())); error) {
    judge(error.get(), "beginning a transaction", deadline, sent);
    return sent;
  }
  if (!produce_all(record, deadline, sent)) return sent;
  if (!produce_ledger(record, deadline, sent)) return sent;
  if (metadata != nullptr && !record.progress.empty() &&
      !send_offsets(record, *metadata, deadline, sent)) {
    return sent;
  }
  commit(deadline, sent);
  return sent;
}

bool RecordSession::produce_all(const Record& record, Deadline deadline, Sent& sent) {
  writer_.begin(record, wall_now());
  const std::span conclusions(record.conclusions);
  for (std::size_t i = 0; i < conclusions.size(); ++i) {
    if (i + 2 * conclusions_ahead < conclusions.size())
      fetch_ahead(*conclusions[i + 2 * conclusions_ahead].delivery);
    if (i + conclusions_ahead < conclusions.size())
      fetch_ahead(conclusions[i + conclusions_ahead].delivery->texts);
    const Conclusion& conclusion = conclusions[i];
    if (!conclusion.publishes || std::holds_alternative<Tombstone>(conclusion.delivery->content)) {
      continue;
    }
    auto error = produce_result(conclusion, deadline);
    ++sent.results;
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR && dead_letters_ &&
        results::is_dead_letter(conclusion.verdict)) {
      error = produce_dead_letter(conclusion, deadline);
      ++sent.dead_letters;
    }
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    sent.trouble = std::string("writing a result: ") + rd_kafka_err2str(error) + "; " +
                   remedy_for(error, transactional_id_);
    abort(error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ? Attempt::refused : Attempt::again,
          deadline, sent);
    return false;
  }
  return true;
}

rd_kafka_resp_err_t RecordSession::produce_result(const Conclusion& conclusion, Deadline deadline) {
  const Texts& texts = conclusion.delivery->texts;
  std::string_view key = texts[Field::key];
  // The size is bounded before anything is written: a message over the topic's limit would take
  // the whole transaction with it, for ever.
  const std::size_t limit = limits_.results_bytes_max;
  std::size_t cut_at = text_max;
  if (writer_.bytes_max(conclusion, cut_at) + key.size() + result_overhead > limit) {
    cut_at = short_text_max;
    if (key.size() > limit / 4) key = {};
  }
  buffer_.clear();
  writer_.append(conclusion, buffer_, cut_at);
  return produce(
      {.topic = results_.get(), .key = key, .value = buffer_, .headers = result_headers(texts)},
      deadline);
}

rd_kafka_resp_err_t RecordSession::produce_dead_letter(const Conclusion& conclusion,
                                                       Deadline deadline) {
  DeadLetter letter = make_dead_letter(conclusion, origin_topic_, limits_.dead_letter_bytes_max);
  return produce({.topic = dead_letters_.get(),
                  .key = letter.key,
                  .value = letter.value,
                  .headers = std::move(letter.headers)},
                 deadline);
}

/// Entries go to the partition number of their input, whose offset fences them.
bool RecordSession::produce_ledger(const Record& record, Deadline deadline, Sent& sent) {
  if (!ledger_topic_) return true;
  const auto give_up = [&](Attempt attempt, const std::string& why) {
    sent.trouble = "writing the ledger: " + why;
    abort(attempt, deadline, sent);
    return false;
  };
  for (const LedgerWrite& write : record.ledger) {
    const auto fenced = [&](const Progress& progress) {
      return progress.partition == write.partition && progress.epoch == write.epoch;
    };
    ensure(std::any_of(record.progress.begin(), record.progress.end(), fenced));
    const auto value = ledger_.format->encode(write.key, write.entry, ledger_value_max_);
    if (!value) return give_up(Attempt::refused, value.error().message);
    const auto error = produce({.topic = ledger_topic_.get(),
                                .key = ledger::RecordFormat::encode_key(write.key),
                                .value = *value,
                                .headers = nullptr,
                                .partition = static_cast<std::int32_t>(write.partition)},
                               deadline);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    return give_up(
        error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ? Attempt::refused : Attempt::again,
        std::string(rd_kafka_err2str(error)) + "; " + remedy_for(error, transactional_id_));
  }
  return true;
}

rd_kafka_resp_err_t RecordSession::produce(Message message, Deadline deadline) {
  std::array<rd_kafka_vu_t, 6> parts{};
  parts[0].vtype = RD_KAFKA_VTYPE_RKT;
  parts[0].u.rkt = message.topic;
  parts[1].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  parts[1].u.i = RD_KAFKA_MSG_F_COPY;
  parts[2].vtype = RD_KAFKA_VTYPE_VALUE;
  // An empty value is not a null one, wherever its text lies.
  parts[2].u.mem.ptr = const_cast<char*>(message.value.empty() ? "" : message.value.data());
  parts[2].u.mem.size = message.value.size();
  parts[3].vtype = RD_KAFKA_VTYPE_KEY;
  parts[3].u.mem.ptr = message.key.empty() ? nullptr : const_cast<char*>(message.key.data());
  parts[3].u.mem.size = message.key.size();
  parts[4].vtype = RD_KAFKA_VTYPE_PARTITION;
  parts[4].u.i32 = message.partition;
  parts[5].vtype = RD_KAFKA_VTYPE_HEADERS;
  parts[5].u.headers = message.headers.get();
  const std::size_t used = message.headers ? parts.size() : parts.size() - 1;
  while (true) {
    const OwnedError error(rd_kafka_produceva(client_->get(), parts.data(), used));
    if (!error) {
      static_cast<void>(message.headers.release());  // the message has taken them over
      return RD_KAFKA_RESP_ERR_NO_ERROR;
    }
    const auto code = rd_kafka_error_code(error.get());
    if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL || remaining_ms(deadline) == 0) return code;
    rd_kafka_poll(client_->get(), queue_full_poll_ms);
  }
}

bool RecordSession::send_offsets(const Record& record, const GroupMetadata& metadata,
                                 Deadline deadline, Sent& sent) {
  const OwnedList offsets(
      rd_kafka_topic_partition_list_new(static_cast<int>(record.progress.size())));
  for (const Progress& progress : record.progress) {
    rd_kafka_topic_partition_t* offset = rd_kafka_topic_partition_list_add(
        offsets.get(), origin_topic_.c_str(), static_cast<std::int32_t>(progress.partition));
    offset->offset = progress.committed;
    if (progress.metadata.empty()) continue;
    // Freed together with the list, by librdkafka.
    auto* copy = static_cast<char*>(std::malloc(progress.metadata.size()));
    if (copy == nullptr) throw std::bad_alloc();
    std::copy(progress.metadata.begin(), progress.metadata.end(), copy);
    offset->metadata = copy;
    offset->metadata_size = progress.metadata.size();
  }
  while (true) {
    const OwnedError error(rd_kafka_send_offsets_to_transaction(
        client_->get(), offsets.get(), metadata.get(), remaining_ms(deadline)));
    if (!error) return true;
    const bool same_again = rd_kafka_error_is_retriable(error.get()) != 0 &&
                            rd_kafka_error_txn_requires_abort(error.get()) == 0;
    if (same_again && remaining_ms(deadline) > 0) continue;
    judge(error.get(), "committing offsets", deadline, sent);
    return false;
  }
}

void RecordSession::commit(Deadline deadline, Sent& sent) {
  while (true) {
    const OwnedError error(rd_kafka_commit_transaction(client_->get(), remaining_ms(deadline)));
    if (!error) {
      sent.attempt = Attempt::durable;
      return;
    }
    if (rd_kafka_error_txn_requires_abort(error.get()) != 0) {
      judge(error.get(), "committing a transaction", deadline, sent);
      return;
    }
    if (rd_kafka_error_is_retriable(error.get()) != 0 && remaining_ms(deadline) > 0) continue;
    // The broker may have done it, or may do it yet.
    sent.attempt = Attempt::unknown;
    sent.trouble = std::string("whether a transaction was committed is not known: ") +
                   rd_kafka_error_string(error.get()) +
                   "; the partitions are read again from the committed offset";
    return;
  }
}

/// Decides after a failed step before, or instead of, the commit.
void RecordSession::judge(const rd_kafka_error_t* error, const std::string& step, Deadline deadline,
                          Sent& sent) {
  const auto code = rd_kafka_error_code(error);
  sent.trouble =
      step + ": " + rd_kafka_error_string(error) + "; " + remedy_for(code, transactional_id_);
  if (rd_kafka_error_is_fatal(error) != 0) {
    sent.attempt = Attempt::broken;
    return;
  }
  const bool hopeless =
      means_lost_membership(code) || code == RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE;
  abort(hopeless ? Attempt::refused : Attempt::again, deadline, sent);
}

void RecordSession::abort(Attempt if_aborted, Deadline deadline, Sent& sent) {
  // A little longer than the attempt: an abort that succeeds spares a new producer.
  const auto until = std::max(deadline, std::chrono::steady_clock::now() + std::chrono::seconds(2));
  while (true) {
    const OwnedError error(rd_kafka_abort_transaction(client_->get(), remaining_ms(until)));
    if (!error) {
      sent.attempt = if_aborted;
      return;
    }
    if (rd_kafka_error_is_retriable(error.get()) != 0 && remaining_ms(until) > 0) continue;
    sent.attempt = if_aborted == Attempt::refused ? Attempt::unknown : Attempt::broken;
    return;
  }
}

}  // namespace helsekontakter::kafka
