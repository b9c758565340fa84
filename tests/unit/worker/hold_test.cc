#include "worker/worker.h"

#include <functional>

#include <gtest/gtest.h>

namespace helsekontakter {
namespace {

const OrganizationNumber organization = *OrganizationNumber::parse("948554062");
constexpr TimePoint start{Milliseconds(1'000'000)};

/// Deliveries of one organisation on one partition: "+" is a readable change, "-" an unusable one.
class Stream {
 public:
  Stream() { worker_.turn(at(start), inputs_, commands_); }

  /// Delivers the pattern so often, all at once; nothing is ever answered.
  void deliver(std::string_view pattern, int times) {
    Delivered delivered;
    for (int i = 0; i < times; ++i) {
      for (const char c : pattern) delivered.deliveries.push_back(delivery(c == '+'));
    }
    inputs_.emplace_back(std::move(delivered));
    worker_.turn(at(start), inputs_, commands_);
  }

  [[nodiscard]] bool brake_pulled() const {
    for (const Notice& notice : commands_.notices) {
      if (notice.kind == Notice::Kind::brake_pulled) return true;
    }
    return false;
  }

 private:
  static WorkerSettings settings() {
    WorkerSettings out;
    out.organizations[organization] = {};
    return out;
  }
  static Turn at(TimePoint now) { return {.now = now, .wall = {}, .random = 1}; }

  Delivery delivery(bool readable) {
    Delivery out{.position = {Partition{0}, next_}, .epoch = Epoch{1}, .texts = {}, .content = {}};
    if (readable) {
      Change change{.organization = organization};
      for (int i = 0; i < 8; ++i) {
        change.key.bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(next_ >> (8 * i));
      }
      out.texts.append(Texts::Field::entry, "{}");
      out.content = change;
    } else {
      out.content = Finding{.reason = Reason::member_check_digit, .organization = organization};
    }
    ++next_;
    return out;
  }

  Worker worker_{settings()};
  std::vector<Input> inputs_{
      Assigned{.partition = Partition{0}, .epoch = Epoch{1}, .end = 100'000}};
  Commands commands_;
  Offset next_ = 0;
};

TEST(Brake, LetsFewUnusableChangesAmongManyThatStillWaitPass) {
  Stream stream;
  stream.deliver("+++++++++-", 300);
  EXPECT_FALSE(stream.brake_pulled());
}

TEST(Brake, StopsAtTwoHundredUnusableChangesInARow) {
  Stream stream;
  stream.deliver("-", 199);
  EXPECT_FALSE(stream.brake_pulled());
  stream.deliver("-", 1);
  EXPECT_TRUE(stream.brake_pulled());
}

TEST(Brake, StopsWhenMoreThanHalfOfAThousandAreUnusable) {
  Stream stream;
  stream.deliver("+--", 300);
  EXPECT_FALSE(stream.brake_pulled());
  stream.deliver("+--", 34);
  EXPECT_TRUE(stream.brake_pulled());
}

TEST(EndpointHealth, EndsAHoldByAProbeOnly) {
  EndpointHealth health;
  Random random(1);
  ASSERT_TRUE(health.unreachable(start, {}, random));
  EXPECT_FALSE(health.succeeded(false));
  EXPECT_FALSE(health.alive(false));
  EXPECT_TRUE(health.held());
  EXPECT_TRUE(health.succeeded(true));
  EXPECT_FALSE(health.held());
}

TEST(EndpointHealth, RemembersItsProbeWhenAnotherRequestSucceeds) {
  EndpointHealth health;
  Random random(1);
  ASSERT_TRUE(health.unreachable(start, {}, random));
  health.probe_started();
  EXPECT_FALSE(health.succeeded(false));
  EXPECT_FALSE(health.admits(start + std::chrono::hours(1)));
  health.probe_ended();
  EXPECT_TRUE(health.admits(start + std::chrono::hours(1)));
}

/// One delivery of each of so many organisations that nobody listed, as `content` says.
std::vector<Delivery> unlisted(std::size_t count,
                               const std::function<void(Delivery&, OrganizationNumber)>& content) {
  std::vector<Delivery> deliveries;
  for (int number = 100'000'000; deliveries.size() < count; ++number) {
    const auto unknown = OrganizationNumber::parse(std::to_string(number));
    if (!unknown) continue;
    Delivery one{.position = {Partition{0}, static_cast<Offset>(deliveries.size())},
                 .epoch = Epoch{1},
                 .texts = {},
                 .content = {}};
    content(one, *unknown);
    deliveries.push_back(std::move(one));
  }
  return deliveries;
}

TEST(Unlisted, AreToldApartUpToAThousand) {
  Worker worker{WorkerSettings{}};
  std::vector<Input> inputs{Assigned{.partition = Partition{0}, .epoch = Epoch{1}, .end = 1'500}};
  inputs.emplace_back(Delivered{unlisted(1'500, [](Delivery& one, OrganizationNumber unknown) {
    one.content = Finding{.reason = Reason::member_check_digit, .organization = unknown};
  })});
  Commands commands;
  worker.turn({.now = start, .wall = {}, .random = 1}, inputs, commands);
  EXPECT_EQ(commands.notices.size(), 1'000u);
  EXPECT_NE(commands.notices.back().text.find("No more are named"), std::string::npos);
  EXPECT_EQ(worker.status().organizations_held.size(), 1'000u);
  EXPECT_EQ(worker.status().changes_held, 1'500u) << "all of them wait";
  EXPECT_TRUE(!commands.record || commands.record->conclusions.empty());
}

/// The thousandth stands for all that come after it, and is not to answer for them.
TEST(Unlisted, DoNotPullTheBrakeOfAnother) {
  WorkerSettings settings;
  settings.batch.bytes_max = 500;
  Worker worker{settings};
  std::vector<Input> inputs{Assigned{.partition = Partition{0}, .epoch = Epoch{1}, .end = 1'500}};
  inputs.emplace_back(Delivered{unlisted(1'500, [](Delivery& one, OrganizationNumber unknown) {
    Change change{.organization = unknown};
    const auto at = static_cast<std::uint64_t>(one.position.offset);
    for (std::size_t i = 0; i < 8; ++i) {
      change.key.bytes[i] = static_cast<std::uint8_t>(at >> 8 * i);
    }
    one.texts.append(Texts::Field::entry, std::string(1'000, 'x'));
    one.content = change;
  })});
  Commands commands;
  worker.turn({.now = start, .wall = {}, .random = 1}, inputs, commands);
  ASSERT_TRUE(commands.record);
  EXPECT_EQ(commands.record->conclusions.size(), 1'500u) << "too large, each of them";
  for (const Notice& notice : commands.notices) {
    EXPECT_NE(notice.kind, Notice::Kind::brake_pulled) << notice.text;
  }
}

}  // namespace
}  // namespace helsekontakter
