#include "adapters/crypto/keyed_hash.h"
#include "tests/integration/amqp/amqp_fixture.h"
#include "tests/integration/amqp/gate.h"
#include "worker/worker.h"

#include <atomic>
#include <charconv>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <proton/message_id.hpp>

// The real core between a real source and a real recorder, with an endpoint that takes everything.

namespace helsekontakter::amqp::test {
namespace {

using Field = Texts::Field;
using ::testing::SizeIs;

constexpr const char* organization = "948554062";

/// "key/version" → a change of that key.
Delivery decode_change(const json::RawEvent& raw) {
  static const crypto::KeyedHash hash{crypto::KeyedHash::Key{}};
  const std::string_view key = raw.payload.substr(0, raw.payload.find('/'));
  const std::string_view version = raw.payload.substr(key.size() + 1);
  Change change{.organization = *OrganizationNumber::parse(organization),
                .key = hash.digest<MemberKeyTag>({key}),
                .event = hash.digest<EventDigestTag>({raw.payload}),
                .content = hash.digest<ContentDigestTag>({raw.payload}),
                .full_url = crypto::uuid_v5({}, {raw.payload})};
  std::from_chars(version.data(), version.data() + version.size(), change.version);
  Delivery delivery{.position = raw.position, .epoch = raw.epoch};
  delivery.texts.append(Field::id, raw.payload);
  delivery.texts.append(Field::source, "/test");
  delivery.texts.append(Field::key, key);
  delivery.texts.append(Field::identifier, raw.payload);
  delivery.texts.append(Field::entry, R"({"resource":{}})");
  delivery.content = change;
  return delivery;
}

WorkerSettings core_settings() {
  WorkerSettings settings;
  settings.batch.age_max = Milliseconds{10};
  settings.api.requests_per_second_max = 0;
  settings.api.settle_time = Milliseconds{50};
  settings.organizations[*OrganizationNumber::parse(organization)] = {};
  return settings;
}

/// A worker without HTTP: every request is executed at once, if its partition is still ours.
class SmallWorker {
 public:
  SmallWorker(SourceSettings source_settings, RecordSettings record_settings)
      : inbox_(1 << 20),
        core_(core_settings()),
        source_(std::move(source_settings), "secret", decode_change, inbox_, ear.observer()),
        recorder_(std::move(record_settings), "secret", "input", plain_text(),
                  {.ledger = {},
                   .settle =
                       [this](const auto& record, auto done) {
                         source_.settle(settlement_of(*record));
                         concluded += record->conclusions.size();
                         done({});
                       }},
                  inbox_, ear.observer()) {
    EXPECT_TRUE(recorder_.start());
    EXPECT_TRUE(source_.start());
  }

  [[nodiscard]] bool work_until(const std::function<bool()>& holds, Clock::duration within) {
    const auto deadline = Clock::now() + within;
    std::vector<Input> inputs;
    while (!holds()) {
      if (Clock::now() >= deadline) return false;
      inbox_.take(inputs, Clock::now() + 5ms);
      turn(inputs);
    }
    return true;
  }
  void ask_to_stop() { inbox_.push(StopRequested{}); }

  Ear ear;
  std::atomic<std::size_t> concluded{0};
  bool finished = false;
  std::map<std::string, std::string> executed;  ///< key → the event executed last

 private:
  void turn(std::vector<Input>& inputs) {
    Commands commands;
    const auto now = std::chrono::floor<Milliseconds>(Clock::now().time_since_epoch());
    core_.turn({.now = TimePoint{now},
                .wall = std::chrono::floor<Milliseconds>(std::chrono::system_clock::now()),
                .random = ++random_},
               inputs, commands);
    if (commands.record) recorder_.record(std::move(*commands.record));
    for (const Submit& submit : commands.submissions) execute(submit);
    source_.order(std::move(commands.source));
    finished = commands.finished;
  }
  void execute(const Submit& submit) {
    if (!source_.still_ours(submit.under)) {
      inbox_.push(Outcome{.id = submit.id,
                          .outcome = NotSent{.cause = NotSentCause::not_ours, .text = {}},
                          .lane = submit.lane});
      return;
    }
    Answered answered;
    for (const EntryReference& entry : submit.entries) {
      executed[entry.identifier.substr(0, entry.identifier.find('/'))] = entry.identifier;
      answered.entries.push_back({.status = 200});
    }
    inbox_.push(
        Outcome{.id = submit.id,
                .outcome = std::move(answered),
                .submitted_at = std::chrono::floor<Milliseconds>(std::chrono::system_clock::now()),
                .lane = submit.lane});
  }

