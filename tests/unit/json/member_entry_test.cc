#include "adapters/json/member_entry.h"

#include <string>

#include <gtest/gtest.h>

namespace helsekontakter::json {
namespace {

Uuid uuid(std::uint8_t first) {
  Uuid out;
  for (std::size_t i = 0; i < out.bytes.size(); ++i) {
    out.bytes[i] = static_cast<std::uint8_t>(first + 17 * i);
  }
  return out;
}

std::string written(const BundleForm& form, const fhir::Membership& membership) {
  std::string text;
  fhir::append_member_entry(text, form, membership);
  return text;
}

class MemberEntryOfForm : public testing::TestWithParam<BundleForm> {};

TEST_P(MemberEntryOfForm, IsTheOneThatFhirWritesWhicheverCameBefore) {
  MemberEntry entry(GetParam());
  for (int round = 0; round < 2; ++round) {
    for (const bool is_d_number : {false, true}) {
      for (const std::string_view end : {"2026-06-30", "", "2099-12-31"}) {
        const fhir::Membership membership{.full_url = uuid(static_cast<std::uint8_t>(end.size())),
                                          .member = is_d_number ? "53116900216" : "13116900216",
                                          .is_d_number = is_d_number,
                                          .organization = "948554062",
                                          .start = "2026-01-01",
                                          .end = end};
        EXPECT_EQ(entry.fill(membership), written(GetParam(), membership));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, MemberEntryOfForm,
    testing::Values(BundleForm{}, BundleForm{.bundle_type_members = BundleType::collection},
                    BundleForm{.entry_request_url_prefix = "https://00000000000/0000-00-00/"},
                    BundleForm{.system_fnr = "urn:fnr:00000000000",
                               .system_dnr = "urn:another:d:11111111111",
                               .system_orgnr = "urn:\"escaped\":000000000"},
                    BundleForm{.system_fnr = "", .system_dnr = ""},
                    BundleForm{.meta_security_area = "3",
                               .member_end_form = MembershipEndForm::omit}));

}  // namespace
}  // namespace helsekontakter::json
