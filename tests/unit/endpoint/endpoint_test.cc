#include "adapters/inbox/inbox.h"
#include "tests/unit/endpoint/fakes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::endpoint {
namespace {

using namespace std::chrono_literals;
using https::Failure;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr WallTime now{10'000s};
constexpr std::string_view date_of_now = "Thu, 01 Jan 1970 02:46:40 GMT";
const std::string one_created =
    R"({"resourceType":"Bundle","type":"batch-response","entry":[{"response":{"status":"201"}}]})";

class Endpoint : public ::testing::Test {
 protected:
  EndpointSettings settings() const {
    EndpointSettings out;
    out.url = https::Url::parse("https://api.test/helsekontakter/api/v1").value();
    return out;
  }

  Surroundings surroundings() {
    Surroundings out;
    out.still_ours = [this](const auto& under) {
      asked_about = under;
      return still_ours;
    };
    out.deliver = [this](Outcome outcome) { outcomes.push_back(std::move(outcome)); };
    out.wall = [] { return now; };
    out.steady = [this] { return TimePoint(clock += 250ms); };
    out.fresh_uuid = [this] {
      Uuid uuid;
      uuid.bytes[15] = ++uuids;
      return uuid;
    };
    out.observer.request_done = [this](const RequestFacts& f) { facts.push_back(f); };
    out.observer.token_failed = [this](auto, NotSentCause c) { tokens_failed.push_back(c); };
    out.observer.token_dropped = [this](auto, int status) { tokens_dropped.push_back(status); };
    out.observer.clock_seen = [this](WallTime theirs, WallTime ours) {
      skews.push_back(ours - theirs);
    };
    return out;
  }

  static Submit submission() {
    Submit out{.id = BatchId{7},
               .name = {},
               .lane = Lane::members,
               .organization = OrganizationNumber::parse("948554062").value(),
               .body = "{\"exactly\": [ \"as given\" ]}\n",
               .entries = {EntryReference{{}, "identifier"}},
               .under = {{Partition{3}, Epoch{4}}}};
    return out;
  }

  /// The one outcome there must be, of this kind.
  template <class Kind>
  Kind only() {
    if (outcomes.size() != 1) throw std::logic_error("there is not exactly one outcome");
    EXPECT_EQ(outcomes[0].id, BatchId{7});
    return std::get<Kind>(outcomes[0].outcome);
  }

  FakeClient client;
  FakeTokens tokens;
  bool still_ours = true;
  std::vector<std::pair<Partition, Epoch>> asked_about;
  Milliseconds clock{0};
  std::uint8_t uuids = 0;
  std::vector<Outcome> outcomes;
  std::vector<RequestFacts> facts;
  std::vector<NotSentCause> tokens_failed;
  std::vector<int> tokens_dropped;
  std::vector<Milliseconds> skews;
  HelsekontakterEndpoint endpoint{settings(), client, &tokens, surroundings()};
};

std::vector<std::string> lines(const std::vector<https::Header>& headers) {
  std::vector<std::string> out;
  for (const auto& header : headers) out.push_back(header.name + ": " + header.value);
  return out;
}

TEST_F(Endpoint, PostsTheBodyExactlyAsGivenWithATokenOfItsOrganisation) {
  endpoint.submit(submission());
  ASSERT_EQ(client.requests.size(), 1);
  const https::Request& request = client.requests[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url.text(), "https://api.test/helsekontakter/api/v1");
  EXPECT_EQ(*request.shared_body, submission().body);
  EXPECT_EQ(request.timeout, 15s);
  EXPECT_EQ(request.connect_timeout, 5s);
  EXPECT_THAT(lines(request.headers),
              ElementsAre("Content-Type: application/fhir+json", "Accept: application/fhir+json",
                          "Authorization: Bearer token-1"));
  EXPECT_THAT(tokens.asked, ElementsAre("POST https://api.test/helsekontakter/api/v1 for "
                                        "948554062 lasting 20000"));
}

TEST_F(Endpoint, ReadsTheAnswerOfEachEntry) {
  endpoint.submit(submission());
  client.answer(200, one_created);
  const auto answered = only<Answered>();
  EXPECT_EQ(answered.http_status, 200);
  ASSERT_EQ(answered.entries.size(), 1);
  EXPECT_EQ(answered.entries[0].status, 201);
  EXPECT_EQ(outcomes[0].submitted_at, WallTime(5000s));
}

TEST_F(Endpoint, AddsTheHeadersOfTheOperatorWithAFreshUuidForEachRequest) {
  auto more = settings();
  more.media_type = "application/json";
  more.accept = "application/xml";
  more.headers = {{"nhn-source-system", "sio"}, {"nhn-event-id", "urn:uuid:{uuid}"}};
  HelsekontakterEndpoint other(more, client, nullptr, surroundings());
  other.submit(submission());
  other.submit(submission());
  EXPECT_THAT(lines(client.requests[0].headers),
              ElementsAre("Content-Type: application/json", "Accept: application/xml",
                          "nhn-source-system: sio",
                          "nhn-event-id: urn:uuid:00000000-0000-0000-0000-000000000001"));
  EXPECT_EQ(client.requests[1].headers[3].value, "urn:uuid:00000000-0000-0000-0000-000000000002");
}

class TokenRefusal : public Endpoint, public ::testing::WithParamInterface<int> {};

TEST_P(TokenRefusal, IsAnsweredByOneFreshTokenAndTheSameBody) {
  endpoint.submit(submission());
  client.answer(GetParam());
  EXPECT_THAT(outcomes, IsEmpty());
  EXPECT_THAT(tokens.dropped, ElementsAre("Bearer token-1"));
  ASSERT_EQ(client.requests.size(), 2);
  EXPECT_EQ(*client.requests[1].shared_body, submission().body);
  EXPECT_EQ(client.requests[1].headers.back().value, "Bearer token-2");
  client.answer(200, one_created);
  EXPECT_EQ(only<Answered>().entries.size(), 1);
  EXPECT_THAT(tokens_dropped, ElementsAre(GetParam()));
  EXPECT_EQ(facts.size(), 2);
}

TEST_P(TokenRefusal, IsReportedTheSecondTime) {
  endpoint.submit(submission());
  client.answer(GetParam());
  client.answer(GetParam());
  EXPECT_EQ(only<Refused>().http_status, GetParam());
  EXPECT_EQ(client.requests.size(), 2);
  EXPECT_EQ(tokens.dropped.size(), 1);
}

TEST_P(TokenRefusal, IsReportedAtOnceWhereThereIsNoToken) {
  HelsekontakterEndpoint without(settings(), client, nullptr, surroundings());
  without.submit(submission());
  client.answer(GetParam());
  EXPECT_EQ(only<Refused>().http_status, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Table, TokenRefusal, ::testing::Values(401, 403));

TEST_F(Endpoint, AsksAgainWhoOwnsThePartitionsBeforeItRepeats) {
  endpoint.submit(submission());
  client.answer(401);
  still_ours = false;
  client.answer(200, one_created);
  EXPECT_EQ(only<NotSent>().cause, NotSentCause::not_ours);
}

TEST_F(Endpoint, SendsNothingWhenTheFreshTokenIsNotToBeHad) {
  endpoint.submit(submission());
  tokens.refuse(NotSentCause::client_refused);
  client.answer(401);
  EXPECT_EQ(only<NotSent>().cause, NotSentCause::client_refused);
  EXPECT_EQ(outcomes[0].submitted_at, std::nullopt);
}

TEST_F(Endpoint, SendsNothingWithoutAToken) {
  tokens.refuse(NotSentCause::token_refused);
  endpoint.submit(submission());
  EXPECT_EQ(only<NotSent>().cause, NotSentCause::token_refused);
  EXPECT_EQ(only<NotSent>().text, "refused as told");
  EXPECT_THAT(client.requests, IsEmpty());
  EXPECT_THAT(tokens_failed, ElementsAre(NotSentCause::token_refused));
}

TEST_F(Endpoint, WithholdsARequestWhosePartitionsAreLost) {
  still_ours = false;
  endpoint.submit(submission());
  client.answer(200, one_created);
  EXPECT_EQ(only<NotSent>().cause, NotSentCause::not_ours);
  EXPECT_EQ(asked_about, submission().under);
}

struct Fault {
  Failure::Phase phase;
  NotSentCause cause;
};

class Unwritten : public Endpoint, public ::testing::WithParamInterface<Fault> {};

TEST_P(Unwritten, RequestIsNotSentAndSaysWhy) {
  endpoint.submit(submission());
  client.fail_with(GetParam().phase, false);
  EXPECT_EQ(only<NotSent>().cause, GetParam().cause);
  EXPECT_EQ(only<NotSent>().text, "as told");
  EXPECT_EQ(outcomes[0].submitted_at, std::nullopt);
  ASSERT_EQ(facts.size(), 1);
  EXPECT_EQ(facts[0].not_sent, GetParam().cause);
  EXPECT_EQ(facts[0].latency, std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Unwritten,
    ::testing::Values(Fault{Failure::Phase::resolve, NotSentCause::unreachable},
                      Fault{Failure::Phase::connect, NotSentCause::unreachable},
                      Fault{Failure::Phase::proxy, NotSentCause::unreachable},
                      Fault{Failure::Phase::tls, NotSentCause::tls},
                      Fault{Failure::Phase::withheld, NotSentCause::not_ours},
                      Fault{Failure::Phase::stopped, NotSentCause::stopped},
                      Fault{Failure::Phase::write, NotSentCause::unreachable}));

class Written : public Endpoint, public ::testing::WithParamInterface<Failure::Phase> {};

TEST_P(Written, RequestWithoutAnAnswerIsUnknownAndNotRepeated) {
  endpoint.submit(submission());
  client.fail_with(GetParam(), true);
  EXPECT_EQ(only<OutcomeUnknown>().text, "as told");
  EXPECT_EQ(outcomes[0].submitted_at, WallTime(5000s));
  EXPECT_EQ(client.requests.size(), 1);
}

INSTANTIATE_TEST_SUITE_P(Table, Written,
                         ::testing::Values(Failure::Phase::write, Failure::Phase::read,
                                           Failure::Phase::stopped));

struct Busy {
  std::string header;
  std::optional<Milliseconds> expected;
};

class RetryAfterHeader : public Endpoint, public ::testing::WithParamInterface<Busy> {};

TEST_P(RetryAfterHeader, IsHandedOn) {
  endpoint.submit(submission());
  client.answer(429, "", {{"retry-after", GetParam().header}});
  EXPECT_EQ(only<Refused>().http_status, 429);
  EXPECT_EQ(only<Refused>().retry_after, GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(Table, RetryAfterHeader,
                         ::testing::Values(Busy{"7", 7s}, Busy{"later", std::nullopt},
                                           Busy{"Thu, 01 Jan 1970 02:47:00 GMT", 20s}));

TEST_F(Endpoint, TellsTheObserverWhatARequestCost) {
  endpoint.submit(submission());
  client.answer(200, one_created, {{"Date", std::string(date_of_now)}});
  ASSERT_EQ(facts.size(), 1);
  EXPECT_EQ(facts[0].lane, Lane::members);
  EXPECT_EQ(facts[0].status, 200);
  EXPECT_EQ(facts[0].entries, 1);
  EXPECT_EQ(facts[0].body_bytes, submission().body.size());
  EXPECT_EQ(facts[0].latency, 250ms);
  EXPECT_THAT(skews, ElementsAre(0ms));
}

TEST_F(Endpoint, DeliversIntoTheInbox) {
  Inbox inbox(1);
  Surroundings real = real_surroundings();
  real.still_ours = [](const auto&) { return true; };
  real.deliver = [&](Outcome outcome) { inbox.push(std::move(outcome)); };
  HelsekontakterEndpoint into_inbox(settings(), client, &tokens, std::move(real));
  into_inbox.submit(submission());
  client.answer(200, one_created);
  std::vector<Input> inputs;
  inbox.take(inputs, {});
  ASSERT_EQ(inputs.size(), 1);
  EXPECT_TRUE(std::holds_alternative<Outcome>(inputs[0]));
}

}  // namespace
}  // namespace helsekontakter::endpoint
