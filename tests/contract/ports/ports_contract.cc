#include "tests/contract/ports/ports_contract.h"

#include "worker/ordering/progress.h"

#include <algorithm>

#include <gmock/gmock.h>

namespace helsekontakter {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using Clock = std::chrono::steady_clock;

std::vector<std::string> events(int from, int to) {
  std::vector<std::string> names;
  for (int i = from; i < to; ++i) names.push_back("event-" + std::to_string(i));
  return names;
}

/// Deliveries are handed to records by value here; the core would move them.
Conclusion concluded(const Delivery& delivery, Verdict verdict, Reason reason) {
  return {.delivery = std::make_unique<Delivery>(delivery),
          .verdict = verdict,
          .reason = reason,
          .batch = Conclusion::no_batch};
}

/// One conclusion of a record only says that its change waits in the ledger from now on.
void let_wait(Record& record, std::size_t index) {
  Conclusion& waiting = record.conclusions.at(index);
  waiting.verdict = Verdict::inactive;
  waiting.reason = Reason::not_digitally_active;
  waiting.publishes = false;
  const auto& change = std::get<Change>(waiting.delivery->content);
  const Offset offset = waiting.delivery->position.offset;
  LedgerEntry entry{
      .organization = change.organization,
      .parked = std::make_shared<ParkedChange>(ParkedChange{.change = change, .offset = offset})};
  record.ledger.push_back(
      {Partition{0}, record.progress.front().epoch, change.key, std::move(entry)});
}

}  // namespace

void PortsContract::TearDown() {
  if (HasFailure()) ADD_FAILURE() << "the operator was told:\n" << ports_->troubles();
}

void PortsContract::begin() {
  assigned_.reset();
  deliveries_.clear();
  lost_.clear();
  answers_.clear();
  ports_->begin();
}

void PortsContract::note(Input& input) {
  if (const auto* news = std::get_if<Assigned>(&input)) {
    EXPECT_FALSE(assigned_) << "assigned twice";
    assigned_ = *news;
  } else if (const auto* gone = std::get_if<Lost>(&input)) {
    ASSERT_TRUE(assigned_) << "lost what was not assigned";
    EXPECT_EQ(gone->epoch, assigned_->epoch);
    assigned_.reset();
    lost_.push_back(*gone);
  } else if (auto* delivered = std::get_if<Delivered>(&input)) {
    for (Delivery& delivery : delivered->deliveries) {
      ASSERT_TRUE(assigned_) << "delivered without an assignment";
      EXPECT_EQ(delivery.epoch, assigned_->epoch);
      EXPECT_GE(delivery.position.offset, assigned_->committed);
      if (!deliveries_.empty() && deliveries_.back().epoch == delivery.epoch) {
        EXPECT_GT(delivery.position.offset, deliveries_.back().position.offset);
      }
      deliveries_.push_back(std::move(delivery));
    }
  } else if (const auto* answer = std::get_if<Recorded>(&input)) {
    answers_.push_back(*answer);
  }
}

bool PortsContract::take_until(const std::function<bool()>& holds,
                               std::chrono::milliseconds within) {
  const auto deadline = Clock::now() + within;
  std::vector<Input> inputs;
  while (!holds()) {
    if (Clock::now() >= deadline) return false;
    ports_->take(inputs, Clock::now() + 20ms);
    for (Input& input : inputs) note(input);
  }
  return true;
}

bool PortsContract::take_assigned() {
  return take_until([&] { return assigned_.has_value(); });
}

bool PortsContract::take_to(const std::string& name) {
  return take_until([&] {
    return std::any_of(deliveries_.begin(), deliveries_.end(),
                       [&](const Delivery& each) { return ports_->name_of(each) == name; });
  });
}

void PortsContract::take_for(std::chrono::milliseconds time) {
  [[maybe_unused]] const bool never = take_until([] { return false; }, time);
}

std::vector<std::string> PortsContract::came() const {
  std::vector<std::string> names;
  for (const Delivery& delivery : deliveries_) names.push_back(ports_->name_of(delivery));
  return names;
}

Record PortsContract::record_of(std::size_t count, Verdict verdict, Reason reason) {
  Record record{.id = RecordId{++records_}};
  for (std::size_t i = 0; i < count; ++i) {
    record.conclusions.push_back(concluded(deliveries_.at(i), verdict, reason));
  }
  const Offset committed =
      count == 0 ? assigned_->committed : deliveries_[count - 1].position.offset + 1;
  record.progress.push_back({.partition = Partition{0},
                             .epoch = assigned_->epoch,
                             .committed = committed,
                             .metadata = encode({.submitted_to = committed}, committed)});
  return record;
}