  Inbox inbox_;
  Worker core_;
  AmqpSource source_;
  AmqpRecorder recorder_;
  std::uint64_t random_ = 0;
};

class WholeWay : public RealAmqp {
 protected:
  static constexpr int keys = 200;
  static constexpr int versions = 10;

  void SetUp() override {
    RealAmqp::SetUp();
    input = make_queue();
    results = make_queue();
    std::vector<std::string> bodies;
    for (int version = 1; version <= versions; ++version) {
      for (int key = 0; key < keys; ++key) {
        bodies.push_back(std::to_string(key) + "/" + std::to_string(version));
        events.insert(bodies.back());
      }
    }
    produce(input, bodies);
  }
  void expect_all_told(const SmallWorker& worker) {
    EXPECT_THAT(receive(broker, input, 10, 500ms), SizeIs(0)) << "left in the input queue";
    std::set<std::string> told;
    std::map<std::string, std::set<std::string>> ids;
    for (const auto& message : receive(broker, results, 100'000, 1s)) {
      told.insert(body_of(message));
      ids[body_of(message)].insert(proton::to_string(message.id()));
    }
    EXPECT_EQ(told, events);
    for (const auto& [event, distinct] : ids) EXPECT_THAT(distinct, SizeIs(1)) << event;
    for (const auto& [key, event] : worker.executed) {
      EXPECT_EQ(event, key + "/" + std::to_string(versions));
    }
    EXPECT_THAT(worker.executed, SizeIs(keys));
  }
  /// Works until nothing more is delivered and concluded, then stops in good order.
  void finish(SmallWorker& worker) {
    std::size_t before = 0;
    auto quiet_since = Clock::now();
    ASSERT_TRUE(worker.work_until(
        [&] {
          if (worker.concluded != before || !worker.ear.attached()) quiet_since = Clock::now();
          before = worker.concluded;
          return before >= events.size() && Clock::now() - quiet_since > 1s;
        },
        90s))
        << worker.concluded << "\n"
        << worker.ear.all();
    worker.ask_to_stop();
    ASSERT_TRUE(worker.work_until([&] { return worker.finished; }, 20s)) << worker.ear.all();
  }

  std::string input;
  std::string results;
  std::set<std::string> events;
};

TEST_F(WholeWay, TellsWhatBecameOfEveryChange) {
  SmallWorker worker(source_settings(input), record_settings(results));
  finish(worker);
  EXPECT_EQ(worker.concluded, events.size());
  EXPECT_EQ(worker.ear.troubles(), 0u) << worker.ear.all();
  expect_all_told(worker);
}

TEST_F(WholeWay, LosesNothingWhenItsConnectionsAreCutAgainAndAgain) {
  Gate gate(broker.host_and_port);
  SourceSettings source = source_settings(input);
  RecordSettings record = record_settings(results);
  source.connection.urls = record.connection.urls = {gate.url()};
  source.connection.pause_max = record.connection.pause_max = Milliseconds{100};
  SmallWorker worker(source, record);
  for (std::size_t cuts = 1; cuts <= 8; ++cuts) {
    ASSERT_TRUE(worker.work_until([&] { return worker.concluded >= cuts * 150; }, 60s))
        << worker.ear.all();
    if (cuts % 2 == 0) {
      gate.cut();
    } else {
      gate.cut_after(4000);
    }
  }
  finish(worker);
  EXPECT_GT(gate.connections(), 6u);
  expect_all_told(worker);
}

using RabbitWholeWay = WholeWay;

TEST_F(RabbitWholeWay, LosesNothingWhenTheBrokerIsRestarted) {
  SourceSettings source = source_settings(input);
  RecordSettings record = record_settings(results);
  source.connection.pause_max = record.connection.pause_max = Milliseconds{300};
  SmallWorker worker(source, record);
  ASSERT_TRUE(worker.work_until([&] { return worker.concluded >= 300; }, 60s)) << worker.ear.all();
  std::thread restart([] { rabbitmq("restart"); });
  const bool lived = worker.work_until([&] { return worker.ear.troubles() >= 2; }, 60s);
  restart.join();
  ASSERT_TRUE(lived) << worker.ear.all();
  finish(worker);
  expect_all_told(worker);
}

}  // namespace
}  // namespace helsekontakter::amqp::test
