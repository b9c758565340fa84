#include "adapters/results/result_writer.h"

#include "adapters/crypto/keyed_hash.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::results {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Field = Texts::Field;

constexpr WallTime noon{Milliseconds{1'772'366'400'999}};  // 2026-03-01T12:00:00.999Z

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

Record accepted() {
  Record record;
  record.conclusions.push_back({.delivery = change("e-1"),
                                .verdict = Verdict::accepted,
                                .endpoint_event_id = "ev-9",
                                .attempt = 2,
                                .batch = 0});
  record.batches.push_back({.name = *Uuid::parse("00112233-4455-6677-8899-aabbccddeeff"),
                            .entries = 50,
                            .http_status = 200,
                            .submitted_at = noon - std::chrono::seconds(2),
                            .answered_at = noon - std::chrono::seconds(1)});
  return record;
}

class ResultWriterTest : public ::testing::Test {
 protected:
  std::string write(const Record& record, std::size_t index = 0, std::size_t text_max = 4096) {
    writer.begin(record, noon);
    std::string out;
    writer.append(record.conclusions[index], out, text_max);
    EXPECT_LE(out.size(), writer.bytes_max(record.conclusions[index], text_max));
    return out;
  }
  ResultWriter writer{
      {.source = "/helsekontakter/sio", .environment = "TEST1", .origin_topic = "changes"}};
};

TEST_F(ResultWriterTest, WritesTheWholeResultOfAnAcceptedChange) {
  const auto record = accepted();
  const std::string id =
      crypto::uuid_v5(*Uuid::parse("6f6c1d0e-6a55-5d0c-9a2e-3f0a6d3c5b11"), {"/crm", "e-1", ""})
          .text();
  EXPECT_EQ(
      write(record),
      R"({"specversion":"1.0","id":")" + id +
          R"(","source":"/helsekontakter/sio","type":"no.helsekontakter.result.v1",)"
          R"("datacontenttype":"application/json","time":"2026-03-01T12:00:00Z","subject":"m-17",)"
          R"("data":{"event":{"id":"e-1","source":"/crm",)"
          R"("type":"no.helsekontakter.membership.changed.v1","subject":"m-17"},)"
          R"("organization":"948554062","version":7,"verdict":"accepted","terminal":true,)"
          R"("action":"none","digitalStatus":"active","attempt":2,)"
          R"("batch":{"id":"00112233-4455-6677-8899-aabbccddeeff","entries":50},)"
          R"("httpStatus":200,"submittedAt":"2026-03-01T11:59:58Z",)"
          R"("answeredAt":"2026-03-01T11:59:59Z","endpointEventId":"ev-9",)"
          R"("origin":{"topic":"changes","partition":3,"offset":42},"environment":"TEST1"}})");
}

TEST_F(ResultWriterTest, WritesTheSameEventInPartsForTheBinaryMode) {
  auto record = accepted();
  record.conclusions[0].delivery->texts.append(Field::traceparent, "00-trace");
  const std::string whole = write(record);
  std::string data;
  writer.append_data(record.conclusions[0], data, 4096);
  EXPECT_THAT(whole, ::testing::EndsWith(R"(,"data":)" + data + "}"));
  const std::string rest = whole.substr(0, whole.size() - data.size());
  std::size_t attributes = 0;
  writer.put_each_attribute(
      record.conclusions[0], 4096, [&](std::string_view name, std::string_view value) {
        ++attributes;
        EXPECT_THAT(rest,
                    HasSubstr("\"" + std::string(name) + "\":\"" + std::string(value) + "\""));
      });
  const auto colons_of_the_time = 2;
  EXPECT_EQ(std::count(rest.begin(), rest.end(), ':') - colons_of_the_time,
            static_cast<long>(attributes) + 2)
      << "beside the attributes there are datacontenttype and data";
}

TEST_F(ResultWriterTest, GivesTheEndpointsCodeAndWordsWhereItHasThem) {
  auto record = accepted();
  record.conclusions[0].verdict = Verdict::rejected;
  record.conclusions[0].reason = Reason::refused_by_endpoint;
  record.conclusions[0].endpoint_code = "EHN-1";
  record.conclusions[0].text = "line\nwith \"quotes\"";
  const auto text = write(record);
  EXPECT_THAT(text, HasSubstr(R"("reason":{"code":"refused_by_endpoint",)"
                              R"("text":"EHN-1: line\u000awith \"quotes\""})"));
  EXPECT_THAT(text, HasSubstr(R"("action":"fix_data")"));
}

TEST_F(ResultWriterTest, NamesTheSuccessorOfASupersededChange) {
  auto record = accepted();
  record.conclusions.push_back({.delivery = change("e-0", 41),
                                .verdict = Verdict::superseded,
                                .reason = Reason::newer_version,
                                .batch = Conclusion::no_batch,
                                .superseded_by = 0});
  const auto text = write(record, 1);
  EXPECT_THAT(text, HasSubstr(R"("supersededBy":"e-1")"));
  EXPECT_THAT(text, Not(HasSubstr(R"("batch":)")));
}

