#include "adapters/results/dead_letter_reason.h"

#include <memory>

#include <gtest/gtest.h>

namespace helsekontakter::results {
namespace {

Conclusion rejected() {
  Conclusion conclusion{.delivery = std::make_unique<Delivery>(),
                        .verdict = Verdict::rejected,
                        .reason = Reason::member_date};
  conclusion.delivery->position = {Partition{3}, 42};
  return conclusion;
}

TEST(DeadLetterReason, SaysWhatIsWrongAndWhereTheEventStood) {
  EXPECT_EQ(dead_letter_reason(rejected(), "changes"),
            R"({"verdict":"rejected","reason":"member_date","topic":"changes",)"
            R"("partition":3,"offset":42})");
}

TEST(DeadLetterReason, IsJsonWhateverTheInputIsCalled) {
  EXPECT_EQ(dead_letter_reason(rejected(), "a \"b\"\n"),
            R"({"verdict":"rejected","reason":"member_date","topic":"a \"b\"\u000a",)"
            R"("partition":3,"offset":42})");
}

}  // namespace
}  // namespace helsekontakter::results
