#include "tests/integration/simulator/parties.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::simulator::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::logic_error("nothing to replace: " + from);
  return text.replace(at, from.size(), to);
}

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(HelsekontakterOfTheSimulator, AppliesMembersAndAnswersEachInOrder) {
  Bench bench;
  const Reply reply = bench.post(bench.request(members({{0, 1}, {1, 1}}), bench.token()));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body,
            R"({"resourceType":"Bundle","type":"batch-response","entry":[{"response":{"status":)"
            R"("201 Created"}},{"response":{"status":"201 Created"}}]})");
  EXPECT_EQ(bench.count("members.applied"), 2);
  EXPECT_EQ(bench.count("members.known"), 2);
}

TEST(HelsekontakterOfTheSimulator, TakesOfferings) {
  Bench bench;
  const Reply reply = bench.post(bench.request(offerings(), bench.token()));
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_THAT(reply.body, HasSubstr("transaction-response"));
  EXPECT_EQ(bench.count("api.offerings_accepted"), 1);
}

TEST(HelsekontakterOfTheSimulator, TakesMembersOnlyAfterAnOfferingWhenSoConfigured) {
  Bench bench("api: {organization_must_be_known: true}");
  EXPECT_THAT(bench.post(bench.request(members({{0, 1}}), bench.token())).body,
              HasSubstr("organization-unknown"));
  EXPECT_EQ(bench.post(bench.request(offerings(), bench.token())).status, 200);
  EXPECT_THAT(bench.post(bench.request(members({{0, 1}}), bench.token())).body,
              HasSubstr("201 Created"));
}

struct Spoiled {
  const char* name;
  std::string reason;
  int status;
  std::string from;
  std::string to;
  bool is_offering = false;
};

class SpoiledBundle : public ::testing::TestWithParam<Spoiled> {};

TEST_P(SpoiledBundle, IsRefusedWholeAndCountedByItsReason) {
  Bench bench;
  const std::string body = GetParam().is_offering ? offerings() : members({{0, 1}, {1, 2}});
  const Reply reply =
      bench.post(bench.request(replaced(body, GetParam().from, GetParam().to), bench.token()));
  EXPECT_EQ(reply.status, GetParam().status) << reply.body;
  EXPECT_EQ(bench.count("api.refused." + GetParam().reason), 1) << bench.last_log;
  EXPECT_EQ(bench.count("members.applied"), 0);
  EXPECT_THAT(bench.last_log, Not(HasSubstr(number(0))));
}

const std::string first_identifier = R"("identifier":[{"system":"urn:oid:2.16.578.1.12.4.1.4.1",)";

