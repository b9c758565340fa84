#include "tests/feed/produce.h"

#include <iostream>
#include <stdexcept>
#include <thread>

namespace helsekontakter::feed {
namespace {

using Steady = std::chrono::steady_clock;

constexpr int flush_within_ms = 60'000;

void count_report(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  auto& fed = *static_cast<Fed*>(opaque);
  ++(message->err == RD_KAFKA_RESP_ERR_NO_ERROR ? fed.delivered : fed.failed);
}

double seconds_since(Steady::time_point start) {
  return std::chrono::duration<double>(Steady::now() - start).count();
}

class Producer {
 public:
  Producer(const Place& place, const Pace& pace) : place_(place), pace_(pace) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set_dr_msg_cb(conf, count_report);
    rd_kafka_conf_set_opaque(conf, &fed_);
    client_ = make_client(RD_KAFKA_PRODUCER, place,
                          {{"enable.idempotence", "true"},
                           {"linger.ms", "20"},
                           {"batch.num.messages", "10000"},
                           {"queue.buffering.max.messages", "200000"},
                           {"partitioner", "murmur2_random"}},
                          conf);
  }

  bool send(std::string_view key, const std::string& value) {
    keep_pace();
    for (;;) {
      const auto error =
          rd_kafka_producev(client_.get(), RD_KAFKA_V_TOPIC(place_.topic.c_str()),
                            RD_KAFKA_V_KEY(key.data(), key.size()),
                            RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
                            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR) break;
      if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        throw std::runtime_error(std::string("producing: ") + rd_kafka_err2str(error));
      }
      rd_kafka_poll(client_.get(), 50);
    }
    if (++sent_ % 1'000 == 0) rd_kafka_poll(client_.get(), 0);
    if (pace_.progress && sent_ % 100'000 == 0) {
      std::cerr << sent_ << " events, " << seconds_since(start_) << " s\n";
    }
    return fed_.failed == 0;
  }

  Fed finish(const Planned& planned) {
    const auto error = rd_kafka_flush(client_.get(), flush_within_ms);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      throw std::runtime_error(std::string("the broker did not take everything: ") +
                               rd_kafka_err2str(error));
    }
    fed_.planned = planned;
    fed_.seconds = seconds_since(start_);
    return fed_;
  }

 private:
  void keep_pace() {
    if (pace_.rate <= 0 || sent_ < pace_.burst) return;
    if (sent_ == pace_.burst) paced_since_ = Steady::now();
    const auto paced = static_cast<double>(sent_ - pace_.burst);
    const auto due = paced_since_ + std::chrono::duration_cast<Steady::duration>(
                                        std::chrono::duration<double>(paced / pace_.rate));
    if (due > Steady::now()) {
      rd_kafka_poll(client_.get(), 0);
      std::this_thread::sleep_until(due);
    }
  }

  const Place& place_;
  Pace pace_;
  Fed fed_;
  std::uint64_t sent_ = 0;
  Steady::time_point start_ = Steady::now();
  Steady::time_point paced_since_ = start_;
  Client client_;  ///< last: its reports write into the others
};

}  // namespace

Fed produce(const Place& place, const Wishes& wishes, const Pace& pace) {
  Producer producer(place, pace);
  const Planned planned = feed(wishes, [&](std::string_view key, const std::string& value) {
    return producer.send(key, value);
  });
  return producer.finish(planned);
}

}  // namespace helsekontakter::feed
