#include "worker/ledger/parked.h"

#include "tests/unit/json/events.h"
#include "tests/unit/ledger/samples.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace helsekontakter::ledger {
namespace {

using Field = Texts::Field;
using samples::at;
using samples::key;
using namespace std::chrono_literals;

/// What the decoder makes of an event, parked.
ParkedChange parked_event(const std::string& payload, const BundleForm& form,
                          bool keep_payload = false) {
  json::DecoderSettings settings;
  settings.form = form;
  settings.keep_payload = keep_payload;
  settings.open_end = json::OpenEnd::omit;
  json::EventDecoder decoder(settings, json::test_hash());
  json::Record record;
  record.payload = payload;
  Delivery delivery = record.decode(decoder);
  return {.change = std::get<Change>(delivery.content),
          .texts = std::move(delivery.texts),
          .offset = delivery.position.offset,
          .attempt = 4,
          .round = 2,
          .why = Reason::not_digitally_active,
          .due = at(1h),
          .parked_since = at(-24h),
          .period_end = at(500h),
          .interval = 48h,
          .failing_for = 7h,
          .failed_at = at(-1h)};
}

struct FormCase {
  std::string name;
  BundleForm form;
};

std::vector<FormCase> forms() {
  std::vector<FormCase> all{{"the_usual_form", {}}};
  all.push_back({"a_security_label", {}});
  all.back().form.meta_security_area = "3";
  all.push_back({"no_request", {}});
  all.back().form.entry_request = EntryRequest::never;
  all.push_back({"an_absolute_request", {}});
  all.back().form.entry_request_url_prefix = "https://fhir.example/";
  all.push_back({"a_collection", {}});
  all.back().form.bundle_type_members = BundleType::collection;
  all.push_back({"no_end_on_the_wire", {}});
  all.back().form.member_end_form = MembershipEndForm::omit;
  all.push_back({"another_system", {}});
  all.back().form.system_fnr = "";
  all.back().form.system_dnr = "urn:oid:2.16.578.1.12.4.1.4.2";
  return all;
}

class ParkedUnderAForm : public ::testing::TestWithParam<FormCase> {};

TEST_P(ParkedUnderAForm, AMembershipComesBackByteForByteWithoutItsEntryBeingStored) {
  const BundleForm& form = GetParam().form;
  for (const std::string_view data :
       {json::membership_data,
        std::string_view(R"({"organization":"948554062","member":"13116900216",)"
                         R"("period":{"start":"2026-01-01"},"version":7})")}) {
    const ParkedChange parked = parked_event(json::membership_event(data), form);
    ASSERT_NE(parked.texts[Field::entry], "");
    const std::string packed = pack(parked, form);
    EXPECT_LT(packed.size(), 200U);
    EXPECT_EQ(packed.find("resource"), std::string::npos);
    const auto again = unpack(packed, parked.change.key, form);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->texts[Field::entry], parked.texts[Field::entry]);
    EXPECT_TRUE(*again == parked);
  }
}

TEST_P(ParkedUnderAForm, AnOfferingKeepsItsEntriesAndItsHead) {
  const BundleForm& form = GetParam().form;
  const ParkedChange parked = parked_event(json::offering_event(), form, true);
  ASSERT_NE(parked.texts[Field::head], "");
  ASSERT_NE(parked.texts[Field::payload], "");
  const auto again = unpack(pack(parked, form), parked.change.key, form);
  ASSERT_TRUE(again);
  EXPECT_TRUE(*again == parked);
}

INSTANTIATE_TEST_SUITE_P(Forms, ParkedUnderAForm, ::testing::ValuesIn(forms()),
                         [](const auto& tested) { return tested.param.name; });

TEST(ParkedChange, AFormThatChangedReachesAParkedMembership) {
  const ParkedChange parked = parked_event(json::membership_event(), {});
  BundleForm other;
  other.meta_security_area = "3";
  const auto again = unpack(pack(parked, {}), parked.change.key, other);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->texts[Field::entry],
            parked_event(json::membership_event(), other).texts[Field::entry]);
}

TEST(ParkedChange, AnEntryThatCannotBeBuiltAgainIsKeptAsItIs) {
  ParkedChange parked = samples::waiting(key(1), 5, at(0s));
  Texts texts;
  texts.append(Field::identifier, "13116900216");
  texts.append(Field::entry, R"({"period":{"start":"2026-01-01","end":"2026-06-30"}} of old)");
  parked.texts = texts;
  const auto again = unpack(pack(parked, {}), key(1), {});
  ASSERT_TRUE(again);
  EXPECT_TRUE(*again == parked);
}

TEST(ParkedChange, OddValuesComeBack) {
  ParkedChange parked = samples::waiting(key(1), 5, at(0s));
  parked.change.version = 9'007'199'254'740'991;
  parked.change.resend = true;
  parked.change.entries = 65'535;
  parked.attempt = 0xffffffff;
  parked.round = 0xfffffffe;
  parked.why = Reason::none;
  parked.due = WallTime{Milliseconds{-5}};
  parked.period_end.reset();
  parked.interval = Milliseconds{0};
  parked.offset = 1'099'511'627'776;
  const auto again = unpack(pack(parked, {}), key(1), {});
  ASSERT_TRUE(again);
  EXPECT_TRUE(*again == parked);
}

TEST(ParkedChange, FactsAreReadWithoutTheRest) {
  const ParkedChange parked = samples::waiting(key(1), 5, at(7s));
  const auto facts = read_facts(pack(parked, {}));
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->version, 5);
  EXPECT_EQ(facts->event, parked.change.event);
  EXPECT_EQ(facts->content, parked.change.content);
  EXPECT_EQ(facts->attempt, 2U);
  EXPECT_EQ(facts->round, 1U);
  EXPECT_EQ(facts->why, Reason::not_digitally_active);
  EXPECT_FALSE(facts->resend);
  EXPECT_EQ(facts->due, at(7s));
  EXPECT_EQ(facts->parked_since, at(7s) - 24h);
}

TEST(ParkedChange, NoTruncatedOnePasses) {
  const std::string packed = pack(samples::waiting(key(1), 5, at(0s)), {});
  for (std::size_t size = 0; size < packed.size(); ++size) {
    EXPECT_FALSE(unpack(std::string_view(packed).substr(0, size), key(1), {})) << size;
  }
  EXPECT_FALSE(unpack(packed + '\0', key(1), {}));
}

TEST(ParkedChange, AnyByteChangedIsReadOrRefusedButNeverOverrun) {
  const std::string packed = pack(parked_event(json::membership_event(), {}), {});
  for (std::size_t i = 0; i < packed.size(); ++i) {
    for (const char with : {'\0', '\x7f', '\x80', '\xff'}) {
      std::string changed = packed;
      changed[i] = with;
      const auto read = unpack(changed, key(1), {});
      EXPECT_TRUE(!read || read->change.key == key(1));
    }
  }
}

TEST(MembershipPeriod, IsFoundInAnEntryOnly) {
  const ParkedChange parked = parked_event(json::membership_event(), {});
  const auto period = read_period(parked.texts[Field::entry]);
  ASSERT_TRUE(period);
  EXPECT_EQ(period->start, "2026-01-01");
  EXPECT_EQ(period->end, "2026-06-30");
  EXPECT_FALSE(read_period(""));
  EXPECT_FALSE(read_period(R"("period":{"start":"2026-01-)"));
  EXPECT_FALSE(read_period(R"("period":{"start":"2026-01-01","end":"soon"}})"));
}

}  // namespace
}  // namespace helsekontakter::ledger
