#include "adapters/kafka/dead_letter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::kafka {
namespace {

using ::testing::HasSubstr;
using Field = Texts::Field;

OwnedDelivery change(const std::string& id, Offset offset = 42) {
  auto owned = std::make_unique<Delivery>();
  Delivery& delivery = *owned;
  delivery.position = {Partition{3}, offset};
  delivery.epoch = Epoch{1};
  delivery.texts.append(Field::id, id);
  delivery.texts.append(Field::source, "/crm");
  delivery.texts.append(Field::type, "no.helsekontakter.membership.changed.v1");
  delivery.texts.append(Field::subject, "m-17");
  delivery.texts.append(Field::key, "m-17");
  delivery.content = Change{.organization = *OrganizationNumber::parse("948554062"), .version = 7};
  return owned;
}

class DeadLetterTest : public ::testing::TestWithParam<std::size_t> {};

TEST_P(DeadLetterTest, IsACopyOrAReferenceThatFits) {
  Conclusion conclusion{
      .delivery = change("e-1"), .verdict = Verdict::rejected, .reason = Reason::member_date};
  const std::string payload(GetParam(), 'p');
  conclusion.delivery->texts.append(Field::payload, payload);
  const auto letter = make_dead_letter(conclusion, "changes", 10'000);
  if (GetParam() < 9000) {
    EXPECT_EQ(letter.value, payload);
  } else {
    EXPECT_EQ(letter.value, R"({"verdict":"rejected","reason":"member_date","topic":"changes",)"
                            R"("partition":3,"offset":42})");
  }
  EXPECT_LT(letter.value.size(), 10'000u);
}

INSTANTIATE_TEST_SUITE_P(Sizes, DeadLetterTest, ::testing::Values(0, 100, 8000, 9900, 20'000));

TEST(DeadLetter, OfAnEventThatWasNotKeptIsAReference) {
  Conclusion conclusion{.delivery = change("e-1"),
                        .verdict = Verdict::undecodable,
                        .reason = Reason::event_too_large};
  EXPECT_THAT(std::string(make_dead_letter(conclusion, "changes", 10'000).value),
              HasSubstr(R"("offset":42)"));
}

}  // namespace
}  // namespace helsekontakter::kafka
