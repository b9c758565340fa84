#include "tests/unit/config/sample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::config {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

struct Refusal {
  std::string_view name;
  std::string yaml;
  std::string_view key;
  std::string_view said;  ///< part of the message
};

void PrintTo(const Refusal& refusal, std::ostream* out) {
  *out << refusal.name;
}

class Refused : public testing::TestWithParam<Refusal> {};

TEST_P(Refused, WithKeyAndMessageAndNothingElse) {
  const auto faults = faults_of(GetParam().yaml);
  ASSERT_EQ(faults.size(), 1u) << errors_of(GetParam().yaml);
  EXPECT_EQ(faults.front().key, GetParam().key);
  EXPECT_THAT(faults.front().text(), HasSubstr(GetParam().said));
}

std::string name_of(const testing::TestParamInfo<Refusal>& info) {
  return std::string(info.param.name);
}

INSTANTIATE_TEST_SUITE_P(
    Forms, Refused,
    testing::Values(Refusal{"text_for_a_number", least_and("batch: {entries_max: many}"),
                            "batch.entries_max", "\"many\": a whole number from 1 to 10000"},
                    Refusal{"fraction_for_a_whole_number", least_and("batch: {entries_max: 1.5}"),
                            "batch.entries_max", "a whole number"},
                    Refusal{"number_out_of_range", least_and("api: {in_flight_max: 0}"),
                            "api.in_flight_max", "\"0\""},
                    Refusal{"infinite_number", least_and("api: {requests_per_second_max: .inf}"),
                            "api.requests_per_second_max", "a number"},
                    Refusal{"number_with_unit", least_and("api: {request_timeout_s: 15s}"),
                            "api.request_timeout_s", "a number from 0.1 to 600 s"},
                    Refusal{"word_for_a_boolean", least_and("identifier: {rule_2032: yes}"),
                            "identifier.rule_2032", "true or false"},
                    Refusal{"unknown_choice", least_and("log: {level: verbose}"), "log.level",
                            "one of debug, info, warn, error"},
                    Refusal{"unknown_results", with("results:\n", "results:\n  inactive: all\n"),
                            "results.inactive", "one of transitions, every"},
                    Refusal{"text_for_a_list", with("[kafka-1:9092, kafka-2:9092]", "kafka-1:9092"),
                            "source.kafka.brokers", "a list of texts"},
                    Refusal{"text_for_a_section", least_and("batch: 100"), "batch", "is a section"},
                    Refusal{"list_for_a_text", with("topic: membership-changes", "topic: [a]"),
                            "source.kafka.topic", "a text"},
                    Refusal{"empty_text", with("topic: membership-changes", "topic: ''"),
                            "source.kafka.topic", "a text of 1 to 249 characters"},
                    Refusal{"no_value", with("topic: membership-changes", "topic:"),
                            "source.kafka.topic", "has no value"},
                    Refusal{"line_break_in_a_text", least_and("api: {accept: \"a\\nb\"}"),
                            "api.accept", "a text"},
                    Refusal{"key_written_twice", least_and("log: {level: info, level: warn}"),
                            "log.level", "written twice; keep one of them (line"},
                    Refusal{"not_a_map", "- a\n- b\n", "",
                            "configuration: the file must be a map"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    UnknownKeys, Refused,
    testing::Values(Refusal{"misspelt", least_and("api: {request_timout_s: 15}"),
                            "api.request_timout_s", "did you mean api.request_timeout_s?"},
                    Refusal{"without_its_unit", least_and("api: {request_timeout: 15}"),
                            "api.request_timeout", "did you mean api.request_timeout_s?"},
                    Refusal{"in_the_wrong_section", least_and("api: {entries_max: 1}"),
                            "api.entries_max", "did you mean batch.entries_max?"},
                    Refusal{"section", least_and("batches: {entries_max: 1}"), "batches",
                            "did you mean batch?"},
                    Refusal{"unlike_any", least_and("xyzzyplugh: 1"), "xyzzyplugh",
                            "is no known key (line"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Ledger, Refused,
    testing::Values(Refusal{"two_of_them", with("ledger:\n", "ledger:\n  sqlite: {path: l}\n"),
                            "ledger", "exactly one of kafka, sqlite"},
                    Refusal{"without_its_topic", with("topic: helsekontakter-ledger, ", ""),
                            "ledger.kafka.topic", "is missing"},
                    Refusal{"without_its_shared_topic",
                            with(", shared_topic: helsekontakter-shared", ""),
                            "ledger.kafka.shared_topic", "is missing"},
                    Refusal{"without_a_key_to_seal",
                            with("  sealing_key_files: [/run/secrets/ledger-seal]\n", ""),
                            "ledger.sealing_key_files", "is missing"},
                    Refusal{"for_too_few_members", with("ledger:\n", "ledger:\n  members_max: 5\n"),
                            "ledger.members_max", "from 1000 to"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    DigitalStatus, Refused,
    testing::Values(Refusal{"path_with_query", least_and("digital_status: {path: '/v1?fnr=1'}"),
                            "digital_status.path", "must begin with / and have no query"},
                    Refusal{"area_unknown", least_and("digital_status: {area: Helse}"),
                            "digital_status.area", "one of Helsehjelp, Ungdom"},
                    Refusal{"area_as_number", least_and("digital_status: {area: 3}"),
                            "digital_status.area", "one of Helsehjelp, Ungdom"},
                    Refusal{"form_unknown", least_and("digital_status: {area_form: number}"),
                            "digital_status.area_form", "one of string, int"},
                    Refusal{"list_too_long", least_and("digital_status: {list_max: 1001}"),
                            "digital_status.list_max", "from 1 to 1000"},
                    Refusal{"key_unknown", least_and("digital_status: {areas: Helsehjelp}"),
                            "digital_status.areas", "digital_status.area"},
                    Refusal{"gate_unknown", least_and("offering: {gate: always}"), "offering.gate",
                            "one of pending, required, off"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    LaterReleases, Refused,
    testing::Values(Refusal{"admin_socket", least_and("operations: {admin_socket: /run/a.sock}"),
                            "operations.admin_socket", "not in this release"},
                    Refusal{"cluster_rate", least_and("api: {cluster_requests_per_second_max: 5}"),
                            "api.cluster_requests_per_second_max", "not in this release"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Contradictions, Refused,
    testing::Values(
        Refusal{"short_request_timeout", least_and("api: {request_timeout_s: 14.9}"),
                "api.request_timeout_s", "only with environment custom"},
        Refusal{"short_shutdown", least_and("shutdown: {timeout_s: 15}"), "shutdown.timeout_s",
                "more than api.request_timeout_s"},
        Refusal{"backoff_reversed", least_and("retry: {backoff_first_ms: 9, backoff_max_ms: 8}"),
                "retry.backoff_first_ms", "not be more than retry.backoff_max_ms"},
        Refusal{"more_for_one_than_for_all",
                least_and("api: {in_flight_max: 2, in_flight_per_organization_max: 3}"),
                "api.in_flight_per_organization_max", "not be more than api.in_flight_max"},
        Refusal{"memory_for_too_few_requests",
                least_and("memory: {bytes_max: 8388608}\napi: {in_flight_max: 16}"),
                "memory.bytes_max", "twice api.in_flight_max times batch.bytes_max"},
        Refusal{"memory_for_too_few_events",
                with("group: helsekontakter", "group: g\n    event_bytes_max: 67108864"),
                "memory.bytes_max", "eight times source.kafka.event_bytes_max"},
        Refusal{"user_without_password", with("group: helsekontakter", "group: g\n    user: u"),
                "source.kafka.user", "needs source.kafka.password_file"},
        Refusal{"certificate_without_key",
                with("group: helsekontakter", "group: g\n    tls_certificate_file: /c"),
                "source.kafka.tls_certificate_file", "needs source.kafka.tls_key_file"},
        Refusal{"results_into_the_input",
                with("topic: membership-results", "topic: membership-changes"),
                "results.kafka.topic", "same topic as source.kafka.topic"},
        Refusal{"ledger_into_the_results",
                with("topic: helsekontakter-ledger", "topic: membership-results"),
                "ledger.kafka.topic", "same topic as results.kafka.topic"},
        Refusal{"shared_topic_into_the_ledger",
                with("shared_topic: helsekontakter-shared", "shared_topic: helsekontakter-ledger"),
                "ledger.kafka.shared_topic", "same topic as ledger.kafka.topic"},
        Refusal{"ledger_that_is_no_topic",
                with("topic: helsekontakter-ledger", "topic: 'helsekontakter ledger'"),
                "ledger.kafka.topic", "letters, digits"},
        Refusal{"owned_property",
                with("group: helsekontakter", "group: g\n    properties: {group.id: x}"),
                "source.kafka.properties", "group.id"},
        Refusal{"http_to_a_distant_host", least_and("api: {base_url: 'http://example.org'}"),
                "api.base_url", "loopback"},
        Refusal{"no_tokens_to_a_distant_host",
                least_and("").replace(least_and("").find("auth:"), 5, "auth:\n  none: true"),
                "auth.none", "must be a loopback address"},
        Refusal{"production_address_in_test",
                least_and("api: {base_url: 'https://eksternapi.helsenorge.no'}"), "api.base_url",
                "production address"},
        Refusal{"test_address_in_production",
                with("TEST1", "PROD") + "api: {base_url: 'https://eksternapi.hn.test.nhn.no'}\n",
                "api.base_url", "test address"},
        Refusal{"synthetic_numbers_in_production",
                with("TEST1", "PROD") + "identifier: {synthetic_allowed: true}\n",
                "identifier.synthetic_allowed", "PROD takes real numbers only"},
        Refusal{"real_numbers_in_test", least_and("identifier: {synthetic_allowed: false}"),
                "identifier.synthetic_allowed", "TEST1 takes synthetic numbers only"},
        Refusal{"test_numbers_in_production",
                with("TEST1", "PROD") + "identifier: {test_allow: ['13116900216']}\n",
                "identifier.test_allow", "only where synthetic numbers"},
        Refusal{"invalid_test_number", least_and("identifier: {test_allow: ['13116900217']}"),
                "identifier.test_allow", "number 1 of the list is not valid"},
        Refusal{"header_of_ours", least_and("api: {headers: {Authorization: x}}"), "api.headers",
                "belongs to the worker"},
        Refusal{"listen_without_port", least_and("operations: {listen: localhost}"),
                "operations.listen", "address:port"},
        Refusal{"listen_on_a_name", least_and("operations: {listen: 'localhost:8080'}"),
                "operations.listen", "\"localhost:8080\": address:port is expected"},
        Refusal{"listen_on_half_an_address", least_and("operations: {listen: '127.0.0:8080'}"),
                "operations.listen", "127.0.0.1"},
        Refusal{"broker_without_port", with("kafka-2:9092", "kafka-2"), "source.kafka.brokers",
                "\"kafka-2\": is no host:port"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    OrganizationsAndRules, Refused,
    testing::Values(
        Refusal{"no_organization", with("\n  \"948554062\": {}", " {}"), "organizations",
                "at least one"},
        Refusal{"wrong_check_digit", with("948554062", "948554063"), "organizations.948554063",
                "is no organisation number"},
        Refusal{"organization_twice",
                with("\"948554062\": {}", "\"948554062\": {}\n  \"948 554 062\": {}"),
                "organizations.948 554 062", "written twice"},
        Refusal{"unknown_setting", with("\"948554062\": {}", "\"948554062\": {pause: true}"),
                "organizations.948554062.pause", "did you mean organizations.948554062.paused?"},
        Refusal{"parent_of_itself", with("\"948554062\": {}", "\"948554062\": {parent: 948554062}"),
                "organizations.948554062.parent", "the organisation itself"},
        Refusal{"key_without_client", with("\"948554062\": {}", "\"948554062\": {jwk_file: /k}"),
                "organizations.948554062.jwk_file", "add client_id"},
        Refusal{"rule_without_verdict", least_and("outcome: {rules: [{status: 400}]}"),
                "outcome.rules[1]", "verdict is missing"},
        Refusal{"unknown_verdict", least_and("outcome: {rules: [{status: 400, verdict: no}]}"),
                "outcome.rules[1].verdict", "one of accepted, inactive"},
        Refusal{"impossible_status", least_and("outcome: {rules: [{status: 999, verdict: retry}]}"),
                "outcome.rules[1].status", "a status such as 422"},
        Refusal{"unreachable_rule",
                least_and("outcome: {rules: [{status: 4xx, verdict: retry}, "
                          "{status: 422, verdict: rejected}]}"),
                "outcome.rules", "2"}),
    name_of);

TEST(Sources, AreExactlyOne) {
  EXPECT_THAT(errors_of(with("source:\n", "source:\n  file: {path: changes.ndjson}\n")),
              HasSubstr("source: exactly one of kafka, amqp, file"));
  const std::string none = errors_of("environment: TEST1\n");
  EXPECT_THAT(none, HasSubstr("source: is missing"));
  EXPECT_THAT(none, Not(HasSubstr("source.kafka.topic")));
}

TEST(Results, GoToExactlyOnePlace) {
  EXPECT_THAT(errors_of(with("results:\n", "results:\n  amqp: {url: u}\n")),
              HasSubstr("results: exactly one of kafka, amqp, file"));
}

TEST(CustomEnvironment, SettlesNothing) {
  EXPECT_THAT(errors_of(with("TEST1", "custom")),
              AllOf(HasSubstr("api.base_url: is missing"), HasSubstr("auth.issuer: is missing"),
                    HasSubstr("identifier.synthetic_allowed: is missing")));
}

TEST(CustomEnvironment, AllowsShortTimeoutsAndNoTokensOnALoopbackAddress) {
  const Configuration c = loaded(R"(
environment: custom
source: {kafka: {brokers: ["127.0.0.1:9092"], topic: in, group: g}}
results: {kafka: {topic: out}}
ledger: {kafka: {topic: l, shared_topic: s}, hmac_key_file: /k, sealing_key_files: [/s]}
organizations: {"948554062": {}}
api: {base_url: "http://127.0.0.1:8443", request_timeout_s: 3, settle_time_s: 2}
auth: {none: true}
identifier: {synthetic_allowed: true}
)");
  EXPECT_EQ(c.source.session_timeout, std::chrono::seconds(20));
  EXPECT_EQ(c.endpoint.url.text(), "http://127.0.0.1:8443/helsekontakter/api/v1");
  EXPECT_THAT(c.warnings, SizeIs(1)) << "the brokers are spoken to in clear text";
}

TEST(AllErrors, AreReportedAtOnce) {
  constexpr std::string_view twelve = R"(
environment: TEST9
source:
  kafka:
    brokers: [kafka-1]
    group: helsekontakter
    user: worker
    propertys: {}
results:
  kafka: {topic: "a b"}
ledger:
  kafka: {topic: l, shared_topic: s}
  hmac_key_file: /run/secrets/ledger-hmac
  sealing_key_files: [/run/secrets/ledger-seal]
organizations:
  "948554063": {}
api: {request_timeout_s: soon, in_flight_max: 1000, in_flight_per_organization_max: 5}
retry: {park_after_s: 0}
auth: {client_id: c}
log: {level: loud}
)";
  EXPECT_EQ(faults_of(twelve).size(), 12u) << errors_of(twelve);
}

TEST(AllErrors, NameTheLine) {
  EXPECT_THAT(
      errors_of("environment: TEST1\nlog:\n  level: loud\n"),
      HasSubstr("log.level: \"loud\": one of debug, info, warn, error is expected (line 3)"));
}

}  // namespace
}  // namespace helsekontakter::config
