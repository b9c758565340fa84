#include "adapters/amqp/recorder.h"
#include "adapters/amqp/source.h"
#include "adapters/crypto/keyed_hash.h"
#include "tests/benchmark/amqp/relay.h"
#include "tests/integration/amqp/broker.h"

#include <cstdio>
#include <cstdlib>
#include <set>

#include <sys/resource.h>

// What receiving and recording cost on AMQP, beside what Proton alone can do in the same run; or
// the least that the whole way could cost, with the messages that wait in FROM.
// usage: amqp_cost [MESSAGES]                  (HELSEKONTAKTER_TEST_AMQP=host:port)
//        amqp_cost relay FROM TO MESSAGES

namespace helsekontakter::amqp {
namespace {

using namespace std::chrono_literals;
using test::Broker;
using Clock = std::chrono::steady_clock;

constexpr std::size_t per_record = 1000;
constexpr const char* event =
    R"({"specversion":"1.0","id":"event-0000000","source":"/members","type":)"
    R"("no.helsekontakter.membership.changed.v1","data":{"organization":"948554062",)"
    R"("member":"13116900216","period":{"start":"2026-01-01","end":"2026-12-31"},"version":3}})";

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Times one thing and prints it as a line.
class Stopwatch {
 public:
  explicit Stopwatch(const char* what) : what_(what) {}
  void done(std::size_t messages) const {
    const std::chrono::duration<double> took = Clock::now() - begun_;
    const auto count = static_cast<double>(messages);
    std::printf("%-32s %9.0f messages/s %8.1f CPU s per million\n", what_, count / took.count(),
                (cpu_seconds() - cpu_) / count * 1e6);
  }

 private:
  const char* what_;
  const Clock::time_point begun_ = Clock::now();
  const double cpu_ = cpu_seconds();
};

std::vector<proton::message> events(std::size_t count) {
  std::vector<proton::message> messages;
  for (std::size_t i = 0; i < count; ++i) {
    std::string body = event;
    char number[8];
    std::snprintf(number, sizeof number, "%07zu", i % 10'000'000);
    body.replace(body.find("0000000"), 7, number);
    messages.push_back(test::data_message(body));
    messages.back().content_type("application/cloudevents+json");
  }
  return messages;
}

Connection connection_to(const Broker& broker) {
  return {.urls = {broker.url()}, .user = "worker"};
}

Observer complaining() {
  Observer observer;
  observer.trouble = [](const Error& error) {
    std::fprintf(stderr, "%s\n", error.message.c_str());
  };
  return observer;
}

/// Receives, decodes and settles; what was received is kept for recording.
std::vector<Delivery> receive_and_settle(const Broker& broker, const std::string& queue,
                                         std::size_t count) {
  json::DecoderSettings settings;
  settings.synthetic_allowed = true;
  settings.rule_2032 = false;
  json::EventDecoder decoder(settings, crypto::KeyedHash(crypto::KeyedHash::Key{}));
  Inbox inbox(16 << 20);
  std::vector<Delivery> all;
  all.reserve(count);
  AmqpSource source(
      {.connection = connection_to(broker), .address = queue}, "secret",
      [&](const json::RawEvent& raw) { return decoder.decode(raw); }, inbox, complaining());
  const Stopwatch watch("worker: receive, decode, settle");
  if (!source.start()) std::abort();
  std::vector<Input> inputs;
  while (all.size() < count) {
    inbox.take(inputs, Clock::now() + 1s);
    Settlement settlement;
    for (Input& input : inputs) {
      auto* delivered = std::get_if<Delivered>(&input);
      if (delivered == nullptr) continue;
      for (Delivery& delivery : delivered->deliveries) {
        settlement.deliveries.emplace_back(delivery.epoch, delivery.position.offset);
        all.push_back(std::move(delivery));
      }
    }
    source.settle(std::move(settlement));
  }
  source.stop();
  watch.done(count);
  return all;
}

void record(const Broker& broker, const std::string& queue, const std::vector<Delivery>& changes) {
  Inbox inbox(1 << 20);
  const ResultText text{.begin = [](const Record&, WallTime) {},
                        .append = [](const Conclusion&, std::string& out) { out += event; },
                        .id =
                            [](const Conclusion& conclusion) {
                              return crypto::uuid_v5(
                                  {}, {conclusion.delivery->texts[Texts::Field::id]});
                            }};
  AmqpRecorder recorder({.connection = connection_to(broker), .address = queue}, "secret", "input",
                        text, {}, inbox, complaining());
  if (!recorder.start()) std::abort();
  std::vector<Input> inputs;
  const Stopwatch watch("worker: results confirmed");
  for (std::size_t at = 0; at < changes.size(); at += per_record) {
    Record next{.id = RecordId{at}};
    for (std::size_t i = at; i < std::min(at + per_record, changes.size()); ++i) {
      next.conclusions.push_back(
          {.delivery = std::make_unique<Delivery>(changes[i]), .batch = Conclusion::no_batch});
    }
    recorder.record(std::move(next));
    do inbox.take(inputs, Clock::now() + 1s);
    while (inputs.empty());
  }
  watch.done(changes.size());
}

int bare_relay(const Broker& broker, const std::string& from, const std::string& to,
               std::size_t count) {
  const Stopwatch watch("Proton alone: receive, send on");
  if (!test::relay(broker, from, to, count)) return 1;
  watch.done(count);
  return 0;
}

int halves(const Broker& broker, std::size_t count) {
  const auto messages = events(count);
  const std::string input = broker.address(test::unique_name("cost-input"));
  const std::string results = broker.address(test::unique_name("cost-results"));
  for (const auto& queue : {input, results}) {
    const Stopwatch watch("Proton alone: send, durable");
    if (!test::send(broker, queue, messages)) return 1;
    watch.done(count);
  }
  {
    const Stopwatch watch("Proton alone: receive, accept");
    if (test::receive(broker, results, count).size() != count) return 1;
    watch.done(count);
  }
  record(broker, results, receive_and_settle(broker, input, count));
  return 0;
}

int run(const std::vector<std::string>& arguments) {
  const Broker broker = Broker::from_environment();
  if (broker.host_and_port.empty()) {
    std::fprintf(stderr, "set HELSEKONTAKTER_TEST_AMQP=host:port\n");
    return 2;
  }
  const std::size_t count =
      arguments.empty() ? 100'000 : std::strtoull(arguments.back().c_str(), nullptr, 10);
  if (arguments.size() == 4 && arguments[0] == "relay") {
    return bare_relay(broker, arguments[1], arguments[2], count);
  }
  return halves(broker, count);
}

}  // namespace
}  // namespace helsekontakter::amqp

int main(int argc, char** argv) {
  return helsekontakter::amqp::run({argv + 1, argv + argc});
}
