#include "tests/unit/config/sample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

// The operator's file as it is documented, without the keys of later releases.
constexpr std::string_view full = R"(
environment: TEST1
source:
  kafka:
    brokers: [kafka-1:9092, kafka-2:9092]
    topic: membership-changes
    group: helsekontakter
    user: worker
    password_file: /run/secrets/kafka-password
    start: earliest
    event_bytes_max: 1048576
    properties: {}
version: {from: data}
results:
  source: /helsekontakter/sio
  inactive: transitions
  kafka: {topic: membership-results, dead_letter_topic: membership-dead-letters}
ledger:
  kafka: {topic: helsekontakter-ledger, shared_topic: helsekontakter-shared}
  hmac_key_file: /run/secrets/ledger-hmac
  sealing_key_files: [/run/secrets/ledger-seal]
  members_max: 2000000
  parked_max: 1000000
organizations:
  "948554062": {}
api:
  path: /helsekontakter/api/v1
  request_timeout_s: 15
  settle_time_s: 30
  in_flight_max: 4
  in_flight_per_organization_max: 1
  requests_per_second_max: 10
auth:
  client_id: 7f1c2f5e-0000-4000-8000-3d6f0a4b9c11
  jwk_file: /run/secrets/helseid-jwk
  scope: nhn:helsenorge.eksternapi/helsekontakter
  token_mode: bearer
  tenancy: single
batch: {entries_max: 100, bytes_max: 1048576, age_max_ms: 2000}
retry: {attempts_max: 5, backoff_first_ms: 500, backoff_max_ms: 60000, park_after_s: 120}
offering: {gate: pending}
member: {open_end: reject, skip_unchanged: true, inactive_retry_h: 24, inactive_retry_factor: 2,
         inactive_retry_max_h: 720, inactive_expiry_d: 365}
digital_status: {enabled: false, path: /digitaltaktiv/helsenorgeaktivsjekken/v1, area: Helsehjelp,
                 area_form: string, list_max: 1000}
brake: {rejected_in_row_max: 200, rejected_share_max: 0.5}
memory: {bytes_max: 268435456}
secrets: {mode_check: warn}
operations: {listen: "0.0.0.0:8080"}
log: {level: info, format: json}
shutdown: {timeout_s: 25}
)";

TEST(OperatorsFile, LoadsWithoutTheKeysOfLaterReleases) {
  const Configuration c = loaded(full);
  EXPECT_EQ(c.environment, "TEST1");
  EXPECT_EQ(c.endpoint.url.text(), "https://eksternapi.hn.test.nhn.no/helsekontakter/api/v1");
  EXPECT_EQ(c.helseid.issuer, "https://helseid-sts.test.nhn.no");
  EXPECT_EQ(c.record.source, "/helsekontakter/sio");
  EXPECT_EQ(c.record.environment, "TEST1");
  EXPECT_EQ(c.record.dead_letter_topic, "membership-dead-letters");
  EXPECT_TRUE(c.decoder.keep_payload);
  EXPECT_THAT(c.warnings, IsEmpty());
}

TEST(OperatorsFile, MeansTheSameAsItsDefaultsLeftOut) {
  const Configuration said = loaded(full);
  const Configuration left_out = loaded(least);
  EXPECT_EQ(said.worker.batch.entries_max, left_out.worker.batch.entries_max);
  EXPECT_EQ(said.worker.batch.bytes_max, left_out.worker.batch.bytes_max);
  EXPECT_EQ(said.worker.batch.age_max, left_out.worker.batch.age_max);
  EXPECT_EQ(said.worker.api.in_flight_max, left_out.worker.api.in_flight_max);
  EXPECT_EQ(said.worker.api.requests_per_second_max, left_out.worker.api.requests_per_second_max);
  EXPECT_EQ(said.worker.api.settle_time, left_out.worker.api.settle_time);
  EXPECT_EQ(said.worker.memory_bytes_max, left_out.worker.memory_bytes_max);
  EXPECT_EQ(said.helseid.scope, left_out.helseid.scope);
  EXPECT_EQ(said.shutdown_timeout, left_out.shutdown_timeout);
  EXPECT_EQ(said.endpoint.url.text(), left_out.endpoint.url.text());
  EXPECT_EQ(left_out.record.source, "/helsekontakter");
  EXPECT_FALSE(left_out.decoder.keep_payload);
}