std::optional<bool> PortsContract::write(Record record) {
  const RecordId id = record.id;
  ports_->record(std::move(record));
  const auto answer = [&] {
    return std::find_if(answers_.begin(), answers_.end(),
                        [&](const Recorded& each) { return each.id == id; });
  };
  if (!take_until([&] { return answer() != answers_.end(); })) return std::nullopt;
  return answer()->durable;
}

std::vector<SeenResult> PortsContract::results(std::size_t expected) {
  EXPECT_TRUE(take_until([&] { return ports_->results().size() >= expected; }, 20s));
  take_for(300ms);
  return ports_->results();
}

std::vector<std::string> PortsContract::events_of(const std::vector<SeenResult>& results) const {
  std::vector<std::string> names;
  for (const SeenResult& result : results) names.push_back(result.event);
  return names;
}

// ---- the source port

TEST_P(PortsContract, AssignsThenDeliversInOrder) {
  ports_->put(events(0, 300));
  begin();
  ASSERT_TRUE(take_to("event-299"));
  EXPECT_THAT(came(), ElementsAreArray(events(0, 300)));
  EXPECT_THAT(lost_, IsEmpty());
}

TEST_P(PortsContract, DeliversWhatComesLater) {
  ports_->put(events(0, 1));
  begin();
  ASSERT_TRUE(take_to("event-0"));
  ports_->put(events(1, 4));
  ASSERT_TRUE(take_to("event-3"));
  EXPECT_THAT(came(), ElementsAreArray(events(0, 4)));
}

TEST_P(PortsContract, LeavesAPausedPartitionUnreadUntilItIsResumed) {
  ports_->put(events(0, 1));
  begin();
  ASSERT_TRUE(take_to("event-0"));
  ports_->order({.pause = {owned()}});
  take_for(1s);  // the order is obeyed by another thread
  ports_->put(events(1, 2000));
  take_for(1500ms);
  EXPECT_THAT(came(), SizeIs(1));
  ports_->order({.resume = {owned()}});
  ASSERT_TRUE(take_to("event-1999"));
  EXPECT_THAT(came(), ElementsAreArray(events(0, 2000)));
}

TEST_P(PortsContract, ObeysNoOrderOfAnotherEpoch) {
  ports_->put(events(0, 1));
  begin();
  ASSERT_TRUE(take_to("event-0"));
  SourceOrders::Owned other = owned();
  other.second = Epoch{static_cast<std::uint64_t>(other.second) + 1};
  ports_->order({.pause = {other}, .release = {other}});
  take_for(1s);
  ports_->put(events(1, 3));
  ASSERT_TRUE(take_to("event-2"));
  EXPECT_THAT(lost_, IsEmpty());
}

TEST_P(PortsContract, ReadsAgainWhatIsNotRecordedUnderANewEpoch) {
  ports_->put(events(0, 10));
  begin();
  ASSERT_TRUE(take_to("event-9"));
  ASSERT_EQ(write(record_of(4)), true);
  const SourceOrders::Owned before = owned();
  forget();
  ports_->order({.reread = {Partition{0}}});
  ASSERT_TRUE(take_to("event-9"));
  EXPECT_THAT(came(), ElementsAreArray(events(4, 10)));
  ASSERT_THAT(lost_, SizeIs(1));
  EXPECT_EQ(lost_[0].epoch, before.second);
  EXPECT_GT(owned().second, before.second);
}

TEST_P(PortsContract, SaysWhatIsStillOurs) {
  ports_->put(events(0, 2));
  begin();
  ASSERT_TRUE(take_to("event-1"));
  const std::vector ours{owned()};
  EXPECT_TRUE(take_until([&] { return ports_->still_ours(ours); }));
  const std::vector others{std::pair{Partition{0}, Epoch{1'000'000}}};
  EXPECT_FALSE(ports_->still_ours(others));
  const std::vector one_of_both{ours[0], others[0]};
  EXPECT_FALSE(ports_->still_ours(one_of_both));
  forget();
  ports_->order({.reread = {Partition{0}}});
  ASSERT_TRUE(take_to("event-1"));
  EXPECT_FALSE(ports_->still_ours(ours));
  EXPECT_TRUE(take_until([&] { return ports_->still_ours(std::vector{owned()}); }));
}

TEST_P(PortsContract, LosesNothingThatWasDeliveredAndNotRecorded) {
  ports_->put(events(0, 20));
  begin();
  ASSERT_TRUE(take_to("event-19"));
  ports_->die();
  begin();
  ASSERT_TRUE(take_to("event-19"));
  EXPECT_THAT(came(), ElementsAreArray(events(0, 20)));
}

