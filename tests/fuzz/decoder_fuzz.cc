#include "adapters/json/event_decoder.h"
#include "tests/fuzz/mutation.h"
#include "worker/domain/national_id.h"

#include <array>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace helsekontakter::json {
namespace {

using Field = Texts::Field;

const std::vector<std::string> events{
    R"({"specversion":"1.0","id":"e-1","source":"/sio","type":)"
    R"("no.helsekontakter.membership.changed.v1","subject":"s-1","time":"2026-01-01T12:00:00Z",)"
    R"("resend":"r","resendversion":"3","data":{"organization":"948554062",)"
    R"("member":"13116900216","period":{"start":"2026-01-01","end":"2026-06-30"},"version":7}})",
    R"({"specversion":"1.0","id":"e-2","source":"/sio","type":)"
    R"("no.helsekontakter.offering.changed.v1","data":{"organization":{"number":"948554062",)"
    R"("name":"SiO","businessId":"8094866"},"service":{"id":)"
    R"("3f2504e0-4f89-41d3-9a0c-0305e82c3301","active":true,"name":"Helse","herId":"1"},)"
    R"("locations":[{"line":["Gata 1"],"city":"Oslo","postalCode":"0371","telecom":)"
    R"([{"system":"phone","value":"2"}]}],"version":3}})",
    R"({"organization":"948554062","member":"13116900216","period":{"start":"2026-01-01"},)"
    R"("version":7})"};

/// What holds for whatever came in.
void check(const Delivery& delivery, const std::string& payload) {
  ASSERT_FALSE(std::holds_alternative<Tombstone>(delivery.content)) << payload;
  for (const Field field : {Field::id, Field::source, Field::type, Field::subject, Field::key,
                            Field::traceparent, Field::tracestate, Field::resend, Field::detail}) {
    ASSERT_FALSE(contains_national_id(delivery.texts[field])) << payload;
    if (field != Field::key) {
      ASSERT_TRUE(fuzz::is_utf8(delivery.texts[field])) << payload;
    }
  }
  const bool change = std::holds_alternative<Change>(delivery.content);
  ASSERT_EQ(change, !delivery.texts[Field::entry].empty()) << payload;
  ASSERT_TRUE(fuzz::is_utf8(delivery.texts[Field::entry])) << payload;
  ASSERT_FALSE(delivery.texts[Field::id].empty()) << payload;
  if (!change) {
    ASSERT_FALSE(delivery.texts[Field::detail].empty()) << payload;
    const auto verdict = entry_of(std::get<Finding>(delivery.content).reason).verdict;
    ASSERT_TRUE(verdict == Verdict::undecodable || verdict == Verdict::rejected) << payload;
  }
}

class DecoderFuzz : public testing::TestWithParam<std::uint64_t> {};

TEST_P(DecoderFuzz, GivesADeliveryForWhateverComesIn) {
  std::mt19937_64 random(GetParam());
  DecoderSettings settings;
  settings.version_from = static_cast<VersionFrom>(GetParam() % 3);
  settings.open_end = static_cast<OpenEnd>(GetParam() / 3 % 3);
  settings.event_bytes_max = 2048;
  EventDecoder decoder(settings, crypto::KeyedHash({}));
  EventDecoder fresh(settings, crypto::KeyedHash({}));
  for (std::size_t i = 0; i < fuzz::rounds(); ++i) {
    const std::string payload = fuzz::mutated(events[random() % events.size()], random);
    const std::string id = fuzz::mutated("e-1", random);
    const std::string key = fuzz::mutated("k-1", random);
    const std::array<std::pair<std::string_view, std::string_view>, 4> headers{
        {{"ce_specversion", "1.0"},
         {"ce_id", id},
         {"ce_source", "/s"},
         {"ce_type", "no.helsekontakter.membership.changed.v1"}}};
    RawEvent raw;
    raw.payload = payload;
    raw.key = key;
    raw.plain_source = "changes";
    if (random() % 4 == 0) raw.headers = headers;
    const Delivery delivery = decoder.decode(raw);
    check(delivery, payload);
    // Nothing of an earlier event may be left in the buffers.
    if (i % 64 == 0) {
      const Delivery again = fresh.decode(raw);
      ASSERT_EQ(again.content.index(), delivery.content.index()) << payload;
      ASSERT_EQ(again.texts[Field::entry], delivery.texts[Field::entry]) << payload;
      ASSERT_EQ(again.texts[Field::detail], delivery.texts[Field::detail]) << payload;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, DecoderFuzz, testing::Range<std::uint64_t>(1, 10));

}  // namespace
}  // namespace helsekontakter::json
