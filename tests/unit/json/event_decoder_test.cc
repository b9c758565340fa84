#include "adapters/json/event_decoder.h"

#include "adapters/json/event_identity.h"
#include "adapters/json/packed_headers.h"
#include "tests/unit/json/events.h"
#include "worker/fhir/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::json {
namespace {

using Field = Texts::Field;

const Change& change_of(const Delivery& delivery) {
  if (!std::holds_alternative<Change>(delivery.content)) {
    throw std::runtime_error("no change but " + shape(delivery));
  }
  return std::get<Change>(delivery.content);
}

TEST(EventDecoder, ReadsAStructuredMembership) {
  const Delivery delivery = decode(membership_event());
  const Change& change = change_of(delivery);
  EXPECT_EQ(change.lane, Lane::members);
  EXPECT_EQ(change.organization.digits(), "948554062");
  EXPECT_EQ(change.version, 7);
  EXPECT_EQ(change.entries, 1);
  EXPECT_FALSE(change.resend);
  using std::chrono::sys_days, std::chrono::July, std::chrono::year;
  EXPECT_EQ(change.period_end(), WallTime(sys_days(year(2026) / July / 1)));
  EXPECT_EQ(change.key, member_key(test_hash(), "948554062", danser));
  EXPECT_EQ(change.event, event_digest(test_hash(), "/sio/crm", "e-1", ""));
  EXPECT_EQ(change.full_url, entry_url("/sio/crm", "e-1"));
  EXPECT_EQ(delivery.position, (Position{Partition{2}, 41}));
  EXPECT_EQ(delivery.epoch, Epoch{5});
  EXPECT_EQ(delivery.texts[Field::id], "e-1");
  EXPECT_EQ(delivery.texts[Field::source], "/sio/crm");
  EXPECT_EQ(delivery.texts[Field::type], "no.helsekontakter.membership.changed.v1");
  EXPECT_EQ(delivery.texts[Field::subject], "s-1");
  EXPECT_EQ(delivery.texts[Field::key], "k-1");
  EXPECT_EQ(delivery.texts[Field::identifier], danser);
  EXPECT_EQ(delivery.texts[Field::detail], "");
  std::string entry;
  fhir::append_member_entry(entry, {},
                            {.full_url = change.full_url,
                             .member = danser,
                             .organization = "948554062",
                             .start = "2026-01-01",
                             .end = "2026-06-30"});
  EXPECT_EQ(delivery.texts[Field::entry], entry);
}

TEST(EventDecoder, ReadsAStructuredOffering) {
  const Delivery delivery = decode(offering_event());
  const Change& change = change_of(delivery);
  EXPECT_EQ(change.lane, Lane::offerings);
  EXPECT_EQ(change.version, 3);
  EXPECT_EQ(change.entries, 2);
  const std::string guid = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
  EXPECT_EQ(delivery.texts[Field::identifier], guid);
  EXPECT_EQ(change.key, offering_key(test_hash(), "948554062", guid));
  std::string head;
  fhir::append_organization_entry(head, {},
                                  {.full_url = organization_url("948554062"),
                                   .number = "948554062",
                                   .name = "SiO",
                                   .business_id = "8094866"});
  EXPECT_EQ(delivery.texts[Field::head], head);
  const std::string entry(delivery.texts[Field::entry]);
  EXPECT_THAT(entry, testing::HasSubstr(change.full_url.text()));
  EXPECT_THAT(entry, testing::HasSubstr(location_url(guid, "a").text()));
  EXPECT_THAT(entry, testing::HasSubstr("22000000"));
}

TEST(EventDecoder, NamesALocationWithoutIdByItsPlace) {
  const Delivery delivery = decode(with(offering_event(), R"("id":"a",)", ""));
  EXPECT_THAT(
      std::string(delivery.texts[Field::entry]),
      testing::HasSubstr(location_url("3f2504e0-4f89-41d3-9a0c-0305e82c3301", "#0").text()));
}

struct BinaryCase {
  std::string prefix;
  std::string content_type;
};

class BinaryMode : public testing::TestWithParam<BinaryCase> {};

TEST_P(BinaryMode, ReadsAttributesFromHeaders) {
  const std::string& p = GetParam().prefix;
  Record record{.payload = std::string(membership_data)};
  record.headers = {
      {p + "specversion", "1.0"}, {p + "id", "e-1"},
      {p + "source", "/sio/crm"}, {p + "type", "no.helsekontakter.membership.changed.v1"},
      {p + "subject", "s-1"},     {"Content-Type", GetParam().content_type}};
  const Delivery delivery = decode(record);
  const Delivery same = decode(membership_event());
  EXPECT_EQ(change_of(delivery).event, change_of(same).event);
  EXPECT_EQ(change_of(delivery).content, change_of(same).content);
  EXPECT_EQ(delivery.texts[Field::entry], same.texts[Field::entry]);
  EXPECT_EQ(delivery.texts[Field::subject], "s-1");
}

INSTANTIATE_TEST_SUITE_P(
    Forms, BinaryMode,
    testing::Values(BinaryCase{"ce_", "application/json"},
                    BinaryCase{"cloudEvents:", "application/json; charset=UTF-8"},
                    BinaryCase{"cloudEvents_", "application/vnd.sio+json"}, BinaryCase{"ce_", ""}));

TEST(EventDecoder, ReadsPlainMembershipByTopicPartitionAndOffset) {
  const Delivery delivery = decode(std::string(membership_data));
  EXPECT_EQ(delivery.texts[Field::source], "changes");
  EXPECT_EQ(delivery.texts[Field::id], "2/41");
  EXPECT_EQ(delivery.texts[Field::type], "no.helsekontakter.membership.changed.v1");
  EXPECT_EQ(change_of(delivery).event, event_digest(test_hash(), "changes", "2/41", ""));
  EXPECT_EQ(change_of(delivery).full_url, entry_url("changes", "2/41"));
}

TEST(EventDecoder, ReadsPlainOffering) {
  const Delivery delivery = decode(std::string(offering_data));
  EXPECT_EQ(change_of(delivery).lane, Lane::offerings);
  EXPECT_EQ(delivery.texts[Field::type], "no.helsekontakter.offering.changed.v1");
}

TEST(EventDecoder, TakesNoOwnIdentityForAnIdentityNumber) {
  // "2/13116900216": the offset of a plain event may look like a number of a person.
  EventDecoder decoder({}, test_hash());
  RawEvent raw;
  raw.payload = membership_data;
  raw.plain_source = "changes";
  raw.position = {Partition{2}, 13'116'900'216};
  const Delivery delivery = decoder.decode(raw);
  EXPECT_EQ(shape(delivery), "change");
  EXPECT_EQ(delivery.texts[Field::id], "2/13116900216");
}

TEST(EventDecoder, NamesPlainJsonByTheBrokersIdWhereThereIsOne) {
  EventDecoder decoder({}, test_hash());
  RawEvent raw;
  raw.payload = membership_data;
  raw.plain_source = "changes";
  raw.plain_id = "message-9";
  const Delivery first = decoder.decode(raw);
  raw.position.offset = 77;
  const Delivery again = decoder.decode(raw);
  EXPECT_EQ(first.texts[Field::id], "message-9");
  EXPECT_EQ(change_of(first).event, change_of(again).event);
}

TEST(EventDecoder, HidesABrokersIdThatHoldsAnIdentityNumber) {
  EventDecoder decoder({}, test_hash());
  RawEvent raw;
  raw.payload = membership_data;
  raw.plain_id = "id-13116900216";
  const Delivery delivery = decoder.decode(raw);
  EXPECT_EQ(delivery.texts[Field::id].find("13116900216"), std::string_view::npos);
  EXPECT_EQ(delivery.texts[Field::id].size(), 32u);
}

TEST(EventDecoder, SaysWhyABodyCannotBeRead) {
  EventDecoder decoder({}, test_hash());
  RawEvent raw;
  raw.payload = membership_data;
  raw.unreadable = "body: a list";
  const Delivery delivery = decoder.decode(raw);
  ASSERT_TRUE(std::holds_alternative<Finding>(delivery.content));
  EXPECT_EQ(std::get<Finding>(delivery.content).reason, Reason::unsupported_content);
  EXPECT_EQ(delivery.texts[Field::detail], "body: a list");
}

TEST(EventDecoder, TakesNoVersionFromATimeThatTheBrokerDoesNotGive) {
  EventDecoder decoder({.version_from = VersionFrom::time}, test_hash());
  RawEvent raw;
  raw.payload = membership_data;
  const Delivery delivery = decoder.decode(raw);
  ASSERT_TRUE(std::holds_alternative<Finding>(delivery.content));
  EXPECT_EQ(std::get<Finding>(delivery.content).reason, Reason::version_missing);
}

TEST(EventDecoder, CountsANullValueAsTombstone) {
  EXPECT_EQ(shape(decode(Record{.is_null = true})), "tombstone");
}

TEST(EventDecoder, NormalisesTheOrganizationNumber) {
  const Delivery spaced = decode(with(membership_event(), "948554062", "948 554 062"));
  const Delivery plain = decode(membership_event());
  EXPECT_EQ(change_of(spaced).key, change_of(plain).key);
  EXPECT_EQ(change_of(spaced).content, change_of(plain).content);
  EXPECT_EQ(spaced.texts[Field::entry], plain.texts[Field::entry]);
}

TEST(EventDecoder, IgnoresAndCountsUnknownFields) {
  EventDecoder decoder({}, test_hash());
  const Record record{.payload = with(membership_event(membership_data, R"("shoe":[{"a":1}],)"),
                                      R"("version":7)", R"("version":7,"hat":null)")};
  EXPECT_EQ(shape(record.decode(decoder)), "change");
  EXPECT_EQ(decoder.unknown_fields(), 2u);
}

TEST(EventDecoder, GivesAResendItsOwnHashAndTheSameEntry) {
  const Delivery first = decode(membership_event());
  const Delivery again = decode(membership_event(membership_data, R"("resend":"r-1",)"));
  EXPECT_TRUE(change_of(again).resend);
  EXPECT_NE(change_of(again).event, change_of(first).event);
  EXPECT_EQ(change_of(again).content, change_of(first).content);
  EXPECT_EQ(again.texts[Field::entry], first.texts[Field::entry]);
  EXPECT_EQ(again.texts[Field::resend], "r-1");
}

TEST(EventDecoder, GivesTwoEventsOfAMemberDifferentFullUrls) {
  const Delivery first = decode(membership_event());
  const Delivery second = decode(with(membership_event(), "e-1", "e-2"));
  EXPECT_EQ(change_of(first).key, change_of(second).key);
  EXPECT_EQ(change_of(first).content, change_of(second).content);
  EXPECT_NE(change_of(first).full_url, change_of(second).full_url);
}

TEST(EventDecoder, LeavesTheVersionOutOfTheContentOnly) {
  const auto content = [](std::string_view from, std::string_view to) {
    return change_of(decode(with(membership_event(), from, to))).content;
  };
  const ContentDigest first = change_of(decode(membership_event())).content;
  EXPECT_EQ(content(R"("version":7)", R"("version":8)"), first);
  EXPECT_NE(content("2026-06-30", "2026-06-29"), first);
  EXPECT_NE(content("2026-01-01\",", "2026-01-02\","), first);
  EXPECT_NE(content(R"("version":7)", R"("version":7,"ended":true)"), first);
  EXPECT_EQ(content(R"("version":7)", R"("version":7,"ended":false)"), first);
}

TEST(EventDecoder, SeesEachChangeOfAnOffering) {
  const ContentDigest first = change_of(decode(offering_event())).content;
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"SiO", "SiO2"},
                                                        {"8094866", "8094867"},
                                                        {"true", "false"},
                                                        {"Helse", "Helse!"},
                                                        {"For alle", "For noen"},
                                                        {"129688", "129689"},
                                                        {"Gata 1", "Gata 2"},
                                                        {"Oslo", "Bergen"},
                                                        {"0371", "0372"},
                                                        {"phone", "url"},
                                                        {"22000000", "22000001"},
                                                        {R"("id":"a")", R"("id":"b")"},
                                                        {R"(["Gata 1"])", R"(["Gata 1","2"])"}}) {
    EXPECT_NE(change_of(decode(with(offering_event(), from, to))).content, first) << from;
  }
  EXPECT_EQ(change_of(decode(with(offering_event(), R"("version":3)", R"("version":4)"))).content,
            first);
}

