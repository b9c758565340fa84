#include "tests/unit/config/sample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view secret = "hunter2-correct-horse";
// A fictive person's number of the contract's test vectors.
constexpr std::string_view number = "13116900216";

struct Leak {
  std::string_view name;
  std::string yaml;
  Environment environment = {};
};

void PrintTo(const Leak& leak, std::ostream* out) {
  *out << leak.name;
}

class NeverPrinted : public testing::TestWithParam<Leak> {};

TEST_P(NeverPrinted, InAnErrorMessage) {
  const std::string said = errors_of(GetParam().yaml, GetParam().environment);
  EXPECT_THAT(said, Not(IsEmpty()));
  EXPECT_THAT(said, Not(HasSubstr(secret)));
  EXPECT_THAT(said, Not(HasSubstr("correct")));
  EXPECT_THAT(said, Not(HasSubstr(number)));
}

std::string name_of(const testing::TestParamInfo<Leak>& info) {
  return std::string(info.param.name);
}

const std::string s(secret);
const std::string n(number);

INSTANTIATE_TEST_SUITE_P(
    Values, NeverPrinted,
    testing::Values(
        Leak{"password_written_out", with("group: helsekontakter", "group: g\n    password: " + s)},
        Leak{"password_as_its_file",
             with("group: helsekontakter", "group: g\n    password_file: " + s)},
        Leak{"key_as_its_file", with("/run/secrets/helseid-jwk", "[\"" + s + "\"]")},
        Leak{"key_as_a_map", with("/run/secrets/helseid-jwk", "{kty: oct, k: " + s + "}")},
        Leak{"url_with_a_password",
             least_and("api: {base_url: 'https://u:" + s + "@example.org'}")},
        Leak{"proxy_with_a_password", least_and("api: {proxy: 'http://u:" + s + "@proxy:1'}")},
        Leak{"broker_with_a_password", with("kafka-2:9092", "'u:" + s + "@kafka'")},
        Leak{"header_of_ours", least_and("api: {headers: {Authorization: " + s + "}}")},
        Leak{"header_with_a_line_break", least_and("api: {headers: {x: \"" + s + "\\n\"}}")},
        Leak{"headers_of_another_form", least_and("api: {headers: " + s + "}")},
        Leak{"owned_property",
             with("group: helsekontakter", "group: g\n    properties: {sasl.password: " + s + "}")},
        Leak{"property_of_another_form",
             with("group: helsekontakter",
                  "group: g\n    properties: {security.protocol: " + s + "}")},
        Leak{"variable_of_no_key",
             std::string(least),
             {{"HELSEKONTAKTER_SOURCE__KAFKA__PASSWORD", s}}},
        Leak{"broken_yaml", "environment: TEST1\nx: \"" + s + "\n  : : }"},
        Leak{"number_as_a_test_number",
             with("TEST1", "PROD") + "identifier: {test_allow: ['" + n + "']}\n"},
        Leak{"number_as_a_value", least_and("log: {level: '" + n + "'}")},
        Leak{"number_as_a_key", least_and("'" + n + "': {}")},
        Leak{"number_as_an_organization", with("948554062", n)},
        Leak{"number_in_a_rule",
             least_and("outcome: {rules: [{status: '" + n + "', verdict: retry}]}")}),
    name_of);

TEST(FileNames, ArePrintedWhenTheyLookLikeOne) {
  EXPECT_THAT(
      errors_of(with("group: helsekontakter", "group: g\n    password_file: /run/secrets/kafka")),
      HasSubstr("\"/run/secrets/kafka\": needs source.kafka.user"));
}

}  // namespace
}  // namespace helsekontakter::config
