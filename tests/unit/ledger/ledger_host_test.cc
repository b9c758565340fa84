#include "adapters/ledger/ledger_host.h"

#include "tests/unit/ledger/samples.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <semaphore>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::ledger {
namespace {

using namespace std::chrono_literals;
using samples::at;
using samples::entry;
using samples::key;
using samples::parked;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Partition p0{0};
constexpr Partition p1{1};
constexpr auto never = 60s;

/// A durable ledger of entries, whose restores wait until they are let go.
class FakeStore final : public LedgerStore {
 public:
  void hold(const MemberKey& which, LedgerEntry what, Partition partition = p0) {
    entries_.insert_or_assign({partition, which}, std::move(what));
  }
  void fail_once(Remedy remedy) { failures_.push_back(remedy); }
  void cork() { corked_ = true; }
  void let_go() {
    const std::lock_guard lock(mutex_);
    corked_ = false;
    changed_.notify_all();
  }
  /// Positions that the restores began from, in order.
  [[nodiscard]] std::vector<Offset> begun_from() const { return begun_from_; }

  Result<RestoredTables> restore(RestoredTables from, std::stop_token stop) override {
    std::unique_lock lock(mutex_);
    for (const auto& [partition, table] : from) begun_from_.push_back(table.position);
    changed_.wait_for(lock, stop, never, [&] { return !corked_; });
    if (!failures_.empty()) {
      const Remedy remedy = failures_.front();
      failures_.pop_front();
      return fail(remedy, "the ledger says no");
    }
    for (auto& [partition, one] : from) {
      for (const auto& [place, what] : entries_) {
        if (place.first == partition) put(one.table, place.second, what, BundleForm{});
      }
      one.position = 100;
    }
    return from;
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool corked_ = false;
  std::deque<Remedy> failures_;
  std::vector<Offset> begun_from_;
  std::map<std::pair<Partition, MemberKey>, LedgerEntry> entries_;
};

class LedgerHostTest : public ::testing::Test {
 protected:
  LedgerHostTest() { make({}); }

  void make(LedgerHost::Settings settings) {
    host_ = std::make_unique<LedgerHost>(
        std::move(settings), store_, [this] { rung_.release(); },
        LedgerHost::Observer{
            .restored = [](std::size_t, std::size_t, Milliseconds) {},
            .trouble = [this](const Error& error) { said_.push_back(error.message); },
            .refused = [this](const Error& error) { refused_.push_back(error.message); }});
  }

  /// The inputs as the core would get them.
  std::vector<Input> turn(std::vector<Input> inputs = {}) {
    host_->prepare(now_, inputs);
    return inputs;
  }
  /// The next turn, once a restore has ended.
  std::vector<Input> turn_after_restore() {
    EXPECT_TRUE(rung_.try_acquire_for(never));
    return turn();
  }
  void assign(Partition partition = p0, Epoch epoch = Epoch{1}) {
    (void)turn({Assigned{.partition = partition, .epoch = epoch}});
  }
  void obey(Commands commands) { host_->obey(now_, commands); }
  void ask(const MemberKey& which, Partition partition = p0, Epoch epoch = Epoch{1}) {
    Commands commands;
    commands.look_ups.push_back({.partition = partition, .epoch = epoch, .key = which});
    obey(std::move(commands));
  }
  void record(const MemberKey& which, LedgerEntry what, bool durable) {
    Commands commands;
    commands.record.emplace();
    commands.record->ledger.push_back({p0, Epoch{1}, which, std::move(what)});
    obey(std::move(commands));
    (void)turn({Recorded{RecordId{1}, durable}});
  }
  void release(Partition partition = p0, Epoch epoch = Epoch{1}) {
    Commands commands;
    commands.source.release.emplace_back(partition, epoch);
    obey(std::move(commands));
  }

  /// Versions that the ledger tells in these inputs; -9: of a key it never heard of.
  static std::vector<std::int64_t> told(const std::vector<Input>& inputs) {
    std::vector<std::int64_t> versions;
    for (const Input& input : inputs) {
      const auto* answers = std::get_if<LedgerAnswers>(&input);
      if (answers == nullptr) continue;
      for (const LedgerAnswer& answer : answers->answers) {
        versions.push_back(answer.entry ? answer.entry->version : -9);
      }
    }
    return versions;
  }

