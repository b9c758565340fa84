#include "adapters/kafka/event_producer.h"

#include "adapters/kafka/message.h"
#include "adapters/kafka/properties.h"

#include <algorithm>

namespace helsekontakter::kafka {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int delivery_poll_ms = 100;
constexpr int transaction_call_ms = 60'000;
constexpr int abort_call_ms = 10'000;
constexpr auto delivery_grace =
    std::chrono::seconds(10);  // for calls that overrun their own time-out

Properties writer_properties(const EventProducer::Where& where) {
  Properties properties{
      {"acks", "all"},
      {"enable.idempotence", "true"},
      {"linger.ms", "20"},
      {"message.max.bytes", "100000000"},
      {"queue.buffering.max.kbytes", "65536"},
      {"partitioner", where.java_partitioner ? "murmur2_random" : "consistent_random"},
      {"message.timeout.ms", std::to_string(where.message_timeout.count())}};
  if (!where.transactional_id.empty()) {
    properties["transactional.id"] = where.transactional_id;
    properties["transaction.timeout.ms"] = std::to_string(where.message_timeout.count());
  }
  properties.merge(connection_properties(where.connection, where.password));
  return properties;
}

std::string words_of(rd_kafka_error_t* error) {
  const OwnedError owned(error);
  return rd_kafka_error_string(owned.get());
}

}  // namespace

EventProducer::EventProducer(SharedClient client, const Where& where)
    : client_(std::move(client)),
      events_(rd_kafka_queue_get_main(client_->get())),
      topic_(where.topic),
      message_timeout_(where.message_timeout) {}

tl::unexpected<Error> EventProducer::failed(const std::string& why) const {
  return fail(Remedy::retry, "topic " + topic_ + " cannot be written: " + why +
                                 "; check that the brokers are up, and the right to write it");
}

Result<EventProducer> EventProducer::open(const Where& where, const Observer& observer) {
  const auto refused = refused_properties(where.connection);
  if (!refused.empty()) return tl::unexpected(refused.front());
  auto client =
      make_client(RD_KAFKA_PRODUCER, writer_properties(where), RD_KAFKA_EVENT_DR, observer);
  if (!client) return tl::unexpected(client.error());
  EventProducer producer(std::move(*client), where);
  if (where.transactional_id.empty()) return producer;
  if (auto* error = rd_kafka_init_transactions(producer.client_->get(), transaction_call_ms)) {
    return producer.failed(words_of(error));
  }
  if (auto* error = rd_kafka_begin_transaction(producer.client_->get())) {
    return producer.failed(words_of(error));
  }
  return producer;
}

void EventProducer::poll(int wait_ms) {
  for (int wait = wait_ms;; wait = 0) {
    const OwnedEvent event(rd_kafka_queue_poll(events_.get(), wait));
    if (!event) return;
    if (rd_kafka_event_type(event.get()) != RD_KAFKA_EVENT_DR) continue;
    while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event.get())) {
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        ++confirmed_;
      } else if (trouble_.empty()) {
        trouble_ = rd_kafka_err2str(message->err);
      }
    }
  }
}

Result<void> EventProducer::send(const Event& event) {
  const auto deadline = Clock::now() + message_timeout_ + delivery_grace;
  const auto bytes = [](std::string_view text) { return const_cast<char*>(text.data()); };
  const std::int32_t partition =
      event.partition ? static_cast<std::int32_t>(*event.partition) : RD_KAFKA_PARTITION_UA;
  char* key = event.key ? bytes(*event.key) : nullptr;
  const std::size_t key_bytes = event.key ? event.key->size() : 0;
  while (trouble_.empty()) {
    rd_kafka_headers_t* headers = rd_kafka_headers_new(event.headers.size());
    for (const auto& [name, value] : event.headers) add_header(headers, name, value);
    const auto error = rd_kafka_producev(
        client_->get(), RD_KAFKA_V_TOPIC(topic_.c_str()), RD_KAFKA_V_PARTITION(partition),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_VALUE(bytes(event.value), event.value.size()), RD_KAFKA_V_KEY(key, key_bytes),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      ++sent_;
      poll(0);
      return {};
    }
    rd_kafka_headers_destroy(headers);
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL || Clock::now() > deadline) {
      return failed(rd_kafka_err2str(error));
    }
    poll(delivery_poll_ms);
  }
  return failed(trouble_);
}

Result<void> EventProducer::flush() {
  const auto deadline = Clock::now() + message_timeout_ + delivery_grace;
  while (trouble_.empty() && confirmed_ < sent_) {
    if (Clock::now() > deadline) return failed("not confirmed in time");
    poll(delivery_poll_ms);
  }
  if (!trouble_.empty()) return failed(trouble_);
  return {};
}

Result<void> EventProducer::commit() {
  if (auto flushed = flush(); !flushed) return flushed;
  rd_kafka_error_t* error = rd_kafka_commit_transaction(client_->get(), transaction_call_ms);
  if (error == nullptr) return {};
  const bool is_undone =
      rd_kafka_error_txn_requires_abort(error) != 0 || rd_kafka_error_is_fatal(error) != 0;
  const std::string words = words_of(error);
  if (is_undone) {
    return failed(words + " (nothing of it is seen)");
  }
  return failed(words +
                " (whether the transaction was committed is not known: the same command again "
                "does no harm)");
}

void EventProducer::abort() {
  if (auto* error = rd_kafka_abort_transaction(client_->get(), abort_call_ms)) {
    rd_kafka_error_destroy(error);  // the broker does it when the transaction times out
  }
}

}  // namespace helsekontakter::kafka
