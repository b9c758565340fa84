#include "adapters/helseid/metadata.h"

#include "tests/unit/helseid/bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::helseid {
namespace {

using test::Bench;
using test::json_answer;
using test::shown;

std::string document(const std::string& issuer, const std::string& endpoint) {
  return R"({"issuer":")" + issuer + R"(","token_endpoint":")" + endpoint + R"("})";
}

struct Row {
  std::string says;
  std::string ours;
  int status;
  std::string body;
  std::string expected;  ///< the URL, or the fault's code
};

class Metadata : public testing::TestWithParam<Row> {};

TEST_P(Metadata, IsFollowedOnlyToOurIssuersOwnHost) {
  const Row& row = GetParam();
  const auto found = read_metadata(json_answer(row.status, row.body), row.ours);
  EXPECT_EQ(found ? found->text() : found.error().code, row.expected);
}

constexpr const char* ours = "https://helseid.example";

INSTANTIATE_TEST_SUITE_P(
    Section1, Metadata,
    testing::Values(
        Row{"usual", ours, 200, document(ours, "https://helseid.example/connect/token"),
            "https://helseid.example/connect/token"},
        Row{"other_port", ours, 200, document(ours, "https://helseid.example:8443/t"),
            "https://helseid.example:8443/t"},
        Row{"loopback", "http://127.0.0.1:8080", 200,
            document("http://127.0.0.1:8080", "http://127.0.0.1:8080/t"),
            "http://127.0.0.1:8080/t"},
        Row{"slash", ours, 200, document("https://helseid.example/", "https://helseid.example/t"),
            "metadata_refused"},
        Row{"other_case", ours, 200,
            document("https://Helseid.example", "https://helseid.example/t"), "metadata_refused"},
        Row{"other_host", ours, 200, document(ours, "https://evil.example/t"), "metadata_refused"},
        Row{"suffix_of_host", ours, 200, document(ours, "https://a.helseid.example/t"),
            "metadata_refused"},
        Row{"no_tls", ours, 200, document(ours, "http://helseid.example/t"), "metadata_refused"},
        Row{"tls_lost_on_loopback", "https://localhost", 200,
            document("https://localhost", "http://localhost/t"), "metadata_refused"},
        Row{"no_url", ours, 200, document(ours, "connect/token"), "metadata_refused"},
        Row{"no_endpoint", ours, 200, R"({"issuer":"https://helseid.example"})",
            "metadata_unreadable"},
        Row{"garbage", ours, 200, "<html>", "metadata_unreadable"},
        Row{"gone", ours, 404, "", "metadata_unreadable"}),
    [](const auto& row) { return row.param.says; });

TEST(MetadataUrl, DropsOneSlashOfTheIssuer) {
  EXPECT_EQ(metadata_url("https://h"), "https://h/.well-known/openid-configuration");
  EXPECT_EQ(metadata_url("https://h/"), "https://h/.well-known/openid-configuration");
}

TEST(TokenEndpoint, IsReadOnceInItsLife) {
  Bench bench;
  bench.ask(test::org_a);
  bench.ask(test::org_b);
  bench.pass(std::chrono::hours(23));
  bench.ask();
  EXPECT_EQ(bench.helseid.metadata_requests(), 1U);
  bench.pass(std::chrono::hours(1));
  bench.ask();
  EXPECT_EQ(bench.helseid.metadata_requests(), 2U);
}

TEST(TokenEndpoint, GoesOnWithOldMetadataWhileHelseIdCannotGiveNewOnes) {
  Bench bench;
  bench.ask();
  bench.helseid.metadata(json_answer(503, ""));
  bench.pass(std::chrono::hours(25));
  EXPECT_EQ(shown(bench.ask()), "Bearer token-2");
  EXPECT_THAT(bench.warnings, testing::ElementsAre(testing::HasSubstr("stays in use")));
  bench.pass(std::chrono::minutes(4));
  bench.ask();
  EXPECT_EQ(bench.helseid.metadata_requests(), 2U);
  bench.pass(std::chrono::minutes(2));
  bench.ask();
  EXPECT_EQ(bench.helseid.metadata_requests(), 3U);
}

TEST(TokenEndpoint, OfOurSettingsNeedsNoMetadata) {
  Bench bench;
  bench.settings.token_endpoint = "https://elsewhere.example/token";
  EXPECT_EQ(shown(bench.ask()), "Bearer token-1");
  EXPECT_EQ(bench.helseid.metadata_requests(), 0U);
  EXPECT_EQ(bench.helseid.last().url.text(), "https://elsewhere.example/token");
}

TEST(TokenEndpoint, UnreadableMetadataAreTriedAgainRefusedOnesNotAtOnce) {
  Bench bench;
  bench.helseid.metadata(json_answer(200, "<html>"));
  EXPECT_EQ(shown(bench.ask()), "token_unavailable");
  bench.helseid.metadata(json_answer(200, document(ours, "https://evil.example/t")));
  EXPECT_EQ(shown(bench.ask()), "client_refused");
  EXPECT_EQ(shown(bench.ask(test::org_b)), "client_refused");
  EXPECT_EQ(bench.helseid.metadata_requests(), 2U);
  bench.pass(std::chrono::seconds(5));
  EXPECT_EQ(shown(bench.ask()), "client_refused");
  EXPECT_EQ(bench.helseid.metadata_requests(), 3U);
  EXPECT_TRUE(bench.helseid.token_requests().empty());
}

}  // namespace
}  // namespace helsekontakter::helseid