TEST_P(PortsContract, HandsTheRestToTheNextProcess) {
  ports_->put(events(0, 20));
  begin();
  ASSERT_TRUE(take_to("event-19"));
  ASSERT_EQ(write(record_of(13)), true);
  ports_->end();
  ports_->put(events(20, 22));
  begin();
  ASSERT_TRUE(take_to("event-21"));
  take_for(300ms);
  auto names = came();
  // A queue gives back to its end what it has not to keep in place.
  std::sort(names.begin(), names.end());
  EXPECT_THAT(names, ElementsAreArray(events(13, 22)));
}

// ---- the record port

TEST_P(PortsContract, PublishesOneResultForEachConclusionInOrder) {
  ports_->put(events(0, 500));
  begin();
  ASSERT_TRUE(take_to("event-499"));
  EXPECT_EQ(write(record_of(500)), true);
  const auto seen = results(500);
  ASSERT_THAT(seen, SizeIs(500));
  EXPECT_THAT(events_of(seen), ElementsAreArray(events(0, 500)));
  std::set<std::string> ids;
  for (const SeenResult& result : seen) {
    EXPECT_EQ(result.verdict, "accepted");
    ids.insert(result.id.text());
  }
  EXPECT_THAT(ids, SizeIs(500));
}

TEST_P(PortsContract, AnswersEachRecordOnce) {
  ports_->put(events(0, 6));
  begin();
  ASSERT_TRUE(take_to("event-5"));
  EXPECT_EQ(write(record_of(3)), true);
  deliveries_.erase(deliveries_.begin(), deliveries_.begin() + 3);
  EXPECT_EQ(write(record_of(3)), true);
  take_for(500ms);
  ASSERT_THAT(answers_, SizeIs(2));
  EXPECT_LT(answers_[0].id, answers_[1].id);
  EXPECT_THAT(events_of(results(6)), ElementsAreArray(events(0, 6)));
}

TEST_P(PortsContract, PublishesNothingOfAChangeThatOnlyWaitsFromNowOn) {
  ports_->put(events(0, 3));
  begin();
  ASSERT_TRUE(take_to("event-2"));
  Record record = record_of(3);
  let_wait(record, 1);
  ASSERT_EQ(write(std::move(record)), true);
  EXPECT_THAT(events_of(results(2)), ElementsAre("event-0", "event-2"));
}

TEST_P(PortsContract, SettlesByARecordWithoutResults) {
  ports_->put(events(0, 5));
  begin();
  ASSERT_TRUE(take_to("event-4"));
  Record record = record_of(5);
  for (std::size_t i = 0; i < 5; ++i) let_wait(record, i);
  ASSERT_EQ(write(std::move(record)), true);
  ports_->end();
  ports_->put(events(5, 6));
  begin();
  ASSERT_TRUE(take_to("event-5"));
  EXPECT_THAT(came(), ElementsAre("event-5"));
  EXPECT_THAT(results(0), IsEmpty());
}

/// A record that comes too late: its partition was read again meanwhile.
TEST_P(PortsContract, SettlesNothingUnderAnEpochThatIsOver) {
  ports_->put(events(0, 8));
  begin();
  ASSERT_TRUE(take_to("event-7"));
  Record late = record_of(8);
  forget();
  ports_->order({.reread = {Partition{0}}});
  ASSERT_TRUE(take_to("event-7"));
  const auto durable = write(std::move(late));
  ASSERT_TRUE(durable) << "no answer";
  if (GetParam().fences) {
    EXPECT_FALSE(*durable);
    EXPECT_THAT(results(0), IsEmpty());
  }
  forget();
  ports_->order({.reread = {Partition{0}}});
  ASSERT_TRUE(take_to("event-7")) << "they count as settled";
  EXPECT_THAT(came(), ElementsAreArray(events(0, 8)));

  ASSERT_EQ(write(record_of(8)), true);
  const auto seen = results(GetParam().fences || !*durable ? 8 : 16);
  std::set<std::string> ids;
  for (const SeenResult& result : seen) ids.insert(result.id.text());
  EXPECT_THAT(ids, SizeIs(8)) << "a result that is repeated has its id";
}

TEST_P(DeadLetterContract, CopiesWhatItRefusesIntoADeadLetter) {
  ports_->put({"event-0", "event-1\xff{", "event-2"});
  begin();
  ASSERT_TRUE(take_to("event-2"));
  Record record = record_of(3);
  record.conclusions[1].verdict = Verdict::undecodable;
  record.conclusions[1].reason = Reason::not_json;
  ASSERT_EQ(write(std::move(record)), true);
  const auto seen = results(3);
  ASSERT_THAT(seen, SizeIs(3));
  EXPECT_EQ(seen[1].verdict, "undecodable");
  EXPECT_TRUE(take_until([&] { return !ports_->dead_letters().empty(); }, 20s));
  EXPECT_THAT(ports_->dead_letters(), ElementsAre("event-1\xff{"));
}

}  // namespace helsekontakter