  TimePoint now_{1'000s};
  std::counting_semaphore<100> rung_{0};
  std::vector<std::string> said_;
  std::vector<std::string> refused_;
  std::shared_ptr<FakeStore> store_ = std::make_shared<FakeStore>();
  std::unique_ptr<LedgerHost> host_;
};

TEST_F(LedgerHostTest, AnswersOnlyWhenThePartitionIsRestored) {
  store_->hold(key(1), entry(7));
  store_->cork();
  assign();
  ask(key(1));
  ask(key(2));
  EXPECT_THAT(told(turn()), IsEmpty());
  EXPECT_EQ(host_->restoring(), 1u);
  store_->let_go();
  EXPECT_THAT(told(turn_after_restore()), ElementsAre(7, -9));
  EXPECT_EQ(host_->restoring(), 0u);
  ask(key(1));
  EXPECT_TRUE(host_->has_answers());
  EXPECT_THAT(told(turn()), ElementsAre(7));
}

TEST_F(LedgerHostTest, HandsOutWhatIsDueWhenThePartitionIsRestored) {
  store_->hold(key(1), parked(key(1), 3, at(0s)));
  store_->cork();
  assign();
  Commands commands;
  commands.take_due.push_back({.partition = p0, .epoch = Epoch{1}, .until = at(1s), .at_most = 5});
  obey(std::move(commands));
  store_->let_go();
  const auto inputs = turn_after_restore();
  ASSERT_THAT(inputs, SizeIs(1));
  EXPECT_THAT(std::get<DueChanges>(inputs.front()).due, SizeIs(1));
}

TEST_F(LedgerHostTest, TellsWhoLooksUpThatItIsDueWhenItWasMadeDueMeanwhile) {
  store_->hold(key(1), parked(key(1), 3, at(1h)));
  store_->cork();
  assign();
  ask(key(1));
  Commands commands;
  commands.make_due.push_back(
      {.partition = p0, .epoch = Epoch{1}, .now = at(1s), .inactive_too = true});
  obey(std::move(commands));
  store_->let_go();
  const auto inputs = turn_after_restore();
  ASSERT_THAT(inputs, SizeIs(1));
  const LedgerAnswers& answers = std::get<LedgerAnswers>(inputs.front());
  ASSERT_THAT(answers.answers, SizeIs(1));
  ASSERT_TRUE(answers.answers[0].parked);
  EXPECT_EQ(answers.answers[0].parked->due, at(1s));
}

TEST_F(LedgerHostTest, ListsAcceptedOfferingsWhenThePartitionIsRestored) {
  LedgerEntry offering = entry(7);
  offering.lane = Lane::offerings;
  offering.ever_accepted = true;
  LedgerEntry rejected = offering;
  rejected.ever_accepted = false;
  LedgerEntry member = offering;
  member.lane = Lane::members;
  store_->hold(key(1), offering);
  store_->hold(key(2), rejected);
  store_->hold(key(3), member);
  store_->cork();
  assign();
  Commands commands;
  commands.list_offerings.push_back({p0, Epoch{1}});
  commands.list_offerings.push_back({p0, Epoch{9}});
  host_->obey(now_, commands);
  EXPECT_THAT(turn(), IsEmpty());
  store_->let_go();
  const auto inputs = turn_after_restore();
  ASSERT_THAT(inputs, SizeIs(1));
  const auto& list = std::get<LedgerOfferings>(inputs.front());
  EXPECT_EQ(list.partition, p0);
  EXPECT_EQ(list.epoch, Epoch{1});
  ASSERT_THAT(list.accepted, SizeIs(1));
  EXPECT_EQ(list.accepted[0].key, key(1));
  EXPECT_EQ(list.accepted[0].organization, offering.organization);
  EXPECT_EQ(list.accepted[0].version, 7);
  host_->obey(now_, commands);
  EXPECT_THAT(turn(), SizeIs(1)) << "restored by now";
}

TEST_F(LedgerHostTest, KnowsWhatARecordMadeDurableAndNothingElse) {
  assign();
  (void)turn_after_restore();
  record(key(1), entry(3), true);
  record(key(2), entry(4), false);
  ask(key(1));
  ask(key(2));
  EXPECT_THAT(told(turn()), ElementsAre(3, -9));
}

TEST_F(LedgerHostTest, GoesOnFromTheKeptTableWhenAPartitionComesBack) {
  assign();
  (void)turn_after_restore();
  record(key(1), entry(3), true);
  release();
  assign(p0, Epoch{2});
  (void)turn_after_restore();
  EXPECT_THAT(store_->begun_from(), ElementsAre(0, 100));
  ask(key(1), p0, Epoch{2});
  EXPECT_THAT(told(turn()), ElementsAre(3));
}

TEST_F(LedgerHostTest, ReadsEverythingAgainWhenAPartitionComesBackAfterALongTime) {
  assign();
  (void)turn_after_restore();
  (void)turn({Lost{p0, Epoch{1}}});
  now_ += 2h;
  assign(p0, Epoch{2});
  (void)turn_after_restore();
  EXPECT_THAT(store_->begun_from(), ElementsAre(0, 0));
}

TEST_F(LedgerHostTest, TellsNothingOfARestoreWhosePartitionIsLost) {
  store_->hold(key(1), entry(7));
  store_->cork();
  assign();
  ask(key(1));
  (void)turn({Lost{p0, Epoch{1}}, Assigned{.partition = p0, .epoch = Epoch{2}}});
  ask(key(1), p0, Epoch{2});
  store_->let_go();
  std::vector<std::int64_t> versions;
  while (versions.empty()) versions = told(turn_after_restore());
  EXPECT_THAT(versions, ElementsAre(7)) << "the look-up of the lost assignment is answered by none";
}

TEST_F(LedgerHostTest, TriesAgainAfterAPauseWhatCouldNotBeRead) {
  store_->hold(key(1), entry(7));
  store_->fail_once(Remedy::retry);
  assign();
  ask(key(1));
  (void)turn_after_restore();
  EXPECT_THAT(said_, SizeIs(1));
  ASSERT_TRUE(host_->wake_at().has_value());
  EXPECT_EQ(*host_->wake_at(), now_ + 1s);
  now_ += 1s;
  (void)turn();
  EXPECT_THAT(told(turn_after_restore()), ElementsAre(7));
}

TEST_F(LedgerHostTest, SaysThatALedgerIsRefused) {
  store_->fail_once(Remedy::stop);
  assign();
  (void)turn_after_restore();
  EXPECT_THAT(refused_, ElementsAre("the ledger says no"));
}

TEST_F(LedgerHostTest, SaysOnceThatItIsFullAndOnceThatThereIsRoom) {
  make({.members_max = 10, .parked_max = 1});
  store_->hold(key(1), parked(key(1), 3, at(0s)));
  assign();
  const auto inputs = turn_after_restore();
  ASSERT_THAT(inputs, SizeIs(1));
  EXPECT_TRUE(std::get<LedgerRoom>(inputs.front()).full);
  EXPECT_EQ(std::get<LedgerRoom>(inputs.front()).limit, "ledger.parked_max");
  EXPECT_THAT(turn(), IsEmpty());
  Commands commands;
  commands.record.emplace();
  commands.record->ledger.push_back({p0, Epoch{1}, key(1), entry(3)});
  obey(std::move(commands));
  const auto after = turn({Recorded{RecordId{1}, true}});
  ASSERT_THAT(after, SizeIs(2));
  EXPECT_FALSE(std::get<LedgerRoom>(after.back()).full);
}

TEST_F(LedgerHostTest, EndsWhileARestoreIsUnderWay) {
  store_->cork();
  assign();
  host_.reset();
  store_->let_go();
}

TEST_F(LedgerHostTest, RestoresPartitionsThatComeTogetherTogether) {
  store_->hold(key(1), entry(1), p0);
  store_->hold(key(2), entry(2), p1);
  (void)turn(
      {Assigned{.partition = p0, .epoch = Epoch{1}}, Assigned{.partition = p1, .epoch = Epoch{1}}});
  (void)turn_after_restore();
  EXPECT_EQ(host_->restoring(), 0u);
  EXPECT_EQ(host_->figures().members, 2u);
}

}  // namespace
}  // namespace helsekontakter::ledger