TEST(Defaults, OfTheTableAreThoseOfTheCoresSettings) {
  const WorkerSettings table = loaded(least).worker;
  const WorkerSettings code;
  EXPECT_EQ(table.batch.entries_max, code.batch.entries_max);
  EXPECT_EQ(table.batch.bytes_max, code.batch.bytes_max);
  EXPECT_EQ(table.batch.age_max, code.batch.age_max);
  EXPECT_EQ(table.api.in_flight_max, code.api.in_flight_max);
  EXPECT_EQ(table.api.in_flight_per_organization_max, code.api.in_flight_per_organization_max);
  EXPECT_EQ(table.api.requests_per_second_max, code.api.requests_per_second_max);
  EXPECT_EQ(table.api.request_timeout, code.api.request_timeout);
  EXPECT_EQ(table.api.settle_time, code.api.settle_time);
  EXPECT_EQ(table.retry.attempts_max, code.retry.attempts_max);
  EXPECT_EQ(table.retry.backoff_first, code.retry.backoff_first);
  EXPECT_EQ(table.retry.backoff_max, code.retry.backoff_max);
  EXPECT_EQ(table.retry.park_after, code.retry.park_after);
  EXPECT_EQ(table.retry.exhausted_expiry, code.retry.exhausted_expiry);
  EXPECT_EQ(table.brake.rejected_in_row_max, code.brake.rejected_in_row_max);
  EXPECT_EQ(table.brake.rejected_share_max, code.brake.rejected_share_max);
  EXPECT_EQ(table.gate, code.gate);
  EXPECT_EQ(table.member.skip_unchanged, code.member.skip_unchanged);
  EXPECT_EQ(table.member.inactive_retry, code.member.inactive_retry);
  EXPECT_EQ(table.member.inactive_retry_factor, code.member.inactive_retry_factor);
  EXPECT_EQ(table.member.inactive_retry_max, code.member.inactive_retry_max);
  EXPECT_EQ(table.member.inactive_expiry, code.member.inactive_expiry);
  EXPECT_EQ(table.member.every_inactive, code.member.every_inactive);
  EXPECT_EQ(table.digital_status.enabled, code.digital_status.enabled);
  EXPECT_EQ(table.digital_status.list_max, code.digital_status.list_max);
  EXPECT_EQ(table.ledger.enabled, code.ledger.enabled);
  EXPECT_EQ(table.memory_bytes_max, code.memory_bytes_max);
  EXPECT_EQ(table.metadata_characters_max, code.metadata_characters_max);
}

TEST(Defaults, OfTheTableAreThoseOfTheBundleForm) {
  const BundleForm table = loaded(least).worker.form;
  const BundleForm code;
  EXPECT_EQ(table.bundle_type_offerings, code.bundle_type_offerings);
  EXPECT_EQ(table.bundle_type_members, code.bundle_type_members);
  EXPECT_EQ(table.entry_request, code.entry_request);
  EXPECT_EQ(table.entry_request_url_prefix, code.entry_request_url_prefix);
  EXPECT_EQ(table.system_fnr, code.system_fnr);
  EXPECT_EQ(table.system_dnr, code.system_dnr);
  EXPECT_EQ(table.system_orgnr, code.system_orgnr);
  EXPECT_EQ(table.system_her, code.system_her);
  EXPECT_EQ(table.system_service_id, code.system_service_id);
  EXPECT_EQ(table.service_id_bare, code.service_id_bare);
  EXPECT_EQ(table.reference_form, code.reference_form);
  EXPECT_EQ(table.organization_endpoint_form, code.organization_endpoint_form);
  EXPECT_EQ(table.meta_security_area, code.meta_security_area);
  EXPECT_EQ(table.member_end_form, code.member_end_form);
  EXPECT_EQ(table.offering_end_form, code.offering_end_form);
}