TEST_F(ResultWriterTest, NamesASuccessorThatIsNotConcludedYet) {
  auto record = accepted();
  record.conclusions[0].verdict = Verdict::superseded;
  record.conclusions[0].reason = Reason::newer_version;
  const OwnedDelivery newer = change("e-2", 43);
  record.conclusions[0].successor = std::make_shared<const ParkedChange>(
      ParkedChange{.change = std::get<Change>(newer->content), .texts = newer->texts});
  EXPECT_THAT(write(record), HasSubstr(R"("supersededBy":"e-2")"));
}

TEST_F(ResultWriterTest, SaysWhenAnInactiveMemberIsTriedAgain) {
  auto record = accepted();
  record.conclusions[0].verdict = Verdict::inactive;
  EXPECT_THAT(write(record), Not(HasSubstr("nextAttemptAt")));
  record.conclusions[0].next_attempt = noon + std::chrono::hours(24);
  EXPECT_THAT(write(record), HasSubstr(R"("nextAttemptAt":"2026-03-02T12:00:00Z")"));
}

TEST_F(ResultWriterTest, SaysTheDigitalStatusThatTheAnswerToldOf) {
  auto record = accepted();
  Conclusion& conclusion = record.conclusions[0];
  EXPECT_THAT(write(record), HasSubstr(R"("digitalStatus":"active")"));
  conclusion.verdict = Verdict::inactive;
  conclusion.reason = Reason::not_digitally_active;
  EXPECT_THAT(write(record), HasSubstr(R"("digitalStatus":"inactive")"));
  conclusion.batch = Conclusion::no_batch;
  EXPECT_THAT(write(record), Not(HasSubstr("digitalStatus"))) << "told once more";
  conclusion.next_attempt = noon;
  EXPECT_THAT(write(record), HasSubstr(R"("digitalStatus":"inactive")"))
      << "the status API said so";
  conclusion.verdict = Verdict::accepted;
  conclusion.reason = Reason::none;
  EXPECT_THAT(write(record), Not(HasSubstr("digitalStatus"))) << "told once more";
  conclusion.batch = 0;
  std::get<Change>(conclusion.delivery->content).lane = Lane::offerings;
  EXPECT_THAT(write(record), Not(HasSubstr("digitalStatus"))) << "an offering has none";
}

TEST_F(ResultWriterTest, TellsAFindingWithWhatCouldBeRead) {
  Record record;
  auto& conclusion = record.conclusions.emplace_back();
  conclusion.delivery = std::make_unique<Delivery>();
  conclusion.delivery->texts.append(Field::detail, "data.period");
  conclusion.delivery->content = Finding{.reason = Reason::field_missing};
  conclusion.verdict = Verdict::undecodable;
  conclusion.reason = Reason::field_missing;
  conclusion.batch = Conclusion::no_batch;
  const auto text = write(record);
  EXPECT_THAT(text, HasSubstr("a required field is missing or empty (data.period)\""));
  EXPECT_THAT(text, Not(HasSubstr("organization")));
  EXPECT_THAT(text, Not(HasSubstr("version\":7")));
}

TEST_F(ResultWriterTest, CutsLongTextsBetweenCharacters) {
  Record record;
  record.conclusions.push_back({.delivery = change("\xc3\xa6\xc3\xb8\xc3\xa5")});
  EXPECT_THAT(write(record, 0, 5), HasSubstr("\"id\":\"\xc3\xa6\xc3\xb8\""));
}

TEST_F(ResultWriterTest, CarriesTraceAndResend) {
  Record record;
  auto& conclusion = record.conclusions.emplace_back();
  conclusion.delivery = std::make_unique<Delivery>();
  conclusion.delivery->texts.append(Field::id, "e");
  conclusion.delivery->texts.append(Field::traceparent, "00-aa-bb-01");
  conclusion.delivery->texts.append(Field::resend, "r-1");
  conclusion.delivery->content = Finding{};
  const auto text = write(record);
  EXPECT_THAT(text, HasSubstr(R"("traceparent":"00-aa-bb-01")"));
  EXPECT_THAT(text, HasSubstr(R"("resend":"r-1")"));
}

TEST(ResultId, IsTheSameForTheSameEventAndAnotherForAResend) {
  Conclusion first{.delivery = change("e-1", 1)};
  Conclusion again{.delivery = change("e-1", 900)};
  Conclusion resent{.delivery = change("e-1")};
  resent.delivery->texts.append(Field::resend, "r");
  EXPECT_EQ(result_id(first), result_id(again));
  EXPECT_NE(result_id(first), result_id(resent));
  EXPECT_NE(result_id(first), result_id({.delivery = change("e-2")}));
}

TEST(ResultId, OfAnInactiveResultDependsOnItsRound) {
  Conclusion first{.delivery = change("e-1"), .verdict = Verdict::inactive, .round = 0};
  Conclusion second{.delivery = change("e-1"), .verdict = Verdict::inactive, .round = 1};
  EXPECT_NE(result_id(first), result_id(second));
}

}  // namespace
}  // namespace helsekontakter::results
