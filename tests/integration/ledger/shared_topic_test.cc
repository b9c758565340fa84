#include "adapters/kafka/shared_topic_reader.h"
#include "tests/integration/ledger/ledger_fixture.h"

#include <condition_variable>
#include <mutex>

#include <gmock/gmock.h>

// The shared topic on a real Kafka: what one worker says, and what another hears.

namespace helsekontakter::kafka::test {
namespace {

using ledger::samples::at;
using ledger::samples::key;
using ledger::samples::organization;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ledger::Identity identity_of(std::uint8_t hmac) {
  return ledger::format_of(hmac, 16)->identity();
}

/// A worker's ear on the topic.
class Listener {
 public:
  Listener(SharedTopic where, ledger::Identity ours)
      : reader_(std::move(where), ours,
                {.news = [this](SharedNews news) { note(std::move(news)); },
                 .caught_up =
                     [this](const std::optional<ledger::Identity>& found) {
                       change([&] {
                         caught_up_ = true;
                         identity_ = found;
                       });
                     },
                 .refused = [this](const Error& error) { change([&] { said_ = error.message; }); }},
                {}) {
    EXPECT_TRUE(reader_.start());
  }

  bool wait(const std::function<bool()>& holds) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 20s, holds);
  }
  bool catches_up() {
    return wait([this] { return caught_up_; });
  }
  bool hears(std::size_t facts) {
    return wait([&] { return old_.size() + live_.size() >= facts; });
  }
  bool is_refused() {
    return wait([this] { return !said_.empty(); });
  }
  std::vector<SharedFact> old() const { return locked(old_); }
  std::vector<SharedFact> live() const { return locked(live_); }
  std::optional<ledger::Identity> identity() const { return locked(identity_); }
  std::string said() const { return locked(said_); }

 private:
  template <class T>
  T locked(const T& value) const {
    const std::lock_guard lock(mutex_);
    return value;
  }
  void change(const std::function<void()>& what) {
    {
      const std::lock_guard lock(mutex_);
      what();
    }
    changed_.notify_all();
  }
  void note(SharedNews news) {
    change([&] {
      auto& facts = news.live ? live_ : old_;
      facts.insert(facts.end(), news.facts.begin(), news.facts.end());
    });
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<SharedFact> old_;
  std::vector<SharedFact> live_;
  bool caught_up_ = false;
  std::optional<ledger::Identity> identity_;
  std::string said_;
  SharedTopicReader reader_;
};

class SharedTopicOnKafka : public RealLedger {
 protected:
  void SetUp() override {
    RealLedger::SetUp();
    where_ = {.connection = connection(),
              .password = "",
              .topic = make_topic(1, {{"cleanup.policy", "compact"}}),
              .group = "group"};
  }
  std::unique_ptr<SharedTopicWriter> open_writer() {
    auto writer = std::make_unique<SharedTopicWriter>(where_, Observer{});
    EXPECT_TRUE(writer->start());
    return writer;
  }
  void say(const std::vector<SharedFact>& facts) {
    const auto writer = open_writer();
    writer->publish(facts);
    const auto flushed = writer->flush(Clock::now() + 20s);
    EXPECT_TRUE(flushed) << flushed.error().message;
  }
  SharedTopic where_;
};

const SharedFact held = SharedHold{organization(), true, true, at(1s), "maintenance"};
const SharedFact resumed = SharedHold{organization(), true, false, at(2s), ""};
const SharedFact braked = SharedBrake{{}, true, at(3s)};

TEST_F(SharedTopicOnKafka, TellsEveryWorkerWhatOneSays) {
  Listener first(where_, identity_of(1));
  Listener second(where_, identity_of(1));
  ASSERT_TRUE(first.catches_up());
  ASSERT_TRUE(second.catches_up());
  say({held});
  say({resumed});
  for (Listener* listener : {&first, &second}) {
    ASSERT_TRUE(listener->hears(2));
    EXPECT_THAT(listener->live(), ElementsAre(held, resumed));
    EXPECT_THAT(listener->old(), IsEmpty());
  }
}

TEST_F(SharedTopicOnKafka, TellsALaterWorkerWhatWasSaidBeforeAsOld) {
  say({held});
  say({braked});
  Listener late(where_, identity_of(1));
  ASSERT_TRUE(late.catches_up());
  EXPECT_THAT(late.old(), ElementsAre(held, braked));
  const SharedFact now = SharedRetryNow{{}, at(9s)};
  say({now});
  ASSERT_TRUE(late.hears(3));
  EXPECT_THAT(late.live(), ElementsAre(now));
}

TEST_F(SharedTopicOnKafka, KeepsTheNewestOfASubjectWhileNobodyTakesIt) {
  const auto writer = std::make_unique<SharedTopicWriter>(where_, Observer{});
  writer->publish({held});
  writer->publish({resumed, braked});
  ASSERT_TRUE(writer->start());
  ASSERT_TRUE(writer->flush(Clock::now() + 20s));
  Listener late(where_, identity_of(1));
  ASSERT_TRUE(late.catches_up());
  EXPECT_THAT(late.old(), ::testing::UnorderedElementsAre(resumed, braked));
}

TEST_F(SharedTopicOnKafka, KnowsWhatTheLedgerIsForAndRefusesAnother) {
  Listener first(where_, identity_of(1));
  ASSERT_TRUE(first.catches_up());
  EXPECT_EQ(first.identity(), std::nullopt);
  const auto writer = open_writer();
  writer->publish(identity_of(1));
  ASSERT_TRUE(writer->flush(Clock::now() + 20s));
  Listener same(where_, identity_of(1));
  ASSERT_TRUE(same.catches_up());
  EXPECT_EQ(same.identity(), identity_of(1));
  Listener other(where_, identity_of(2));
  ASSERT_TRUE(other.is_refused());
  EXPECT_THAT(other.said(), HasSubstr("put the old key back"));
}

TEST_F(SharedTopicOnKafka, SaysWhenNobodyTakesWhatIsSaid) {
  where_.topic += "-missing";
  const auto writer = open_writer();
  writer->publish({held});
  const auto flushed = writer->flush(Clock::now() + 2s);
  ASSERT_FALSE(flushed);
  EXPECT_EQ(flushed.error().remedy, Remedy::retry);
  EXPECT_THAT(flushed.error().message, HasSubstr("did not take what was said"));
}

}  // namespace
}  // namespace helsekontakter::kafka::test