TEST(Defaults, OfTheTableAreThoseOfTheAdaptersSettings) {
  const Configuration table = loaded(least);
  const helseid::Settings auth;
  EXPECT_EQ(table.helseid.none, auth.none);
  EXPECT_EQ(table.helseid.scope, auth.scope);
  EXPECT_EQ(table.helseid.resource, auth.resource);
  EXPECT_EQ(table.helseid.token_endpoint, auth.token_endpoint);
  EXPECT_EQ(table.helseid.token_mode, auth.token_mode);
  EXPECT_EQ(table.helseid.tenancy, auth.tenancy);
  EXPECT_EQ(table.helseid.org_claim, auth.org_claim);
  EXPECT_EQ(table.helseid.org_claim_form, auth.org_claim_form);
  EXPECT_EQ(table.helseid.org_child_empty_form, auth.org_child_empty_form);
  EXPECT_EQ(table.helseid.org_child_system, auth.org_child_system);
  EXPECT_EQ(table.helseid.assertion_typ, auth.assertion_typ);
  EXPECT_EQ(table.helseid.assertion_audience, auth.assertion_audience);
  EXPECT_EQ(table.helseid.alg, auth.alg);
  EXPECT_EQ(table.helseid.assertion_life, auth.assertion_life);
  EXPECT_EQ(table.helseid.expiry_margin_percent, auth.expiry_margin_percent);
  EXPECT_EQ(table.helseid.expiry_margin_max, auth.expiry_margin_max);
  EXPECT_EQ(table.helseid.clock_correction, auth.clock_correction);
  EXPECT_EQ(table.helseid.metadata_life, auth.metadata_life);
  EXPECT_EQ(table.helseid.request_timeout, auth.request_timeout);
  EXPECT_EQ(table.helseid.mode_check, auth.mode_check);
  const endpoint::StatusSettings status;
  EXPECT_EQ(table.status.area, status.area);
  EXPECT_EQ(table.status.area_form, status.area_form);
  EXPECT_EQ(table.status.scope, status.scope);
  EXPECT_EQ(table.status.request_timeout, status.request_timeout);
  EXPECT_EQ(table.status.connect_timeout, status.connect_timeout);
  const kafka::SourceSettings source;
  EXPECT_EQ(table.source.start, source.start);
  EXPECT_EQ(table.source.event_bytes_max, source.event_bytes_max);
  EXPECT_EQ(table.source.fetch_bytes_max, source.fetch_bytes_max);
  EXPECT_EQ(table.source.session_timeout, source.session_timeout);
  EXPECT_EQ(table.source.rebalance_timeout, source.rebalance_timeout);
  const json::DecoderSettings decoder;
  EXPECT_EQ(table.decoder.version_from, decoder.version_from);
  EXPECT_EQ(table.decoder.open_end, decoder.open_end);
  EXPECT_EQ(table.decoder.horizon, decoder.horizon);
  EXPECT_EQ(table.decoder.event_bytes_max, decoder.event_bytes_max);
  EXPECT_EQ(table.decoder.rule_2032, decoder.rule_2032);
}

TEST(DigitalStatus, IsAskedBesideTheEndpointWithAScopeOfItsOwn) {
  const Configuration c = loaded(
      least_and("digital_status: {enabled: true, path: /status/v2, area: Ungdom, area_form: int, "
                "list_max: 50, scope: 'nhn:other'}\napi: {headers: {x-source: worker}}"));
  EXPECT_TRUE(c.worker.digital_status.enabled);
  EXPECT_EQ(c.worker.digital_status.list_max, 50);
  EXPECT_EQ(c.status.url.text(), "https://eksternapi.hn.test.nhn.no/status/v2");
  EXPECT_EQ(c.status.area, endpoint::Area::ungdom);
  EXPECT_EQ(c.status.area_form, endpoint::AreaForm::number);
  EXPECT_EQ(c.status.scope, "nhn:other");
  EXPECT_EQ(c.status.headers.at(0).value, "worker");
  EXPECT_EQ(c.https.connections_max, 10) << "questions do not take submissions' connections";
  const Configuration by_default = loaded(least);
  EXPECT_EQ(by_default.status.url.text(),
            "https://eksternapi.hn.test.nhn.no/digitaltaktiv/helsenorgeaktivsjekken/v1");
  EXPECT_EQ(by_default.helseid.scope, "nhn:helsenorge.eksternapi/helsekontakter");
}