INSTANTIATE_TEST_SUITE_P(
    Members, SpoiledBundle,
    ::testing::Values(
        Spoiled{"Json", "not_json", 400, "{", "["},
        Spoiled{"ResourceType", "resource_type", 400, "\"Bundle\"", "\"Parcel\""},
        Spoiled{"Type", "bundle_type", 400, R"("type":"batch")", R"("type":"transaction")"},
        Spoiled{"Bdl3", "bdl_3", 400, R"("type":"batch")", R"("type":"collection")"},
        Spoiled{"NoRequest", "bdl_3", 400, R"(,"request":{"method":"POST","url":"Patient"})", ""},
        Spoiled{"Method", "request_method", 400, "POST", "PUT"},
        Spoiled{"Url", "request_url", 400, R"("url":"Patient")", R"("url":"Person")"},
        Spoiled{"Bdl7", "bdl_7", 400, "000000000002", "000000000001"},
        Spoiled{"FullUrl", "full_url", 400, "urn:uuid:", "urn:"},
        Spoiled{"System", "member_system", 400, first_identifier, R"("identifier":[{)"},
        Spoiled{"NumberText", "member_number", 400, number(0), "2181"},
        Spoiled{"Twice", "member_twice", 400, number(1), number(0)},
        Spoiled{"OrganizationSystem", "organization_system", 400, "4.1.4.101", "4.1.2.101"},
        Spoiled{"OrganizationNumber", "organization_number", 400, our_organization, "948554063"},
        Spoiled{"TwoOrganizations", "two_organizations", 400, our_organization, other_organization},
        Spoiled{"Start", "period_start", 400, R"("start":"2026-01-01")", R"("start":"2026-02-30")"},
        Spoiled{"End", "period_end", 400, R"("end":"2026-01-02")", R"("end":"soon")"},
        Spoiled{"NoEnd", "period_end_missing", 400, R"(,"end":"2026-01-02")", ""},
        Spoiled{"Order", "period_order", 400, R"("end":"2026-01-02")", R"("end":"2025-01-02")"},
        Spoiled{"Empty", "empty_value", 400, R"("contact":[)", R"("name":[],"contact":[)"},
        Spoiled{"Null", "empty_value", 400, R"("contact":[)", R"("name":null,"contact":[)"}),
    [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Offerings, SpoiledBundle,
    ::testing::Values(
        Spoiled{"Name", "organization_name", 400, R"("name":"Samskipnaden",)", "", true},
        Spoiled{"BusinessId", "business_id", 400, R"("id":"7")", R"("x":"7")", true},
        Spoiled{"City", "location_address", 400, R"("city":"Oslo",)", "", true},
        Spoiled{"ServiceName", "service_name", 400, R"("name":"Helse",)", "", true},
        Spoiled{"HerId", "her_id", 400, R"("value":"129688")", R"("x":"1")", true},
        Spoiled{"Reference", "reference", 400,
                R"({"reference":"urn:uuid:00000000-0000-4000-8000-000000000001"})",
                R"({"reference":"urn:uuid:00000000-0000-4000-8000-000000000009"})", true}),
    [](const auto& test) { return test.param.name; });

TEST(HelsekontakterOfTheSimulator, RefusesMembersAmongOfferings) {
  Bench bench;
  const std::string member = members({{0, 1}});
  const std::size_t first = member.find('[') + 1;
  const std::string body = offerings();
  const std::string both = body.substr(0, body.size() - 2) + "," + member.substr(first);
  EXPECT_EQ(bench.post(bench.request(both, bench.token())).status, 400);
  EXPECT_EQ(bench.count("api.refused.mixed_lanes"), 1);
}

TEST(HelsekontakterOfTheSimulator, RefusesMoreEntriesOrBytesThanItsLimits) {
  Bench bench("api: {entries_max: 1}");
  EXPECT_EQ(bench.post(bench.request(members({{0, 1}, {1, 1}}), bench.token())).status, 413);
  bench.change(R"({"api":{"bytes_max":100,"entries_max":10}})");
  EXPECT_EQ(bench.post(bench.request(members({{0, 1}}), bench.token())).status, 413);
  EXPECT_EQ(bench.count("api.refused.entries_max"), 1);
  EXPECT_EQ(bench.count("api.refused.bytes_max"), 1);
}

TEST(HelsekontakterOfTheSimulator, RefusesAnotherContentType) {
  Bench bench;
  HttpRequest request = bench.request(members({{0, 1}}), bench.token());
  request.headers[0].second = "text/plain";
  EXPECT_EQ(bench.post(request).status, 415);
}

TEST(HelsekontakterOfTheSimulator, AnswersEhsecToAnExpiredOrUnknownToken) {
  Bench bench;
  const std::string token = bench.token();
  EXPECT_EQ(bench.post(bench.request(members({{0, 1}}), token + "x")).status, 401);
  bench.now += std::chrono::seconds(60);
  const Reply expired = bench.post(bench.request(members({{0, 1}}), token));
  EXPECT_EQ(expired.status, 401);
  EXPECT_THAT(expired.body, HasSubstr("EHSEC-110002"));
  EXPECT_EQ(bench.count("api.refused.token_unknown"), 1);
  EXPECT_EQ(bench.count("api.refused.token_expired"), 1);
}

TEST(HelsekontakterOfTheSimulator, AnswersEhsecToATokenWithoutOrganisation) {
  Bench bench;
  const Reply issued =
      bench.engine->helseid().answer(bench.party.token_request({}, bench.now), bench.now);
  const std::size_t at = issued.body.find(":\"") + 2;
  const std::string token = issued.body.substr(at, issued.body.find('"', at) - at);
  EXPECT_EQ(bench.post(bench.request(members({{0, 1}}), token)).status, 401);
  EXPECT_EQ(bench.count("api.refused.token_organization"), 1);
  EXPECT_EQ(bench.count("helseid.organization_missing"), 1);
}

TEST(HelsekontakterOfTheSimulator, RefusesTheTokenOfAnotherOrganisation) {
  Bench bench;
  const Reply reply =
      bench.post(bench.request(members({{0, 1}}, other_organization), bench.token()));
  EXPECT_EQ(reply.status, 403);
  EXPECT_EQ(bench.count("api.refused.organization_mismatch"), 1);
}

TEST(HelsekontakterOfTheSimulator, RefusesATokenWhoseDelegationWasWithdrawnSince) {
  Bench bench;
  const std::string token = bench.token();
  bench.change(R"({"helseid":{"revoked_organizations":["948554062"]}})");
  EXPECT_EQ(bench.post(bench.request(members({{0, 1}}), token)).status, 403);
}

TEST(HelsekontakterOfTheSimulator, DemandsTheProofThatTheTokenIsBoundTo) {
  Bench bench("helseid: {nonce: false}");
  HttpRequest asked =
      bench.party.token_request({.details = details("NO:ORGNR:" + our_organization)}, bench.now);
  asked.headers.emplace_back("DPoP", bench.party.proof({}, bench.now));
  const Reply issued = bench.engine->helseid().answer(asked, bench.now);
  const std::size_t at = issued.body.find(":\"") + 2;
  const std::string token = issued.body.substr(at, issued.body.find('"', at) - at);
  EXPECT_EQ(bench.post(bench.request(members({{0, 1}}), token)).status, 401);
  EXPECT_EQ(bench.count("api.refused.token_scheme"), 1);

  const auto post = [&](const Party& party, const ProofWish& wish) {
    HttpRequest request = bench.request(members({{0, 1}}), "");
    request.headers[1].second = "DPoP " + token;
    request.headers.emplace_back("DPoP", party.proof(wish, bench.now));
    return bench.post(request).status;
  };
  const ProofWish right{.htu = origin + "/helsekontakter/api/v1", .token = token};
  ProofWish wrong = right;
  wrong.token = "another";
  EXPECT_EQ(post(bench.party, wrong), 401);
  EXPECT_EQ(bench.count("api.refused.proof_ath"), 1);
  EXPECT_EQ(post(Party(), right), 401);
  EXPECT_EQ(bench.count("api.refused.proof_key"), 1);
  EXPECT_EQ(post(bench.party, right), 200);
}

struct Shape {
  std::string name;
  std::string accepted;
  std::string inactive;
};

class AnswerShapes : public ::testing::TestWithParam<Shape> {};

TEST_P(AnswerShapes, TellAcceptedFromInactive) {
  Bench bench;
  bench.scratch.write("inactive", number(1) + "\n");
  bench.change(R"({"api":{"answer_members":")" + GetParam().name + R"(","inactive":{"file":")" +
               bench.scratch.file("inactive") + "\"}}}");
  const Reply reply = bench.post(bench.request(members({{0, 1}, {1, 1}}), bench.token()));
  EXPECT_EQ(reply.status, 200);
  simdjson::dom::parser parser;
  EXPECT_EQ(parser.parse(reply.body).error(), simdjson::SUCCESS) << reply.body;
  EXPECT_EQ(occurrences(reply.body, GetParam().accepted), 1) << reply.body;
  EXPECT_EQ(occurrences(reply.body, GetParam().inactive), 1) << reply.body;
  EXPECT_EQ(bench.count("members.applied"), 1);
  EXPECT_EQ(bench.count("api.verdicts.inactive"), 1);
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, AnswerShapes,
    ::testing::Values(
        Shape{"batch_response", R"({"response":{"status":"201 Created"}})", "\"code\":\"2118\""},
        Shape{"batch_response_full_url",
              R"({"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000001","response":{"status":)"
              R"("201 Created"}})",
              "\"code\":\"2118\""},
        Shape{"resources", R"("value":")" + number(0) + "\"", "\"code\":\"2118\""},
        Shape{"list", R"({"fnr":")" + number(0) + R"(","returKode":"ok")",
              R"({"fnr":")" + number(1) + R"(","returKode":"ikkeOk","code":"2118")"},
        Shape{"map", "\"" + number(0) + R"(":{"status":201})",
              "\"" + number(1) + R"(":{"status":400,"code":"2118")"}),
    [](const auto& test) { return test.param.name; });

