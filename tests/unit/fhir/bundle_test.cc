#include "worker/fhir/bundle.h"

#include "tests/unit/fhir/samples.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

namespace helsekontakter::fhir {
namespace {

using samples::location;
using samples::member_entry;
using samples::membership;
using samples::offering_entries;
using samples::organization;
using samples::organization_entry;
using samples::service;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view golden_member =
    R"({"fullUrl":"urn:uuid:aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa",)"
    R"("resource":{"resourceType":"Patient",)"
    R"("identifier":[{"system":"urn:oid:2.16.578.1.12.4.1.4.1","value":"13116900216"}],)"
    R"("contact":[{"organization":{"identifier":)"
    R"({"system":"urn:oid:2.16.578.1.12.4.1.4.101","value":"948554062"}},)"
    R"("period":{"start":"2026-01-01","end":"2026-06-30"}}]},)"
    R"("request":{"method":"POST","url":"Patient"}})";

constexpr std::string_view golden_organization =
    R"({"fullUrl":"urn:uuid:0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a",)"
    R"("resource":{"resourceType":"Organization",)"
    R"("identifier":[{"system":"urn:oid:2.16.578.1.12.4.1.4.101","value":"948554062"}],)"
    R"("name":"SiO",)"
    R"("endpoint":[{"id":"4711","identifier":)"
    R"({"system":"urn:oid:2.16.578.1.12.4.1.2","value":"4711"}}]},)"
    R"("request":{"method":"POST","url":"Organization"}})";

constexpr std::string_view golden_offering =
    R"({"fullUrl":"urn:uuid:10101010-1010-1010-1010-101010101010",)"
    R"("resource":{"resourceType":"Location",)"
    R"("address":{"line":["Problemveien 9"],"city":"Oslo","postalCode":"0313"},)"
    R"("telecom":[{"system":"phone","value":"22853200"},)"
    R"({"system":"url","value":"https://sio.no"}]},)"
    R"("request":{"method":"POST","url":"Location"}},)"
    R"({"fullUrl":"urn:uuid:5e5e5e5e-5e5e-5e5e-5e5e-5e5e5e5e5e5e",)"
    R"("resource":{"resourceType":"HealthcareService",)"
    R"("identifier":[{"system":"urn:ietf:rfc:3986",)"
    R"("value":"urn:uuid:5e5e5e5e-5e5e-4e5e-8e5e-5e5e5e5e5e5e"}],"active":true,)"
    R"("providedBy":{"reference":"urn:uuid:0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a"},)"
    R"("location":[{"reference":"urn:uuid:10101010-1010-1010-1010-101010101010"}],)"
    R"("name":"Helse","comment":"Time hos lege",)"
    R"("endpoint":[{"identifier":{"system":"urn:oid:2.16.578.1.12.4.1.2","value":"129688"}}]},)"
    R"("request":{"method":"POST","url":"HealthcareService"}})";

TEST(Bundle, WritesAMemberEntryByDefaultAsTheContractShowsIt) {
  EXPECT_EQ(member_entry({}, membership()), golden_member);
}

TEST(Bundle, WritesAnOrganizationEntryByDefaultAsTheContractShowsIt) {
  EXPECT_EQ(organization_entry({}, organization()), golden_organization);
}

TEST(Bundle, WritesAnOfferingByDefaultAsTheContractShowsIt) {
  EXPECT_EQ(offering_entries({}, {location()}, service()), golden_offering);
}

TEST(Bundle, CountsTheEntriesOfAnOffering) {
  std::string out;
  const std::vector<Location> locations{location(0x10), location(0x11)};
  EXPECT_EQ(append_offering_entries(out, {}, organization(), locations, service()), 3U);
}

TEST(Bundle, AppendsAndKeepsWhatIsThere) {
  std::string out = "before,";
  append_member_entry(out, {}, membership());
  EXPECT_EQ(out, "before," + std::string(golden_member));
}

TEST(Bundle, StandsBetweenPrefixAndSuffixOfItsLane) {
  EXPECT_EQ(bundle_prefix({}, Lane::members),
            R"({"resourceType":"Bundle","type":"batch","entry":[)");
  EXPECT_EQ(bundle_prefix({}, Lane::offerings),
            R"({"resourceType":"Bundle","type":"transaction","entry":[)");
  EXPECT_EQ(bundle_prefix({.bundle_type_members = BundleType::collection}, Lane::members),
            R"({"resourceType":"Bundle","type":"collection","entry":[)");
  EXPECT_EQ(bundle_suffix(), "]}");
}

struct MemberCase {
  std::string name;
  BundleForm form;
  std::string present;
  std::string absent;
};

class MemberForm : public testing::TestWithParam<MemberCase> {};

TEST_P(MemberForm, DecidesWhatTheEntryHolds) {
  Membership d_number = membership();
  d_number.is_d_number = true;
  const std::string entry = member_entry(GetParam().form, d_number);
  EXPECT_THAT(entry, HasSubstr(GetParam().present));
  if (!GetParam().absent.empty()) {
    EXPECT_THAT(entry, Not(HasSubstr(GetParam().absent)));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Settings, MemberForm,
    testing::Values(
        MemberCase{"ACollectionHasNoRequest",
                   {.bundle_type_members = BundleType::collection},
                   R"("end":"2026-06-30"}}]}})",
                   "request"},
        MemberCase{"ATransactionHasARequest",
                   {.bundle_type_members = BundleType::transaction},
                   R"("request":{"method":"POST","url":"Patient"}})",
                   ""},
        MemberCase{
            "TheRequestIsAlwaysWrittenWhenAsked",
            {.bundle_type_members = BundleType::collection, .entry_request = EntryRequest::always},
            R"("request":{"method":"POST","url":"Patient"}})",
            ""},
        MemberCase{"TheRequestIsNeverWrittenWhenAsked",
                   {.entry_request = EntryRequest::never},
                   "Patient",
                   "request"},
        MemberCase{"TheRequestUrlMayBeAbsolute",
                   {.entry_request_url_prefix = "https://helse.no/fhir/"},
                   R"("url":"https://helse.no/fhir/Patient"}})",
                   ""},
        MemberCase{"TheRequestUrlMayBeEmpty",
                   {.entry_request_url_prefix = std::nullopt},
                   R"("url":""}})",
                   R"("url":"Patient")"},
        MemberCase{"ADNumberHasItsOwnSystem",
                   {.system_dnr = "urn:oid:2.16.578.1.12.4.1.4.2"},
                   R"([{"system":"urn:oid:2.16.578.1.12.4.1.4.2","value":"13116900216"}])",
                   R"(4.1.4.1")"},
        MemberCase{
            "AnEmptySystemIsLeftOut", {.system_dnr = ""}, R"([{"value":"13116900216"}])", R"("")"},
        MemberCase{"ASystemIsEscaped", {.system_orgnr = "urn:\"x"}, R"("system":"urn:\"x")", ""},
        MemberCase{"TheServiceAreaTagsTheResource",
                   {.meta_security_area = "3"},
                   R"("resourceType":"Patient","meta":{"security":[{"system":)"
                   R"("urn:oid:2.16.578.1.12.4.1.1.7618","code":"3"}]},"identifier")",
                   ""},
        MemberCase{"TheEndMayBeOmitted",
                   {.member_end_form = MembershipEndForm::omit},
                   R"("period":{"start":"2026-01-01"}}]})",
                   R"("end")"}),
    [](const auto& row) { return row.param.name; });

TEST(Bundle, LeavesOutAnEmptyEnd) {
  Membership open = membership();
  open.end = "";
  EXPECT_THAT(member_entry({}, open), HasSubstr(R"("period":{"start":"2026-01-01"}}]})"));
}

TEST(Bundle, TakesTheSystemOfAFodselsnummerFromItsOwnSetting) {
  EXPECT_THAT(member_entry({.system_fnr = "urn:f", .system_dnr = "urn:d"}, membership()),
              HasSubstr(R"({"system":"urn:f","value":"13116900216"})"));
}

struct EndpointCase {
  std::string name;
  OrganizationEndpointForm form;
  std::string business_id;
  std::string endpoint;
};

class OrganizationEndpoint : public testing::TestWithParam<EndpointCase> {};

TEST_P(OrganizationEndpoint, ObeysTheRulesOfElementIds) {
  Organization sample = organization();
  sample.business_id = GetParam().business_id;
  const std::string entry =
      organization_entry({.organization_endpoint_form = GetParam().form}, sample);
  EXPECT_THAT(entry, HasSubstr(R"("name":"SiO")" + GetParam().endpoint + R"(},"request")"));
}

INSTANTIATE_TEST_SUITE_P(
    Forms, OrganizationEndpoint,
    testing::Values(
        EndpointCase{"AnIdNeverStandsAlone", OrganizationEndpointForm::element_id, "4711",
                     R"(,"endpoint":[{"id":"4711","display":"SiO"}])"},
        EndpointCase{"TheIdentifierStandsAlone", OrganizationEndpointForm::identifier, "4711",
                     R"(,"endpoint":[{"identifier":)"
                     R"({"system":"urn:oid:2.16.578.1.12.4.1.2","value":"4711"}}])"},
        EndpointCase{"AnIdHasNoWhiteSpace", OrganizationEndpointForm::both, "47 11",
                     R"(,"endpoint":[{"identifier":)"
                     R"({"system":"urn:oid:2.16.578.1.12.4.1.2","value":"47 11"}}])"},
        EndpointCase{"AnIdWithWhiteSpaceBecomesAnIdentifier", OrganizationEndpointForm::element_id,
                     "47 11",
                     R"(,"endpoint":[{"identifier":)"
                     R"({"system":"urn:oid:2.16.578.1.12.4.1.2","value":"47 11"}}])"},
        EndpointCase{"NoBusinessIdMeansNoEndpoint", OrganizationEndpointForm::both, "", ""}),
    [](const auto& row) { return row.param.name; });

TEST(Bundle, RefersByLogicalIdentifierToWhatTheEntriesCarry) {
  const BundleForm form{.reference_form = ReferenceForm::logical_identifier};
  const std::string entries = offering_entries(form, {location()}, service());
  const std::string own = R"({"system":"urn:ietf:rfc:3986",)"
                          R"("value":"urn:uuid:10101010-1010-1010-1010-101010101010"})";
  EXPECT_THAT(entries, HasSubstr(R"("resourceType":"Location","identifier":[)" + own + "]"));
  EXPECT_THAT(entries, HasSubstr(R"("location":[{"type":"Location","identifier":)" + own + "}]"));
  EXPECT_THAT(entries, HasSubstr(R"("providedBy":{"type":"Organization","identifier":)"
                                 R"({"system":"urn:oid:2.16.578.1.12.4.1.4.101",)"
                                 R"("value":"948554062"}})"));
  EXPECT_THAT(entries, Not(HasSubstr(R"("reference")")));
}

TEST(Bundle, WritesTheServiceIdBareWhenAsked) {
  EXPECT_THAT(offering_entries({.system_service_id = "urn:x:service", .service_id_bare = true},
                               {location()}, service()),
              HasSubstr(R"([{"system":"urn:x:service",)"
                        R"("value":"5e5e5e5e-5e5e-4e5e-8e5e-5e5e5e5e5e5e"}])"));
}

TEST(Bundle, EndsAnOfferingByActiveFalse) {
  Service ended = service();
  ended.active = false;
  EXPECT_THAT(offering_entries({}, {location()}, ended), HasSubstr(R"("active":false)"));
}

TEST(Bundle, LeavesOutWhatIsEmpty) {
  Service bare = service();
  bare.comment = "";
  bare.her_id = "";
  const Location nowhere{.full_url = samples::uuid(0x10)};
  const std::string entries = offering_entries({}, {nowhere}, bare);
  for (const char* absent : {"comment", "endpoint", "address", "telecom", "line", R"("")", "{}"}) {
    EXPECT_THAT(entries, Not(HasSubstr(absent)));
  }
  EXPECT_THAT(offering_entries({}, {}, bare), Not(HasSubstr("location")));
}

TEST(Bundle, KeepsTheRestOfAnAddressThatLacksItsLines) {
  Location here = location();
  here.line = {"", ""};
  here.telecom = {{"", "22853200"}, {"phone", ""}};
  const std::string entries = offering_entries({}, {here}, service());
  EXPECT_THAT(entries, HasSubstr(R"("address":{"city":"Oslo","postalCode":"0313"})"));
  EXPECT_THAT(entries, HasSubstr(R"("telecom":[{"system":"other","value":"22853200"}]})"));
}

/// Every array, object and string of a FHIR resource holds something.
void expect_nothing_empty(simdjson::dom::element element) {
  simdjson::dom::object object;
  simdjson::dom::array array;
  std::string_view text;
  if (element.get(object) == simdjson::SUCCESS) {
    EXPECT_GT(object.size(), 0U);
    for (const auto& field : object) expect_nothing_empty(field.value);
  } else if (element.get(array) == simdjson::SUCCESS) {
    EXPECT_GT(array.size(), 0U);
    for (const auto item : array) expect_nothing_empty(item);
  } else if (element.get(text) == simdjson::SUCCESS) {
    EXPECT_FALSE(text.empty());
  } else {
    EXPECT_TRUE(element.is_bool());
  }
}

/// Each bit of `omitted` empties one optional part.
std::string bundle_without(const BundleForm& form, unsigned omitted) {
  Location where = location();
  if (omitted & 1U) where.line = {};
  if (omitted & 2U) where.city = "";
  if (omitted & 4U) where.postal_code = "";
  if (omitted & 8U) where.telecom = {};
  Service what = service();
  if (omitted & 16U) what.comment = "";
  if (omitted & 32U) what.her_id = "";
  std::string out = bundle_prefix(form, Lane::offerings);
  append_organization_entry(out, form, organization());
  out += ',';
  append_offering_entries(out, form, organization(), std::vector{where}, what);
  out += bundle_suffix();
  return out;
}

class EveryForm : public testing::TestWithParam<unsigned> {};

TEST_P(EveryForm, GivesJsonInWhichNothingIsEmpty) {
  const unsigned choice = GetParam();
  const BundleForm form{
      .bundle_type_offerings = static_cast<BundleType>(choice % 3),
      .reference_form = static_cast<ReferenceForm>(choice / 3 % 2),
      .organization_endpoint_form = static_cast<OrganizationEndpointForm>(choice / 6 % 3),
      .meta_security_area = choice / 18 == 0 ? "" : "3"};
  simdjson::dom::parser parser;
  for (unsigned omitted = 0; omitted < 64; ++omitted) {
    const std::string body = bundle_without(form, omitted);
    simdjson::dom::element root;
    ASSERT_EQ(parser.parse(body).get(root), simdjson::SUCCESS) << body;
    expect_nothing_empty(root);
  }
}

INSTANTIATE_TEST_SUITE_P(Choices, EveryForm, testing::Range(0U, 36U));

}  // namespace
}  // namespace helsekontakter::fhir