TEST(EventDecoder, SharesAHeadBetweenOfferingsOfEqualOrganizationData) {
  const auto head = [](const std::string& event) { return change_of(decode(event)).head; };
  EXPECT_EQ(head(offering_event()), head(with(offering_event(), "Gata 1", "Gata 2")));
  EXPECT_NE(head(offering_event()), head(with(offering_event(), "SiO", "SiO2")));
}

TEST(EventDecoder, CarriesTheTraceContextFromExtensionsOrHeaders) {
  const std::string parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const Delivery inside = decode(membership_event(
      membership_data, R"("traceparent":")" + parent + R"(","tracestate":"a=1",)"));
  EXPECT_EQ(inside.texts[Field::traceparent], parent);
  EXPECT_EQ(inside.texts[Field::tracestate], "a=1");
  const Delivery header =
      decode(Record{.payload = membership_event(), .headers = {{"traceparent", parent}}});
  EXPECT_EQ(header.texts[Field::traceparent], parent);
}

TEST(EventDecoder, KeepsPayloadAndHeadersForDeadLettersWhenAsked) {
  const Record record{.payload = "{broken", .headers = {{"a", "1"}, {"b", ""}}};
  const Delivery kept = decode(record, {.keep_payload = true});
  EXPECT_EQ(kept.texts[Field::payload], "{broken");
  const auto headers = unpack_headers(kept.texts[Field::headers]);
  ASSERT_TRUE(headers.has_value());
  EXPECT_THAT(*headers, testing::ElementsAre(testing::Pair("a", "1"), testing::Pair("b", "")));
  const Delivery dropped = decode(record);
  EXPECT_EQ(dropped.texts[Field::payload], "");
  EXPECT_EQ(dropped.texts[Field::headers], "");
}

TEST(EventDecoder, KeepsControlCharactersLegalInTheEntry) {
  const Delivery delivery = decode(with(offering_event(), "For alle", R"(a\u0001\"\n)"));
  EXPECT_THAT(std::string(delivery.texts[Field::entry]), testing::HasSubstr(R"(a\u0001\"\n)"));
}

}  // namespace
}  // namespace helsekontakter::json
