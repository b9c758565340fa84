#include "adapters/helseid/token_answer.h"

#include "tests/unit/helseid/bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::helseid {
namespace {

using test::json_answer;

/// What an answer means, in one word and, for a fault, its code.
std::string meaning(const https::Response& response, const Settings& settings = {}) {
  const TokenAnswer answer = read_token_answer(response, settings);
  if (const auto* granted = std::get_if<TokenGranted>(&answer)) {
    return "granted " + granted->access_token + " " + std::to_string(granted->life.count());
  }
  if (const auto* wanted = std::get_if<NonceWanted>(&answer)) return "nonce " + wanted->nonce;
  if (std::holds_alternative<ClientInvalid>(answer)) return "client_invalid";
  if (std::holds_alternative<ProofInvalid>(answer)) return "proof_invalid";
  static constexpr const char* blames[] = {"helseid", "client", "issuer", "organization",
                                           "stopped"};
  const auto& fault = std::get<Fault>(answer);
  return std::string(blames[static_cast<std::size_t>(fault.blame)]) + " " + fault.code;
}

struct Row {
  std::string says;
  int status;
  std::string body;
  std::string expected;
};

class Answer : public testing::TestWithParam<Row> {};

TEST_P(Answer, MeansWhatTheContractSays) {
  const Row& row = GetParam();
  EXPECT_EQ(meaning(json_answer(row.status, row.body)), row.expected);
}

constexpr const char* needed = "nhn:helsenorge.eksternapi/helsekontakter";

std::string grant(const std::string& more) {
  return R"({"access_token":"t.o-k_e~n+/=","token_type":"bEARER","expires_in":60)" + more + "}";
}

INSTANTIATE_TEST_SUITE_P(
    Section7, Answer,
    testing::Values(
        Row{"granted", 200, grant(""), "granted t.o-k_e~n+/= 60000"},
        Row{"granted_with_scope", 200, grant(R"(,"scope":"other )" + std::string(needed) + "\""),
            "granted t.o-k_e~n+/= 60000"},
        Row{"other_scope_rejected", 200, grant(R"(,"rejected_scope":"other")"),
            "granted t.o-k_e~n+/= 60000"},
        Row{"rejected_scope", 200, grant(R"(,"rejected_scope":")" + std::string(needed) + "\""),
            "organization rejected_scope"},
        Row{"rejected_scope_list", 200,
            grant(R"(,"rejected_scope":["x",")" + std::string(needed) + "\"]"),
            "organization rejected_scope"},
        Row{"missing_scope", 200, grant(R"(,"scope":"other")"), "organization missing_scope"},
        Row{"wrong_type", 200, R"({"access_token":"t","token_type":"DPoP","expires_in":60})",
            "client wrong_token_type"},
        Row{"invalid_request", 400, R"({"error":"invalid_request"})",
            "organization invalid_request"},
        Row{"invalid_client", 400, R"({"error":"invalid_client"})", "client_invalid"},
        Row{"invalid_client_401", 401, R"({"error":"invalid_client"})", "client_invalid"},
        Row{"invalid_scope", 400, R"({"error":"invalid_scope"})", "organization invalid_scope"},
        Row{"unauthorized_client", 400, R"({"error":"unauthorized_client"})",
            "organization unauthorized_client"},
        Row{"unsupported_grant_type", 400, R"({"error":"unsupported_grant_type"})",
            "organization unsupported_grant_type"},
        Row{"invalid_grant", 400, R"({"error":"invalid_grant"})", "organization invalid_grant"},
        Row{"invalid_dpop_proof", 400, R"({"error":"invalid_dpop_proof"})", "proof_invalid"},
        Row{"hid_1001", 400, R"({"error":"HID-1001"})", "organization HID-1001"},
        Row{"hid_1010", 400, R"({"error":"HID-1010"})", "organization HID-1010"},
        Row{"nonce_in_bearer_mode", 400, R"({"error":"use_dpop_nonce"})", "client use_dpop_nonce"},
        Row{"server_error", 400, R"({"error":"temporarily_unavailable"})",
            "helseid temporarily_unavailable"},
        Row{"too_many", 429, R"({"error":"invalid_client"})", "helseid http_429"},
        Row{"broken", 500, R"({"error":"invalid_client"})", "helseid http_500"},
        Row{"away", 503, "", "helseid http_503"}),
    [](const auto& row) { return row.param.says; });

