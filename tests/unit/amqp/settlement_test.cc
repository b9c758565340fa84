// Which deliveries a record settles.

#include "adapters/amqp/settlement.h"

#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::amqp {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

Conclusion concluded(Offset offset, bool settles) {
  auto delivery = std::make_unique<Delivery>();
  delivery->position = {Partition{0}, offset};
  delivery->epoch = Epoch{3};
  return {.delivery = std::move(delivery), .settles = settles};
}

TEST(Settlement, IsOfWhatTheQueueWaitsForAndNotOfWhatCameFromTheLedger) {
  Record record;
  record.conclusions.push_back(concluded(7, true));
  record.conclusions.push_back(concluded(8, false));
  record.progress.push_back({.partition = Partition{0}, .epoch = Epoch{3}, .committed = 5});
  const Settlement settlement = settlement_of(record);
  EXPECT_THAT(settlement.deliveries, ElementsAre(Pair(Epoch{3}, 7)));
  EXPECT_THAT(settlement.below, ElementsAre(Pair(Epoch{3}, 5)));
}

}  // namespace
}  // namespace helsekontakter::amqp
