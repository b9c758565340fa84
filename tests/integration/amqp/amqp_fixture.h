#pragma once

#include "adapters/amqp/recorder.h"
#include "adapters/amqp/source.h"
#include "adapters/inbox/inbox.h"
#include "tests/integration/amqp/broker.h"

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace helsekontakter::amqp::test {

/// A decoder that needs no schema: what was read becomes the id; headers and payload are kept.
[[nodiscard]] Delivery decode_plainly(const json::RawEvent& raw);

/// Results as short as can be: the event's id.
[[nodiscard]] ResultText plain_text();

/// What an adapter says to its operator, from whatever thread.
class Ear {
 public:
  [[nodiscard]] Observer observer();
  [[nodiscard]] bool heard(const std::string& words) const;
  [[nodiscard]] std::string all() const;
  [[nodiscard]] std::size_t troubles() const;
  [[nodiscard]] std::uint32_t redeliveries() const;
  [[nodiscard]] bool attached() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> troubles_;
  std::uint32_t redeliveries_ = 0;
  bool attached_ = false;
};

/// The core's side of the inbox; the test is the core.
class Core {
 public:
  explicit Core(std::size_t inbox_bytes = 64 << 20) : inbox(inbox_bytes) {}

  /// Takes inputs until the predicate holds; false when it does not within the time.
  [[nodiscard]] bool take_until(const std::function<bool()>& holds, Clock::duration within = 30s);
  [[nodiscard]] bool take_deliveries(std::size_t count, Clock::duration within = 30s);
  [[nodiscard]] bool take_assigned(std::size_t times = 1, Clock::duration within = 30s);

  /// The next record: these deliveries concluded, nothing else.
  [[nodiscard]] Record record_of(const std::vector<Delivery>& concluded,
                                 Verdict verdict = Verdict::accepted, Reason reason = Reason::none);
  [[nodiscard]] Settlement settlement_of_all() const;
  /// The answer to a record; nothing when there is none in time.
  [[nodiscard]] std::optional<bool> answer(RecordId id, Clock::duration within = 60s);

  Inbox inbox;
  std::vector<Assigned> assigned;
  std::vector<Lost> lost;
  std::vector<ComesAgain> again;
  std::vector<Delivery> deliveries;
  std::map<RecordId, bool> answers;

 private:
  std::uint64_t records_ = 0;
};

class RealAmqp : public ::testing::Test {
 protected:
  void SetUp() override;

  [[nodiscard]] Connection connection() const;
  [[nodiscard]] SourceSettings source_settings(const std::string& address) const;
  [[nodiscard]] RecordSettings record_settings(const std::string& address) const;
  /// The address of a new, empty queue.
  [[nodiscard]] std::string make_queue() const { return broker.address(unique_name("queue")); }
  void produce(const std::string& address, const std::vector<std::string>& bodies) const;

  Broker broker;
};

}  // namespace helsekontakter::amqp::test
