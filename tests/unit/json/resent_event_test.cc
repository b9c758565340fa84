#include "adapters/json/resent_event.h"

#include "tests/unit/json/events.h"

#include <gmock/gmock.h>

namespace helsekontakter::json {
namespace {

using namespace std::chrono_literals;
using Field = Texts::Field;

constexpr WallTime broker_time{std::chrono::sys_days{std::chrono::year{2026} / 1 / 2} + 10h};

RawEvent raw_of(const Record& record, Offset offset) {
  RawEvent raw;
  raw.payload = record.payload;
  raw.key = record.key;
  raw.plain_source = "changes";
  raw.position = {Partition{2}, offset};
  raw.broker_time = broker_time;
  raw.now = broker_time + 1h;
  return raw;
}

/// What an event and its copy, which lies further on and later, are read as.
struct Pair {
  Delivery first;
  Delivery copy;
};

Pair resent(const Record& record, const DecoderSettings& settings = {}) {
  EventDecoder decoder(settings, test_hash());
  const std::vector<std::pair<std::string_view, std::string_view>> headers(record.headers.begin(),
                                                                           record.headers.end());
  RawEvent raw = raw_of(record, 41);
  raw.headers = headers;
  Pair pair;
  pair.first = decoder.decode(raw);
  const auto event = make_resent(raw, pair.first, "r-1");
  if (!event) throw std::runtime_error("cannot be resent: " + shape(pair.first));
  RawEvent copy = raw_of(record, 97);
  copy.broker_time += 24h;
  copy.payload = event->payload;
  copy.headers = event->headers;
  pair.copy = decoder.decode(copy);
  return pair;
}

void expect_the_same_change(const Pair& pair) {
  ASSERT_EQ(shape(pair.first), "change");
  ASSERT_EQ(shape(pair.copy), "change");
  const auto& first = std::get<Change>(pair.first.content);
  const auto& copy = std::get<Change>(pair.copy.content);
  EXPECT_FALSE(first.resend);
  EXPECT_TRUE(copy.resend);
  EXPECT_EQ(copy.key, first.key);
  EXPECT_EQ(copy.version, first.version);
  EXPECT_EQ(copy.content, first.content);
  EXPECT_EQ(copy.full_url, first.full_url);
  EXPECT_NE(copy.event, first.event);
  EXPECT_EQ(pair.copy.texts[Field::resend], "r-1");
  for (const Field field : {Field::id, Field::source, Field::type, Field::subject, Field::entry}) {
    EXPECT_EQ(pair.copy.texts[field], pair.first.texts[field]);
  }
}

Record binary() {
  return {.payload = std::string(membership_data),
          .headers = {{"content-type", "application/json"},
                      {"cloudEvents:specversion", "1.0"},
                      {"cloudEvents:id", "e-1"},
                      {"cloudEvents:source", "/sio"},
                      {"cloudEvents:type", "no.helsekontakter.membership.changed.v1"},
                      {"cloudEvents:time", "2026-01-01T12:00:00Z"}}};
}

TEST(ResentEvent, IsTheSameChangeInEveryModeAndWithEveryKindOfVersion) {
  for (const VersionFrom from : {VersionFrom::data, VersionFrom::time, VersionFrom::broker}) {
    SCOPED_TRACE(static_cast<int>(from));
    const DecoderSettings settings{.version_from = from};
    expect_the_same_change(resent({.payload = membership_event()}, settings));
    expect_the_same_change(resent({.payload = " \r\n" + offering_event()}, settings));
    expect_the_same_change(resent(binary(), settings));
    expect_the_same_change(resent({.payload = std::string(membership_data)}, settings));
    expect_the_same_change(resent({.payload = std::string(offering_data)}, settings));
  }
}

TEST(ResentEvent, HasTheSameOpenEnd) {
  const DecoderSettings settings{.open_end = OpenEnd::horizon};
  const std::string open = with(std::string(membership_data), R"(,"end":"2026-06-30")", "");
  expect_the_same_change(resent({.payload = open}, settings));
}

TEST(ResentEvent, IsNotMadeOfWhatIsNoChange) {
  const RawEvent raw = raw_of({.payload = "{"}, 1);
  EXPECT_FALSE(make_resent(raw, decode("{"), "r-1"));
}

}  // namespace
}  // namespace helsekontakter::json
