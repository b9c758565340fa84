// In which order deliveries are accepted.

#include "adapters/amqp/unsettled.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::amqp {
namespace {

/// Writes down what becomes of it: "+7" accepted, "-7" given back.
class Handle {
 public:
  Handle(int name, std::string& log) : name_(name), log_(&log) {}
  void accept() { *log_ += "+" + std::to_string(name_) + " "; }
  void release() { *log_ += "-" + std::to_string(name_) + " "; }

 private:
  int name_;
  std::string* log_;
};

class UnsettledTest : public ::testing::Test {
 protected:
  void add(int from, int to) {
    for (int offset = from; offset < to; ++offset) unsettled_.add(offset, Handle(offset, log_));
  }
  /// What became of some since the last call.
  std::string log() { return std::exchange(log_, {}); }

  std::string log_;
  Unsettled<Handle> unsettled_;
};

TEST_F(UnsettledTest, AcceptsInOrder) {
  add(5, 9);
  unsettled_.conclude(6);
  unsettled_.conclude(8);
  unsettled_.accept_in_order();
  EXPECT_EQ(log(), "") << "5 is open";
  EXPECT_EQ(unsettled_.count(), 4u);
  EXPECT_EQ(unsettled_.concluded(), 2u);
  unsettled_.conclude(5);
  unsettled_.accept_in_order();
  EXPECT_EQ(log(), "+5 +6 ");
  EXPECT_EQ(unsettled_.count(), 2u);
  EXPECT_EQ(unsettled_.concluded(), 1u);
}

TEST_F(UnsettledTest, AcceptsAllTheOlderFirstAndEachOnce) {
  add(0, 5);
  unsettled_.conclude(3);
  unsettled_.conclude(1);
  unsettled_.accept_all();
  EXPECT_EQ(log(), "+1 +3 ");
  EXPECT_EQ(unsettled_.count(), 3u);
  EXPECT_EQ(unsettled_.concluded(), 0u);
  unsettled_.conclude(3);
  unsettled_.conclude_below(3);
  unsettled_.accept_all();
  EXPECT_EQ(log(), "+0 +2 ");
  EXPECT_EQ(unsettled_.count(), 1u);
}

TEST_F(UnsettledTest, ConcludesWhatLiesBelowAndNotTheNext) {
  add(5, 9);
  unsettled_.conclude_below(7);
  unsettled_.accept_all();
  EXPECT_EQ(log(), "+5 +6 ");
  EXPECT_EQ(unsettled_.count(), 2u);
}

TEST_F(UnsettledTest, KnowsItsOffsetsAfterItWasEmpty) {
  add(0, 2);
  unsettled_.conclude_below(2);
  unsettled_.accept_in_order();
  EXPECT_EQ(log(), "+0 +1 ");
  unsettled_.conclude(0);
  unsettled_.conclude(2);
  add(2, 4);
  unsettled_.conclude(1);
  unsettled_.conclude(4);
  unsettled_.accept_all();
  EXPECT_EQ(log(), "") << "none of them is here";
  unsettled_.conclude_below(100);
  unsettled_.accept_all();
  EXPECT_EQ(log(), "+2 +3 ");
}

TEST_F(UnsettledTest, GivesBackWhatIsNotConcluded) {
  add(0, 4);
  unsettled_.conclude(1);
  unsettled_.conclude(2);
  unsettled_.accept_all();
  (void)log();
  unsettled_.conclude(3);
  unsettled_.give_back();
  EXPECT_EQ(log(), "-0 +3 ");
  EXPECT_EQ(unsettled_.count(), 0u);
  add(9, 10);
  unsettled_.conclude(9);
  unsettled_.accept_in_order();
  EXPECT_EQ(log(), "+9 ");
}

TEST_F(UnsettledTest, ForgetsWhatTheLinkTookWithIt) {
  add(0, 3);
  unsettled_.conclude(1);
  unsettled_.forget();
  EXPECT_EQ(log(), "");
  EXPECT_EQ(unsettled_.count(), 0u);
  EXPECT_EQ(unsettled_.concluded(), 0u);
}

}  // namespace
}  // namespace helsekontakter::amqp
