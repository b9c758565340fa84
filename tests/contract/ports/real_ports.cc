#include "tests/contract/ports/real_ports.h"

#include "adapters/json/packed_headers.h"
#include "adapters/json/result_reader.h"
#include "worker/domain/result.h"

#include <functional>

namespace helsekontakter {
namespace {

constexpr std::size_t inbox_bytes = 64 << 20;

constexpr char not_utf8 = '\xff';

/// A decoder that needs no schema: the payload, as far as it is UTF-8, is the event's name.
Delivery decode_name(const json::RawEvent& raw) {
  using Field = Texts::Field;
  Delivery delivery{.position = raw.position, .epoch = raw.epoch};
  delivery.texts.append(Field::id, raw.payload.substr(0, raw.payload.find(not_utf8)));
  delivery.texts.append(Field::source, raw.plain_source);
  delivery.texts.append(Field::key, raw.key);
  delivery.texts.append(Field::payload, raw.payload);
  delivery.texts.append(Field::headers, json::pack_headers(raw.headers));
  Change change{.organization = *OrganizationNumber::parse("948554062"), .version = 1};
  const std::size_t hash = std::hash<std::string_view>{}(raw.payload);
  for (std::size_t i = 0; i < sizeof hash; ++i) {
    change.key.bytes[i] = static_cast<std::uint8_t>(hash >> (8 * i));
  }
  delivery.content = change;
  return delivery;
}

}  // namespace

void RealPorts::begin() {
  die();
  inbox_ = std::make_unique<Inbox>(inbox_bytes);
  auto parts = make_parts(decode_name, *inbox_);
  ASSERT_TRUE(parts) << parts.error().message;
  parts_ = std::move(*parts);
  const auto recording = parts_.recorder->start();
  ASSERT_TRUE(recording) << recording.error().message;
  const auto reading = parts_.source->start();
  ASSERT_TRUE(reading) << reading.error().message;
}

void RealPorts::end() {
  parts_.source->stop(true);
  parts_.recorder->stop();
  die();
}

void RealPorts::die() {
  parts_.recorder.reset();
  parts_.source.reset();
}

void RealPorts::take(std::vector<Input>& inputs, std::chrono::steady_clock::time_point deadline) {
  inbox_->take(inputs, deadline);
}

void RealPorts::note_trouble(const Error& error) {
  const std::lock_guard lock(mutex_);
  troubles_ += error.message + "\n";
}

std::string RealPorts::troubles() const {
  const std::lock_guard lock(mutex_);
  return troubles_;
}

std::vector<SeenResult> read_results(const std::vector<std::string>& texts) {
  json::ResultReader reader;
  std::vector<SeenResult> seen;
  for (const std::string& text : texts) {
    const auto result = reader.read(text);
    EXPECT_TRUE(result) << text;
    if (!result) continue;
    seen.push_back({.id = result->id,
                    .event = std::string(result->event_id),
                    .verdict = std::string(name(result->verdict))});
  }
  return seen;
}

}  // namespace helsekontakter
