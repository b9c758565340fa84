// How many messages the source lets come, with a broker that never sends more than that.

#include "tests/integration/amqp/amqp_fixture.h"
#include "tests/integration/amqp/fake_broker.h"

namespace helsekontakter::amqp::test {
namespace {

class Credit : public ::testing::Test {
 protected:
  void start(std::size_t again) {
    broker_.send_endlessly(again);
    ASSERT_TRUE(source_.start());
  }
  [[nodiscard]] SourceSettings settings() const {
    return {.connection = {.urls = {broker_.url()}},
            .address = "queue",
            .places_max = 8,
            .unsettled_max = 10};
  }

  FakeBroker broker_;
  Core core_;
  Ear ear_;
  AmqpSource source_{settings(), "secret", decode_plainly, core_.inbox, ear_.observer()};
};

TEST_F(Credit, IsNotMoreThanMayBeUnsettled) {
  start(0);
  ASSERT_TRUE(core_.take_deliveries(10)) << ear_.all();
  EXPECT_FALSE(core_.take_deliveries(11, 500ms));
}

/// A broker that is behind with settlements gives back more than we left open: all of it is read,
/// for what is not settled in the end may be among it.
TEST_F(Credit, IsThereForAllThatComesAgain) {
  start(60);
  ASSERT_TRUE(core_.take_deliveries(60)) << ear_.all();
  EXPECT_FALSE(core_.take_deliveries(60 + 8 + 1, 500ms)) << "what is new has to wait";
}

}  // namespace
}  // namespace helsekontakter::amqp::test