TEST(HelsekontakterOfTheSimulator, CanAnswerNothing) {
  Bench bench("api: {answer_members: empty}");
  const Reply reply = bench.post(bench.request(members({{0, 1}}), bench.token()));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "");
}

TEST(HelsekontakterOfTheSimulator, RefusesTheEntryOfAMemberWithWrongCheckDigits) {
  Bench bench;
  const std::string body = replaced(members({{0, 1}, {1, 1}}), number(0), "13116900217");
  const Reply reply = bench.post(bench.request(body, bench.token()));
  EXPECT_THAT(reply.body, HasSubstr("\"code\":\"2109\""));
  EXPECT_EQ(bench.count("api.verdicts.invalid"), 1);
  EXPECT_EQ(bench.count("members.applied"), 1);
}

TEST(HelsekontakterOfTheSimulator, AppliesNothingOfATransactionWithABadEntry) {
  Bench bench("api: {bundle_types_members: [transaction], invalid: {share: 1}}");
  const std::string body = replaced(members({{0, 1}}), "\"batch\"", "\"transaction\"");
  EXPECT_EQ(bench.post(bench.request(body, bench.token())).status, 400);
  EXPECT_EQ(bench.count("members.applied"), 0);
}

TEST(HelsekontakterOfTheSimulator, PicksTheSameShareOfMembersEveryTime) {
  const MemberRule rule{.share = 0.25, .file = "", .numbers = {}};
  int picked = 0;
  for (int i = 0; i < 400; ++i) {
    picked += picks(rule, std::to_string(21'810'000'000 + i), 1) ? 1 : 0;
  }
  EXPECT_NEAR(picked, 100, 30);
}

TEST(HelsekontakterOfTheSimulator, Answers429WithRetryAfterBeyondTheRate) {
  Bench bench("api: {requests_per_second_max: 2, retry_after_s: 1.5}");
  const std::string token = bench.token();
  EXPECT_EQ(bench.post(bench.request(members({{0, 1}}), token)).status, 200);
  EXPECT_EQ(bench.post(bench.request(members({{0, 2}}), token)).status, 200);
  const Reply limited = bench.post(bench.request(members({{0, 3}}), token));
  EXPECT_EQ(limited.status, 429);
  ASSERT_EQ(limited.headers.size(), 1);
  EXPECT_EQ(limited.headers[0], (std::pair<std::string, std::string>("Retry-After", "2")));
  bench.now += std::chrono::milliseconds(500);
  EXPECT_EQ(bench.post(bench.request(members({{0, 3}}), token)).status, 200);
  EXPECT_EQ(bench.post(bench.request(members({{0, 4}}), token)).status, 429);
}

TEST(HelsekontakterOfTheSimulator, CountsAMemberInTwoRequestsAtOnce) {
  Bench bench;
  const auto first = bench.admit(members({{0, 1}}));
  const auto second = bench.admit(members({{0, 2}, {1, 1}}));
  EXPECT_EQ(bench.count("members.overlapping"), 1);
  EXPECT_EQ(bench.engine->api().finish(*first).status, 200);
  EXPECT_EQ(bench.engine->api().finish(*second).status, 200);
  EXPECT_EQ(bench.post(bench.request(members({{0, 3}}), bench.token())).status, 200);
  EXPECT_EQ(bench.count("members.overlapping"), 1);
}

HttpRequest status_request(Bench& bench, const std::string& list, const std::string& area) {
  HttpRequest request =
      bench.request("{\"fnrListe\":[" + list + "],\"omraade\":" + area + "}", bench.token());
  request.target = "/digitaltaktiv/helsenorgeaktivsjekken/v1";
  return request;
}

TEST(HelsekontakterOfTheSimulator, AnswersTheStatusOfMembersByTheRuleInactive) {
  Bench bench("api: {inactive: {share: 1}}");
  const std::string one = "\"" + number(0) + "\"";
  EXPECT_THAT(bench.post(status_request(bench, one, "\"Helsehjelp\"")).body,
              HasSubstr(one + R"(:{"erDigitaltAktivSelv":false)"));
  bench.change(R"({"api":{"inactive":{"share":0},"status_spelling":"earlier"}})");
  EXPECT_THAT(bench.post(status_request(bench, one, "3")).body,
              HasSubstr(one + R"(:{"erAktivSelv":true,"erAktivViaAndre":false})"));
  EXPECT_EQ(bench.count("status.requests"), 2);
  EXPECT_EQ(bench.count("status.numbers"), 2);
  EXPECT_EQ(bench.count("status.active"), 1);
  EXPECT_EQ(bench.count("status.area_as_number"), 1);
}

TEST(HelsekontakterOfTheSimulator, TakesAThousandNumbersInAQuestionAndNoMore) {
  Bench bench;
  std::string list = "\"" + number(0) + "\"";
  for (int i = 1; i < 1'000; ++i) list += ",\"" + number(i) + "\"";
  EXPECT_EQ(bench.post(status_request(bench, list, "6")).status, 200);
  EXPECT_EQ(bench.count("status.numbers"), 1'000);
  list += ",\"" + number(1'000) + "\"";
  EXPECT_EQ(bench.post(status_request(bench, list, "6")).status, 400);
  EXPECT_EQ(bench.count("api.refused.status_numbers"), 1);
}

TEST(HelsekontakterOfTheSimulator, RefusesAQuestionWithATokenOfAnotherScope) {
  Bench bench("api: {status_scope: other}");
  EXPECT_EQ(bench.post(status_request(bench, "\"" + number(0) + "\"", "3")).status, 401);
  EXPECT_EQ(bench.count("api.refused.token_scope"), 1);
}

TEST(HelsekontakterOfTheSimulator, RefusesAnUnknownKeyAtRunTimeAndChangesNothing) {
  Bench bench;
  HttpRequest request;
  request.method = "PUT";
  request.target = "/control";
  request.body = R"({"api":{"down":true,"donw":true}})";
  const Reply reply = bench.engine->control(request);
  EXPECT_EQ(reply.status, 400);
  EXPECT_THAT(reply.body, HasSubstr("api.donw: unknown key"));
  EXPECT_FALSE(bench.engine->behaviour().api.down);
}

}  // namespace
}  // namespace helsekontakter::simulator::testing
