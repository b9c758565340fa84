// A question to the status API: one answer for each, and numbers in its body alone.

#include "adapters/endpoint/status_inquiry.h"

#include "tests/unit/endpoint/fakes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::endpoint {
namespace {

using namespace std::chrono_literals;
using https::Failure;
using Kind = StatusFailure::Kind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::string both = R"({"erAktivListe":{"21814497167":{"erDigitaltAktivSelv":true},)"
                         R"("26908896636":{"erDigitaltAktivSelv":false}}})";

class Inquiry : public ::testing::Test {
 protected:
  static StatusSettings settings() {
    StatusSettings out;
    out.url = https::Url::parse("https://api.test/digitaltaktiv/helsenorgeaktivsjekken/v1").value();
    out.headers = {{"nhn-event-id", "{uuid}"}};
    return out;
  }

  StatusSurroundings surroundings() {
    StatusSurroundings out;
    out.still_ours = [this](const auto& under) {
      asked_about = under;
      return still_ours;
    };
    out.deliver = [this](StatusAnswer answer) { answers.push_back(std::move(answer)); };
    out.wall = [] { return WallTime(10'000s); };
    out.fresh_uuid = [] { return Uuid{}; };
    out.asked = [this](const StatusFacts& f) { facts.push_back(f); };
    out.token_dropped = [this](auto, int status) { tokens_dropped.push_back(status); };
    return out;
  }

  static AskStatus question() {
    return {.id = StatusId{7},
            .organization = OrganizationNumber::parse("948554062").value(),
            .identifiers = {"21814497167", "26908896636"},
            .under = {{Partition{3}, Epoch{4}}}};
  }

  /// Why the one question there was has no answer.
  StatusFailure failure() {
    if (answers.size() != 1 || !answers[0].failure) throw std::logic_error("no single failure");
    EXPECT_EQ(answers[0].id, StatusId{7});
    EXPECT_THAT(answers[0].statuses, IsEmpty());
    EXPECT_EQ(facts.at(0).failure, answers[0].failure->kind);
    return *answers[0].failure;
  }

  FakeClient client;
  FakeTokens tokens;
  bool still_ours = true;
  std::vector<std::pair<Partition, Epoch>> asked_about;
  std::vector<StatusAnswer> answers;
  std::vector<StatusFacts> facts;
  std::vector<int> tokens_dropped;
  StatusInquiry inquiry{settings(), client, &tokens, surroundings()};
};

TEST_F(Inquiry, PutsNumbersIntoTheBodyAndNowhereElse) {
  inquiry.ask(question());
  ASSERT_EQ(client.requests.size(), 1);
  const https::Request& request = client.requests[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url.text(), "https://api.test/digitaltaktiv/helsenorgeaktivsjekken/v1");
  EXPECT_EQ(*request.shared_body,
            R"({"fnrListe":["21814497167","26908896636"],"omraade":"Helsehjelp"})");
  std::vector<std::string> headers;
  for (const auto& header : request.headers) headers.push_back(header.name + ": " + header.value);
  EXPECT_THAT(headers, ElementsAre("Content-Type: application/json", "Accept: application/json",
                                   "nhn-event-id: 00000000-0000-0000-0000-000000000000",
                                   "Authorization: Bearer token-1"));
  EXPECT_THAT(tokens.asked, ElementsAre(HasSubstr("for 948554062 lasting 20000")));
}

struct Form {
  Area area;
  AreaForm form;
  std::string text;
};

class AreaOf : public Inquiry, public ::testing::WithParamInterface<Form> {};

TEST_P(AreaOf, AQuestionIsWrittenInTheFormThatIsSet) {
  StatusSettings other = settings();
  other.area = GetParam().area;
  other.area_form = GetParam().form;
  StatusInquiry so(other, client, nullptr, surroundings());
  so.ask(question());
  EXPECT_THAT(*client.requests.at(0).shared_body,
              HasSubstr("\"omraade\":" + GetParam().text + "}"));
}

INSTANTIATE_TEST_SUITE_P(Table, AreaOf,
                         ::testing::Values(Form{Area::helsehjelp, AreaForm::text, "\"Helsehjelp\""},
                                           Form{Area::ungdom, AreaForm::text, "\"Ungdom\""},
                                           Form{Area::helsehjelp, AreaForm::number, "3"},
                                           Form{Area::ungdom, AreaForm::number, "6"}));

TEST_F(Inquiry, GivesTheStatusOfEachMember) {
  inquiry.ask(question());
  client.answer(200, both);
  ASSERT_EQ(answers.size(), 1);
  EXPECT_FALSE(answers[0].failure);
  EXPECT_THAT(answers[0].statuses, ElementsAre(DigitalStatus::active, DigitalStatus::inactive));
  ASSERT_EQ(facts.size(), 1);
  EXPECT_EQ(facts[0].failure, std::nullopt);
  EXPECT_EQ(facts[0].active, 1);
  EXPECT_EQ(facts[0].inactive, 1);
  EXPECT_EQ(facts[0].unknown, 0);
  EXPECT_EQ(asked_about, question().under);
}

class RefusedToken : public Inquiry, public ::testing::WithParamInterface<int> {};

TEST_P(RefusedToken, IsReplacedOnceByAFreshOne) {
  inquiry.ask(question());
  client.answer(GetParam());
  EXPECT_THAT(answers, IsEmpty());
  EXPECT_THAT(tokens.dropped, ElementsAre("Bearer token-1"));
  EXPECT_THAT(tokens_dropped, ElementsAre(GetParam()));
  client.answer(200, both);
  ASSERT_EQ(answers.size(), 1);
  EXPECT_EQ(answers[0].statuses.size(), 2);
}

TEST_P(RefusedToken, IsReportedTheSecondTime) {
  inquiry.ask(question());
  client.answer(GetParam());
  client.answer(GetParam());
  EXPECT_EQ(failure().kind, Kind::refused);
  EXPECT_EQ(client.requests.size(), 2);
}

INSTANTIATE_TEST_SUITE_P(Table, RefusedToken, ::testing::Values(401, 403));

TEST_F(Inquiry, IsNotSentWithoutAToken) {
  tokens.refuse(NotSentCause::token_refused);
  inquiry.ask(question());
  EXPECT_EQ(failure().kind, Kind::not_sent);
  EXPECT_THAT(client.requests, IsEmpty());
}

TEST_F(Inquiry, IsWithheldWhenThePartitionsAreLostOrTheWorkerStops) {
  still_ours = false;
  inquiry.ask(question());
  client.answer(200, both);
  EXPECT_EQ(failure().kind, Kind::withheld);
  answers.clear();
  facts.clear();
  tokens.refuse(NotSentCause::stopped);
  inquiry.ask(question());
  EXPECT_EQ(failure().kind, Kind::withheld);
}

struct Fault {
  Failure::Phase phase;
  bool may_be_executed;
  Kind kind;
};

class Faulty : public Inquiry, public ::testing::WithParamInterface<Fault> {};

TEST_P(Faulty, QuestionSaysNothingOfAnyMember) {
  inquiry.ask(question());
  client.fail_with(GetParam().phase, GetParam().may_be_executed);
  EXPECT_EQ(failure().kind, GetParam().kind);
  EXPECT_EQ(failure().text, "as told");
}

INSTANTIATE_TEST_SUITE_P(Table, Faulty,
                         ::testing::Values(Fault{Failure::Phase::resolve, false, Kind::not_sent},
                                           Fault{Failure::Phase::connect, false, Kind::not_sent},
                                           Fault{Failure::Phase::tls, false, Kind::not_sent},
                                           Fault{Failure::Phase::stopped, false, Kind::withheld},
                                           Fault{Failure::Phase::read, true, Kind::unknown}));

TEST_F(Inquiry, HandsOnWhatTheStatusApiAsksFor) {
  inquiry.ask(question());
  client.answer(429, "21814497167", {{"Retry-After", "9"}});
  EXPECT_EQ(failure().kind, Kind::refused);
  EXPECT_EQ(failure().retry_after, 9s);
  EXPECT_THAT(failure().text, Not(HasSubstr("21814497167")));
}

}  // namespace
}  // namespace helsekontakter::endpoint