TEST(DerivedNumbers, HangTogetherWithRequestTimeoutAndSettleTime) {
  const Configuration c = loaded(least_and("api: {request_timeout_s: 20, settle_time_s: 12.5}"));
  EXPECT_EQ(c.source.session_timeout, 47'500ms);
  EXPECT_EQ(c.source.coordinator_silence_max, 10s);
  EXPECT_GT(c.source.rebalance_timeout, c.worker.api.request_timeout + c.record.record_timeout);
}

TEST(DerivedNumbers, LetTheRebalanceTimeoutGrowWithALongSession) {
  const Configuration c = loaded(
      least_and("api: {request_timeout_s: 300, settle_time_s: 300}\nshutdown: {timeout_s: 301}"));
  EXPECT_EQ(c.source.session_timeout, 615s);
  EXPECT_GE(c.source.rebalance_timeout, c.source.session_timeout);
}

TEST(Environments, DecideWhichIdentityNumbersPass) {
  EXPECT_TRUE(loaded(least).decoder.synthetic_allowed);
  EXPECT_FALSE(loaded(least).decoder.real_allowed);
  const Configuration production = loaded(with("TEST1", "PROD"));
  EXPECT_FALSE(production.decoder.synthetic_allowed);
  EXPECT_TRUE(production.decoder.real_allowed);
  EXPECT_EQ(production.endpoint.url.text(),
            "https://eksternapi.helsenorge.no/helsekontakter/api/v1");
  EXPECT_EQ(production.helseid.issuer, "https://helseid-sts.nhn.no");
}

TEST(Environments, MayBeReachedByAnotherAddressOfTheirs) {
  const Configuration c =
      loaded(least_and("api: {base_url: 'https://eksternapi-helsenett.hn2.test.nhn.no/'}"));
  EXPECT_EQ(c.endpoint.url.text(),
            "https://eksternapi-helsenett.hn2.test.nhn.no/helsekontakter/api/v1");
}

TEST(Results, GoToTheClusterOfTheSourceUnlessSaid) {
  const Configuration same = loaded(least);
  EXPECT_THAT(same.record.connection.brokers, ElementsAre("kafka-1:9092", "kafka-2:9092"));
  EXPECT_EQ(same.record.connection.tls_ca_file, "/etc/kafka/ca.pem");
  const Configuration other = loaded(
      with("{topic: membership-results}",
           "{topic: membership-results, brokers: [other:9093], user: u, password_file: /p}"));
  EXPECT_THAT(other.record.connection.brokers, ElementsAre("other:9093"));
  EXPECT_EQ(other.record.connection.user, "u");
  EXPECT_EQ(other.source.connection.user, "");
  EXPECT_EQ(other.record.connection.tls_ca_file, "/etc/kafka/ca.pem");
}

TEST(Results, HaveATransactionalIdOfTheirOwnForAStaticMember) {
  EXPECT_EQ(loaded(least).record.transactional_id, "");
  EXPECT_EQ(loaded(with("group: helsekontakter", "group: g\n    instance_id: worker-0"))
                .record.transactional_id,
            "g-worker-0");
}

TEST(Results, TellOfEveryRoundOfAnInactiveMemberWhenAskedTo) {
  EXPECT_FALSE(loaded(least).worker.member.every_inactive);
  EXPECT_TRUE(
      loaded(with("results:\n", "results:\n  inactive: every\n")).worker.member.every_inactive);
}

TEST(Organizations, KeepTheirOwnSettings) {
  const Configuration c =
      loaded(with("\"948554062\": {}",
                  "\"948 554 062\": {client_id: own, jwk_file: /own, parent: '993467049'}\n"
                  "  \"123456785\": {paused: true}"));
  const auto own = OrganizationNumber::parse("948554062").value();
  const auto paused = OrganizationNumber::parse("123456785").value();
  EXPECT_EQ(c.helseid.organizations.at(own).client_id, "own");
  EXPECT_EQ(c.helseid.organizations.at(own).jwk_file, "/own");
  EXPECT_EQ(c.helseid.organizations.at(own).parent, OrganizationNumber::parse("993467049"));
  EXPECT_FALSE(c.worker.organizations.at(own).paused);
  EXPECT_TRUE(c.worker.organizations.at(paused).paused);
}

TEST(Rules, ComeBeforeTheDefaults) {
  const Configuration c = loaded(least_and(R"(
outcome:
  rules:
    - {lane: members, status: 4xx, code: "9999", verdict: retry}
    - {lane: offerings, status: 422, text: "unknown person", verdict: rejected}
)"));
  EntryAnswer answer;
  answer.status = 400;
  answer.code = "9999";
  EXPECT_EQ(c.worker.rules.judge(Lane::members, answer).judgement, Judgement::retry);
  EXPECT_EQ(loaded(least).worker.rules.judge(Lane::members, answer).judgement, Judgement::halve);
  EntryAnswer person;
  person.status = 422;
  person.text = "Unknown PERSON here";
  EXPECT_EQ(c.worker.rules.judge(Lane::offerings, person).judgement, Judgement::rejected);
}

TEST(Form, IsTheSameForDecoderAndCore) {
  const Configuration c =
      loaded(least_and("fhir: {bundle_type_members: collection, entry_request_url: absolute}\n"
                       "member: {end_form: omit, open_end: horizon, horizon_d: 30}"));
  EXPECT_EQ(c.worker.form.bundle_type_members, BundleType::collection);
  EXPECT_EQ(c.decoder.form.bundle_type_members, BundleType::collection);
  EXPECT_EQ(c.decoder.form.member_end_form, MembershipEndForm::omit);
  EXPECT_EQ(c.worker.form.entry_request_url_prefix,
            "https://eksternapi.hn.test.nhn.no/helsekontakter/api/v1/");
  EXPECT_EQ(c.decoder.open_end, json::OpenEnd::horizon);
  EXPECT_EQ(c.decoder.horizon, std::chrono::days(30));
}

}  // namespace
}  // namespace helsekontakter::config
