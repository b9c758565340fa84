#include "worker/fhir/form.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(BundleForm, IsValidR4ByDefault) {
  EXPECT_TRUE(is_valid_r4({}));
  EXPECT_THAT(r4_faults({}), testing::IsEmpty());
}

struct FaultCase {
  std::string name;
  BundleForm form;
  std::string key;
};

class InvalidForm : public testing::TestWithParam<FaultCase> {};

TEST_P(InvalidForm, IsNamedByItsKey) {
  EXPECT_FALSE(is_valid_r4(GetParam().form));
  EXPECT_THAT(r4_faults(GetParam().form), ElementsAre(HasSubstr(GetParam().key)));
}

INSTANTIATE_TEST_SUITE_P(
    Settings, InvalidForm,
    testing::Values(
        FaultCase{
            "ACollectionForbidsRequests",
            {.bundle_type_members = BundleType::collection, .entry_request = EntryRequest::always},
            "fhir.bundle_type_members, bdl-3"},
        FaultCase{
            "ATransactionNeedsRequests",
            {.bundle_type_members = BundleType::collection, .entry_request = EntryRequest::never},
            "fhir.bundle_type_offerings, bdl-3"},
        FaultCase{"ARequestNeedsAUrl",
                  {.entry_request_url_prefix = std::nullopt},
                  "fhir.entry_request_url"},
        FaultCase{"AUrlHasNoSpaces",
                  {.entry_request_url_prefix = "https://a b/"},
                  "fhir.entry_request_url"},
        FaultCase{"ABatchHasNoLinks",
                  {.bundle_type_offerings = BundleType::batch},
                  "fhir.bundle_type_offerings"},
        FaultCase{"AUriSystemHasUriValues", {.service_id_bare = true}, "fhir.system_service_id"},
        FaultCase{"AnOidIsWellFormed", {.system_fnr = "urn:oid:2.16.0578"}, "fhir.system_fnr"},
        FaultCase{"AnOidStartsBelowThree", {.system_dnr = "urn:oid:3.16"}, "fhir.system_dnr"},
        FaultCase{"AnOidEndsWithANumber", {.system_dnr = "urn:oid:2.16."}, "fhir.system_dnr"},
        FaultCase{"ASystemIsAbsolute", {.system_orgnr = "ENH"}, "fhir.system_orgnr"},
        FaultCase{"ASystemHasNoSpaces", {.system_her = "urn:a b"}, "fhir.system_her"},
        FaultCase{"ACodeHasNoEdgeSpaces", {.meta_security_area = "3 "}, "fhir.meta_security_area"}),
    [](const auto& row) { return row.param.name; });

class ValidForm : public testing::TestWithParam<BundleForm> {};

TEST_P(ValidForm, HasNoFault) {
  EXPECT_THAT(r4_faults(GetParam()), testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Settings, ValidForm,
    testing::Values(BundleForm{.bundle_type_offerings = BundleType::batch,
                               .reference_form = ReferenceForm::logical_identifier},
                    BundleForm{.bundle_type_offerings = BundleType::collection,
                               .bundle_type_members = BundleType::collection,
                               .entry_request_url_prefix = std::nullopt},
                    BundleForm{.bundle_type_offerings = BundleType::collection,
                               .bundle_type_members = BundleType::collection,
                               .entry_request = EntryRequest::never},
                    BundleForm{.system_service_id = "", .service_id_bare = true},
                    BundleForm{.system_orgnr = "http://data.brreg.no/begrep/28155"},
                    BundleForm{.organization_endpoint_form = OrganizationEndpointForm::element_id,
                               .meta_security_area = "3"}));

TEST(BundleForm, NamesEveryFaultAtOnce) {
  EXPECT_EQ(r4_faults({.bundle_type_offerings = BundleType::batch,
                       .entry_request = EntryRequest::never,
                       .system_her = ""})
                .size(),
            3U);
}

}  // namespace
}  // namespace helsekontakter
