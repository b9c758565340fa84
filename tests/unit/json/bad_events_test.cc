#include "adapters/json/event_decoder.h"
#include "tests/unit/json/events.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace helsekontakter::json {
namespace {

/// One change to a valid event, and what it must be called.
struct Bad {
  std::string name;
  std::string payload;
  std::string shape;
};

std::string membership(std::string_view from, std::string_view to) {
  return with(membership_event(), from, to);
}

std::string offering(std::string_view from, std::string_view to) {
  return with(offering_event(), from, to);
}

class BadEvents : public testing::TestWithParam<Bad> {};

TEST_P(BadEvents, YieldExactlyOneCodeAndNameTheField) {
  const Delivery delivery = decode(GetParam().payload);
  EXPECT_EQ(shape(delivery), GetParam().shape);
  EXPECT_EQ(delivery.texts[Texts::Field::detail].find(danser), std::string_view::npos);
}

std::string name_of(const testing::TestParamInfo<Bad>& info) {
  std::string name = info.param.name;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(
    Json, BadEvents,
    testing::Values(
        Bad{"empty", "", "not_json payload"}, Bad{"words", "hello", "not_json payload"},
        Bad{"truncated", membership_event().substr(0, 200), "not_json payload"},
        Bad{"two texts", membership_event() + membership_event(), "not_json payload"},
        Bad{"byte order mark", "\xEF\xBB\xBF" + membership_event(),
            "not_json payload: byte order mark at its start"},
        Bad{"deep nesting",
            membership_event(membership_data,
                             "\"a\":" + std::string(200, '[') + std::string(200, ']') + ","),
            "not_json payload: nested deeper than 128 levels"},
        Bad{"deep nesting without end", std::string(100'000, '['), "not_json payload"},
        Bad{"invalid UTF-8", membership("s-1", "s-\xC3\x28"), "invalid_utf8 payload"},
        Bad{"Latin-1", offering("For alle", "for l\xE6rere"), "invalid_utf8 payload"},
        Bad{"lone surrogate", membership("s-1", R"(\ud800)"), "not_json payload"},
        Bad{"leading zero", membership("\"version\":7", "\"version\":07"), "not_json payload"},
        Bad{"array", "[]", "not_an_event payload"}, Bad{"null", "null", "not_an_event payload"},
        Bad{"text", "\"13116900216\"", "not_an_event payload"},
        Bad{"object of nothing", "{}", "not_an_event payload"},
        Bad{"member and service", R"({"member":"a","service":{}})", "not_an_event payload"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Envelope, BadEvents,
    testing::Values(
        Bad{"no id", membership(R"("id":"e-1",)", ""), "field_missing /id"},
        Bad{"empty id", membership("e-1", ""), "field_missing /id"},
        Bad{"null id", membership(R"("e-1")", "null"), "field_missing /id"},
        Bad{"id number", membership(R"("e-1")", "1"), "wrong_type /id"},
        Bad{"no source", membership(R"("source":"/sio/crm",)", ""), "field_missing /source"},
        Bad{"no type", membership(R"("type":"no.helsekontakter.membership.changed.v1",)", ""),
            "field_missing /type"},
        Bad{"unknown type", membership("changed.v1", "changed.v9"), "unknown_type /type"},
        Bad{"other specversion", membership(R"("1.0")", R"("0.3")"), "unknown_type /specversion"},
        Bad{"specversion number", membership(R"("1.0")", "1.0"), "wrong_type /specversion"},
        Bad{"subject number", membership(R"("s-1")", "1"), "wrong_type /subject"},
        Bad{"time of words", membership("2026-01-01T12:00:00Z", "yesterday"),
            "version_invalid /time"},
        Bad{"no data", membership(R"("data":)", R"("datum":)"), "field_missing /data"},
        Bad{"data string", membership_event(R"("x")"), "wrong_type /data"},
        Bad{"data array", membership_event("[]"), "wrong_type /data"},
        Bad{"data in base64", membership(R"("data":)", R"("data_base64":"e30=","data":)"),
            "unsupported_content /data_base64"},
        Bad{"data in XML",
            membership(R"("data":)", R"("datacontenttype":"application/xml","data":)"),
            "unsupported_content /datacontenttype"},
        Bad{"resend version",
            membership_event(membership_data, R"("resend":"r","resendversion":"-1",)"),
            "version_invalid /resendversion"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Names, BadEvents,
    testing::Values(
        Bad{"id twice", membership_event(membership_data, R"("id":"e-2",)"), "duplicate_name /id"},
        Bad{"unknown twice", membership_event(membership_data, R"("a":1,"a":1,)"),
            "duplicate_name /a"},
        Bad{"null twice", membership_event(membership_data, R"("a":null,"a":null,)"),
            "duplicate_name /a"},
        Bad{"member twice", membership(R"("member":)", R"("member":"1","member":)"),
            "duplicate_name /data/member"},
        Bad{"escaped twice", membership(R"("member":)", R"("\u006dember":"1","member":)"),
            "duplicate_name /data/member"},
        Bad{"start twice", membership(R"("start":)", R"("start":"","start":)"),
            "duplicate_name /data/period/start"},
        Bad{"deep in what is unknown",
            membership_event(membership_data, R"("x":[0,{"y/z":{"a":1,"a":2}}],)"),
            "duplicate_name /x/1/y~1z/a"},
        Bad{"a number as a name",
            membership_event(membership_data, R"("13116900216":1,"13116900216":2,)"),
            "duplicate_name /***********"},
        Bad{"telecom twice", offering(R"("value":)", R"("value":"1","value":)"),
            "duplicate_name /data/locations/0/telecom/0/value"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Membership, BadEvents,
    testing::Values(
        Bad{"no organization", membership(R"("organization":"948554062",)", ""),
            "field_missing /data/organization"},
        Bad{"organization number", membership(R"("948554062")", "948554062"),
            "wrong_type /data/organization"},
        Bad{"organization check digit", membership("948554062", "948554063"),
            "organization_invalid /data/organization"},
        Bad{"organization of letters", membership("948554062", "SiO"),
            "organization_invalid /data/organization"},
        Bad{"member number", membership(R"("13116900216")", "13116900216"),
            "wrong_type /data/member"},
        Bad{"empty member", membership("13116900216", ""), "field_missing /data/member"},
        Bad{"null member", membership(R"("13116900216")", "null"), "field_missing /data/member"},
        Bad{"member of ten digits", membership("13116900216", "1311690021"),
            "member_malformed /data/member"},
        Bad{"member without date", membership("13116900216", "12345678901"),
            "member_date /data/member"},
        Bad{"member check digit", membership("13116900216", "13116900217"),
            "member_check_digit /data/member"},
        Bad{"member synthetic", membership("13116900216", "21814497167"),
            "member_synthetic /data/member"},
        Bad{"no period", membership(R"("period")", R"("p")"), "field_missing /data/period"},
        Bad{"period string", membership(R"({"start":"2026-01-01","end":"2026-06-30"})", R"("x")"),
            "wrong_type /data/period"},
        Bad{"no start", membership(R"("start":"2026-01-01",)", ""),
            "field_missing /data/period/start"},
        Bad{"start number", membership(R"("2026-01-01","end")", R"(20260101,"end")"),
            "wrong_type /data/period/start"},
        Bad{"start with time", membership(R"("2026-01-01","end")", R"("2026-01-01T00:00","end")"),
            "period_invalid /data/period/start"},
        Bad{"end beyond the month", membership("2026-06-30", "2026-06-31"),
            "period_invalid /data/period/end"},
        Bad{"29 February", membership("2026-06-30", "2026-02-29"),
            "period_invalid /data/period/end"},
        Bad{"no end", membership(R"(,"end":"2026-06-30")", ""),
            "period_end_missing /data/period/end"},
        Bad{"null end", membership(R"("2026-06-30")", "null"),
            "period_end_missing /data/period/end"},
        Bad{"end before start", membership("2026-06-30", "2025-12-31"),
            "period_reversed /data/period/end"},
        Bad{"ended string", membership(R"("version")", R"("ended":"true","version")"),
            "wrong_type /data/ended"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Version, BadEvents,
    testing::Values(
        Bad{"missing", membership(R"(,"version":7)", ""), "version_missing /data/version"},
        Bad{"null", membership(R"("version":7)", R"("version":null)"),
            "version_missing /data/version"},
        Bad{"string", membership(R"("version":7)", R"("version":"7")"), "wrong_type /data/version"},
        Bad{"true", membership(R"("version":7)", R"("version":true)"), "wrong_type /data/version"},
        Bad{"negative", membership(R"("version":7)", R"("version":-1)"),
            "version_invalid /data/version"},
        Bad{"2^53-1 passes", membership(R"("version":7)", R"("version":9007199254740991)"),
            "change"},
        Bad{"2^53", membership(R"("version":7)", R"("version":9007199254740992)"),
            "version_invalid /data/version"},
        Bad{"2^64", membership(R"("version":7)", R"("version":18446744073709551616)"),
            "version_invalid /data/version"},
        Bad{"forty digits", membership(R"("version":7)", "\"version\":" + std::string(40, '9')),
            "version_invalid /data/version"},
        Bad{"1e400", membership(R"("version":7)", R"("version":1e400)"),
            "version_invalid /data/version"},
        Bad{"1 passes", membership(R"("version":7)", R"("version":1)"), "change"},
        Bad{"1.0", membership(R"("version":7)", R"("version":1.0)"),
            "version_invalid /data/version"},
        Bad{"1e0", membership(R"("version":7)", R"("version":1e0)"),
            "version_invalid /data/version"},
        Bad{"huge numbers elsewhere pass",
            membership_event(membership_data, R"("a":[1e999,-123456789012345678901234567890],)"),
            "change"},
        Bad{"huge number as a text", membership(R"("s-1")", "1e999"), "wrong_type /subject"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Offering, BadEvents,
    testing::Values(
        Bad{"organization string",
            offering(R"({"number":"948554062","name":"SiO",)"
                     R"("businessId":"8094866"})",
                     R"("948554062")"),
            "wrong_type /data/organization"},
        Bad{"number check digit", offering("948554062", "948554063"),
            "organization_invalid /data/organization/number"},
        Bad{"no name", offering(R"("name":"SiO",)", ""), "field_missing /data/organization/name"},
        Bad{"empty business id", offering("8094866", ""),
            "field_missing /data/organization/businessId"},
        Bad{"service id no GUID", offering("3F2504E0", "3F2504EX"),
            "offering_invalid /data/service/id"},
        Bad{"active string", offering("true", R"("true")"), "wrong_type /data/service/active"},
        Bad{"active missing", offering(R"("active":true,)", ""),
            "field_missing /data/service/active"},
        Bad{"HER-id number", offering(R"("129688")", "129688"), "wrong_type /data/service/herId"},
        Bad{"locations missing", offering(R"("locations")", R"("places")"),
            "field_missing /data/locations"},
        Bad{"no location", offering(R"("locations":[)", R"("locations":[],"places":[)"),
            "offering_invalid /data/locations"},
        Bad{"location string", offering(R"("locations":[)", R"("locations":["x",)"),
            "wrong_type /data/locations/0"},
        Bad{"no line", offering(R"(["Gata 1"])", "[]"), "offering_invalid /data/locations/0/line"},
        Bad{"empty line", offering("Gata 1", ""), "field_missing /data/locations/0/line/0"},
        Bad{"line string", offering(R"(["Gata 1"])", R"("Gata 1")"),
            "wrong_type /data/locations/0/line"},
        Bad{"postal code number", offering(R"("0371")", "371"),
            "wrong_type /data/locations/0/postalCode"},
        Bad{"telecom system", offering("phone", "telefon"),
            "offering_invalid /data/locations/0/telecom/0/system"},
        Bad{"the same location twice",
            offering(R"("locations":[)",
                     R"("locations":[{"id":"a","line":["x"],"city":"y","postalCode":"z"},)"),
            "offering_invalid /data/locations"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Identity, BadEvents,
    testing::Values(
        Bad{"id", membership("e-1", "e-13116900216"), "identity_in_metadata /id"},
        Bad{"source", membership("/sio/crm", "/sio/13116900216"), "identity_in_metadata /source"},
        Bad{"subject", membership("s-1", "13116900216"), "identity_in_metadata /subject"},
        Bad{"2032 subject", membership("s-1", "30108299939"), "identity_in_metadata /subject"},
        Bad{"synthetic subject", membership("s-1", "21814497167"),
            "identity_in_metadata /subject"}),
    name_of);

TEST(BadEvent, OverTheLimitIsTooLargeAndKeepsItsHeadersIdentity) {
  const std::string payload = membership_event();
  DecoderSettings settings{.event_bytes_max = payload.size()};
  EXPECT_EQ(shape(decode(payload, settings)), "change");
  settings.event_bytes_max = payload.size() - 1;
  EXPECT_EQ(shape(decode(payload, settings)), "event_too_large payload");
  const Record binary{.payload = std::string(600, ' '),
                      .headers = {{"ce_id", "e-7"}, {"ce_source", "/s"}}};
  const Delivery delivery = decode(binary, {.event_bytes_max = 500});
  EXPECT_EQ(shape(delivery), "event_too_large payload");
  EXPECT_EQ(delivery.texts[Texts::Field::id], "e-7");
}

TEST(BadEvent, ReplacesEachTextWithAnIdentityNumberByItsHmac) {
  const Record record{.payload = membership("s-1", "13116900216"), .key = "13116900216"};
  const Delivery delivery = decode(record);
  EXPECT_EQ(shape(delivery), "identity_in_metadata key");
  EXPECT_EQ(delivery.texts[Texts::Field::id], "e-1");
  for (const auto field : {Texts::Field::subject, Texts::Field::key}) {
    EXPECT_EQ(delivery.texts[field].size(), 32u);
    EXPECT_EQ(delivery.texts[field].find_first_not_of("0123456789abcdef"), std::string_view::npos);
  }
}

TEST(BadEvent, ShowsNoIdentityNumberWhateverItsFault) {
  const std::string number(danser);
  const Record record{.payload = "{\"" + number,
                      .key = number,
                      .headers = {{"ce_id", number},
                                  {"ce_source", "/" + number},
                                  {"ce_type", number},
                                  {"ce_subject", number},
                                  {"ce_tracestate", "a=" + number},
                                  {"ce_resend", number},
                                  {"ce_specversion", "1.0"}}};
  const Delivery delivery = decode(record);
  EXPECT_EQ(shape(delivery), "not_json payload");
  for (std::size_t field = 0; field < Texts::fields; ++field) {
    EXPECT_FALSE(contains_national_id(delivery.texts[static_cast<Texts::Field>(field)])) << field;
  }
}

struct BadHeaders {
  std::vector<std::pair<std::string, std::string>> headers;
  std::string shape;
};

class BadPacking : public testing::TestWithParam<BadHeaders> {};

TEST_P(BadPacking, IsNamedByItsHeader) {
  const Record record{.payload = std::string(membership_data), .headers = GetParam().headers};
  EXPECT_EQ(shape(decode(record)), GetParam().shape);
}

using Headers = std::vector<std::pair<std::string, std::string>>;

Headers binary(const Headers& more, const std::string& left_out = "") {
  Headers headers{{"ce_specversion", "1.0"},
                  {"ce_id", "e-1"},
                  {"ce_source", "/s"},
                  {"ce_type", "no.helsekontakter.membership.changed.v1"}};
  std::erase_if(headers, [&](const auto& header) { return header.first == left_out; });
  headers.insert(headers.end(), more.begin(), more.end());
  return headers;
}

INSTANTIATE_TEST_SUITE_P(
    All, BadPacking,
    testing::Values(
        BadHeaders{binary({}), "change"}, BadHeaders{binary({}, "ce_id"), "field_missing ce_id"},
        BadHeaders{binary({}, "ce_specversion"), "field_missing ce_specversion"},
        BadHeaders{binary({{"ce_type", "x"}}), "duplicate_name ce_type"},
        BadHeaders{binary({{"ce_type", "x"}}, "ce_type"), "unknown_type ce_type"},
        BadHeaders{binary({{"ce_subject", "\xFF"}}), "invalid_utf8 ce_subject"},
        BadHeaders{binary({{"ce_subject", "13116900216"}}), "identity_in_metadata ce_subject"},
        BadHeaders{binary({{"ce_time", "now"}}), "version_invalid ce_time"},
        BadHeaders{binary({{"content-type", "text/plain"}}), "unsupported_content content-type"},
        BadHeaders{binary({{"content-type", "application/json; charset=iso-8859-1"}}),
                   "unsupported_content content-type"},
        BadHeaders{{{"content-type", "application/avro"}}, "unsupported_content content-type"},
        BadHeaders{{{"content-type", "application/cloudevents-batch+json"}},
                   "unsupported_content content-type"},
        BadHeaders{{{"content-encoding", "gzip"}}, "unsupported_content content-encoding"},
        BadHeaders{{{"content-type", "application/cloudevents+json"}},
                   "field_missing /specversion"}));

TEST(BadEvent, KeepsOrganizationAndVersionWhereTheyCouldBeRead) {
  const auto read = [](const std::string& payload) {
    const auto finding = std::get<Finding>(decode(payload).content);
    return (finding.organization ? finding.organization->digits() : "none") + " " +
           (finding.version ? std::to_string(*finding.version) : "none");
  };
  EXPECT_EQ(read(membership("13116900216", "13116900217")), "948554062 7");
  EXPECT_EQ(read(membership("e-1", "")), "948554062 7");
  EXPECT_EQ(read(membership("changed.v1", "changed.v9")), "948554062 7");
  EXPECT_EQ(read(offering("phone", "telefon")), "948554062 3");
  EXPECT_EQ(read(membership("948554062", "948554063")), "none 7");
  EXPECT_EQ(read(membership(R"("version":7)", R"("version":1.5)")), "948554062 none");
  EXPECT_EQ(read(membership(R"("organization")", R"("organization":"993467049","organization")")),
            "none none");
  EXPECT_EQ(read("{"), "none none");
}

TEST(BadEvent, IsKnownByTopicAndPlaceWhereItHasNoIdentity) {
  const Delivery delivery = decode("{");
  EXPECT_EQ(delivery.texts[Texts::Field::source], "changes");
  EXPECT_EQ(delivery.texts[Texts::Field::id], "2/41");
  const Delivery other = decode(membership("e-1", "13116900216"));
  EXPECT_NE(std::get<Finding>(delivery.content).event, std::get<Finding>(other.content).event);
}

}  // namespace
}  // namespace helsekontakter::json