INSTANTIATE_TEST_SUITE_P(
    Garbage, Answer,
    testing::Values(
        Row{"empty", 200, "", "helseid unreadable_answer"},
        Row{"html", 200, "<html>Sign in to the hotel</html>", "helseid unreadable_answer"},
        Row{"html_400", 400, "<html>Bad Request</html>", "helseid unreadable_answer"},
        Row{"cut", 200, R"({"access_token":"t)", "helseid unreadable_answer"},
        Row{"null", 200, "null", "helseid unreadable_answer"},
        Row{"array", 200, "[]", "helseid unreadable_answer"},
        Row{"number", 400, "7", "helseid unreadable_answer"},
        Row{"no_members", 200, "{}", "helseid unreadable_answer"},
        Row{"no_error", 400, "{}", "helseid unreadable_answer"},
        Row{"error_is_number", 400, R"({"error":7})", "helseid unreadable_answer"},
        Row{"error_is_object", 400, R"({"error":{}})", "helseid unreadable_answer"},
        Row{"no_type", 200, R"({"access_token":"t","expires_in":60})", "helseid unreadable_answer"},
        Row{"token_is_number", 200, R"({"access_token":1,"token_type":"Bearer"})",
            "helseid unreadable_answer"},
        Row{"token_is_empty", 200, R"({"access_token":"","token_type":"Bearer"})",
            "helseid unreadable_answer"},
        Row{"token_breaks_the_header", 200,
            R"({"access_token":"t\r\nX-Evil: 1","token_type":"Bearer"})",
            "helseid unreadable_answer"},
        Row{"token_too_long", 200,
            R"({"access_token":")" + std::string(20'000, 'a') + R"(","token_type":"Bearer"})",
            "helseid unreadable_answer"},
        Row{"life_is_text", 200, R"({"access_token":"t","token_type":"Bearer","expires_in":"60"})",
            "helseid unreadable_answer"},
        Row{"life_is_negative", 200,
            R"({"access_token":"t","token_type":"Bearer","expires_in":-1})",
            "helseid unreadable_answer"},
        Row{"life_is_null", 200, R"({"access_token":"t","token_type":"Bearer","expires_in":null})",
            "helseid unreadable_answer"},
        Row{"life_is_huge", 200, R"({"access_token":"t","token_type":"Bearer","expires_in":1e300})",
            "granted t 86400000"},
        Row{"life_is_absent", 200, R"({"access_token":"t","token_type":"Bearer"})", "granted t 0"},
        Row{"invalid_utf8", 200, "{\"access_token\":\"\xff\xfe\"}", "helseid unreadable_answer"},
        Row{"deep", 200, std::string(100'000, '['), "helseid unreadable_answer"},
        Row{"zero_bytes", 200, std::string(100, '\0'), "helseid unreadable_answer"},
        Row{"redirect", 302, "", "helseid unreadable_answer"},
        Row{"continue", 100, "", "helseid unreadable_answer"},
        Row{"no_status", 0, "", "helseid unreadable_answer"},
        Row{"status_beyond", 999, R"({"error":"x"})", "helseid http_999"}),
    [](const auto& row) { return row.param.says; });

TEST(Answer, TakesTheNonceOnlyWithItsHeader) {
  Settings settings;
  settings.token_mode = TokenMode::dpop;
  https::Response response = json_answer(400, R"({"error":"use_dpop_nonce"})");
  EXPECT_EQ(meaning(response, settings), "client use_dpop_nonce");
  response.headers.push_back({"dpop-nonce", "n-1"});
  EXPECT_EQ(meaning(response, settings), "nonce n-1");
  response.headers.back().value = "two words";
  EXPECT_EQ(meaning(response, settings), "client use_dpop_nonce");
}

TEST(Answer, NeedsEveryScopeThatWasAskedFor) {
  Settings settings;
  settings.scope = "a b";
  EXPECT_EQ(meaning(json_answer(200, grant(R"(,"scope":"b a")")), settings),
            "granted t.o-k_e~n+/= 60000");
  EXPECT_EQ(meaning(json_answer(200, grant(R"(,"scope":"a")")), settings),
            "organization missing_scope");
  settings.scope = "";
  EXPECT_EQ(meaning(json_answer(200, grant(R"(,"scope":"a")")), settings),
            "granted t.o-k_e~n+/= 60000");
  EXPECT_EQ(meaning(json_answer(200, grant(R"(,"rejected_scope":"a")")), settings),
            "organization rejected_scope");
}

TEST(Presentable, KeepsWordsAndHidesTokensNumbersAndControls) {
  EXPECT_EQ(presentable("Client 7f1c2f5e-0000-4000-8000-3d6f0a4b9c11 is disabled."),
            "Client 7f1c2f5e-0000-4000-8000-3d6f0a4b9c11 is disabled.");
  EXPECT_EQ(presentable("got eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UifQ.DtEhU3ljbEg8L38V, bad"),
            "got [...], bad");
  EXPECT_EQ(presentable("member 13116900216 and 948554062"), "member [number] and 948554062");
  EXPECT_EQ(presentable("a\r\nb\x1b[31m\xc3\xa6"), "a  b [31m  ");
  EXPECT_EQ(presentable(std::string(10'000, '!')).size(), 256U);
  EXPECT_EQ(presentable("abc", 2), "ab");
}

}  // namespace
}  // namespace helsekontakter::helseid
