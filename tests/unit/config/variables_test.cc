#include "adapters/config/option.h"
#include "tests/unit/config/sample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::config {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(Variables, TakeThePlaceOfTheFilesValues) {
  const Configuration c =
      loaded(least_and("api: {in_flight_max: 2}"), {{"HELSEKONTAKTER_API__IN_FLIGHT_MAX", "8"},
                                                    {"HELSEKONTAKTER_ENVIRONMENT", "TEST2"},
                                                    {"HELSEKONTAKTER_LOG__FORMAT", "text"}});
  EXPECT_EQ(c.worker.api.in_flight_max, 8u);
  EXPECT_EQ(c.environment, "TEST2");
  EXPECT_EQ(c.log.format, telemetry::Format::text);
}

TEST(Variables, MendAValueThatIsWrongInTheFile) {
  EXPECT_THAT(errors_of(least_and("api: {in_flight_max: none}"),
                        {{"HELSEKONTAKTER_API__IN_FLIGHT_MAX", "8"}}),
              IsEmpty());
}

TEST(Variables, CanSayEverything) {
  const Configuration c =
      loaded("", {{"HELSEKONTAKTER_ENVIRONMENT", "TEST1"},
                  {"HELSEKONTAKTER_SOURCE__KAFKA__BROKERS", "a:1, b:2"},
                  {"HELSEKONTAKTER_SOURCE__KAFKA__TOPIC", "in"},
                  {"HELSEKONTAKTER_SOURCE__KAFKA__GROUP", "g"},
                  {"HELSEKONTAKTER_RESULTS__KAFKA__TOPIC", "out"},
                  {"HELSEKONTAKTER_LEDGER__KAFKA__TOPIC", "ledger"},
                  {"HELSEKONTAKTER_LEDGER__KAFKA__SHARED_TOPIC", "shared"},
                  {"HELSEKONTAKTER_LEDGER__HMAC_KEY_FILE", "/k"},
                  {"HELSEKONTAKTER_LEDGER__SEALING_KEY_FILES", "[/s]"},
                  {"HELSEKONTAKTER_ORGANIZATIONS", R"({"948554062": {paused: true}})"},
                  {"HELSEKONTAKTER_AUTH__CLIENT_ID", "c"},
                  {"HELSEKONTAKTER_AUTH__JWK_FILE", "/j"},
                  {"HELSEKONTAKTER_API__HEADERS", "{x-source: worker}"},
                  {"HELSEKONTAKTER_IDENTIFIER__TEST_ALLOW", "[13116900216]"}});
  EXPECT_THAT(c.source.connection.brokers, ElementsAre("a:1", "b:2"));
  EXPECT_TRUE(c.worker.organizations.at(OrganizationNumber::parse("948554062").value()).paused);
  EXPECT_EQ(c.endpoint.headers.at(0).value, "worker");
  EXPECT_THAT(c.decoder.test_allow, ElementsAre("13116900216"));
}

TEST(Variables, AreCheckedLikeTheFileAndNamed) {
  EXPECT_THAT(errors_of(least, {{"HELSEKONTAKTER_API__REQUEST_TIMEOUT_S", "soon"}}),
              AllOf(HasSubstr("api.request_timeout_s: \"soon\""),
                    HasSubstr("(HELSEKONTAKTER_API__REQUEST_TIMEOUT_S)")));
  EXPECT_THAT(errors_of(least, {{"HELSEKONTAKTER_OPERATIONS__ADMIN_SOCKET", "/s"}}),
              HasSubstr("not in this release"));
  EXPECT_THAT(errors_of(least, {{"HELSEKONTAKTER_DIGITAL_STATUS__LIST_MAX", "1001"}}),
              HasSubstr("digital_status.list_max: \"1001\""));
}

TEST(Variables, OfNoKeyAreErrorsOnlyWithTwoUnderscores) {
  EXPECT_THAT(errors_of(least, {{"HELSEKONTAKTER_SERVICE_HOST", "10.0.0.1"},
                                {"HELSEKONTAKTER_PORT", "tcp://10.0.0.1:80"},
                                {"OTHER__THING", "x"}}),
              IsEmpty());
  EXPECT_THAT(errors_of(least, {{"HELSEKONTAKTER_API__REQUEST_TIMEOUT", "15"}}),
              AllOf(HasSubstr("HELSEKONTAKTER_API__REQUEST_TIMEOUT: is a variable of no known key"),
                    HasSubstr("did you mean HELSEKONTAKTER_API__REQUEST_TIMEOUT_S?")));
}

TEST(Variables, GiveAMapAsAWhole) {
  EXPECT_THAT(errors_of(least, {{"HELSEKONTAKTER_API__HEADERS__X", "y"}}),
              HasSubstr("api.headers: is given as a whole: HELSEKONTAKTER_API__HEADERS as YAML"));
}

TEST(Variables, LeftEmptyMeanThatAnOptionalKeyIsNotSaid) {
  const Configuration c = loaded(least_and("api: {proxy: 'http://proxy:3128'}"),
                                 {{"HELSEKONTAKTER_API__PROXY", ""},
                                  {"HELSEKONTAKTER_RESULTS__KAFKA__DEAD_LETTER_TOPIC", ""},
                                  {"HELSEKONTAKTER_AUTH__SCOPE", ""}});
  EXPECT_FALSE(c.https.proxy.has_value());
  EXPECT_FALSE(c.decoder.keep_payload);
  EXPECT_EQ(c.helseid.scope, "") << "an empty scope is left out of the request";
  EXPECT_THAT(errors_of(least, {{"HELSEKONTAKTER_LOG__LEVEL", ""}}), HasSubstr("log.level"));
}

TEST(Variables, AreNamedAfterTheirKey) {
  EXPECT_EQ(variable_of("api.base_url"), "HELSEKONTAKTER_API__BASE_URL");
  EXPECT_EQ(variable_of("environment"), "HELSEKONTAKTER_ENVIRONMENT");
}

}  // namespace
}  // namespace helsekontakter::config
