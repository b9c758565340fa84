#pragma once

#include "adapters/crypto/keyed_hash.h"
#include "worker/domain/delivery.h"
#include "worker/domain/national_id.h"
#include "worker/domain/time.h"
#include "worker/fhir/form.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace helsekontakter::json {

enum class VersionFrom : std::uint8_t { data, time, broker };
enum class OpenEnd : std::uint8_t { reject, omit, horizon };

struct DecoderSettings {
  VersionFrom version_from = VersionFrom::data;
  OpenEnd open_end = OpenEnd::reject;
  std::chrono::days horizon{365};
  std::size_t event_bytes_max = 1'048'576;
  bool rule_2032 = true;
  bool real_allowed = true;  ///< identifier.*: PROD takes real numbers only, others synthetic
  bool synthetic_allowed = false;
  std::set<std::string> test_allow;  ///< real-looking numbers that pass where only synthetic do
  bool keep_payload = false;         ///< fill Texts::payload and headers, for dead letters
  BundleForm form;
};

/// An event as a broker handed it over. The views live as long as the call.
struct RawEvent {
  std::string_view payload;
  bool is_null = false;  ///< a null value, not an empty one
  std::string_view key;
  std::string_view content_type;  ///< without a header of its own (AMQP); else empty
  std::span<const std::pair<std::string_view, std::string_view>> headers;
  std::string_view plain_source;  ///< identity of plain JSON: the topic
  std::string_view plain_id;      ///< and the broker's id; empty: partition and offset
  std::string_view unreadable;    ///< the body is no text, and why (AMQP); empty: it is
  Position position;
  Epoch epoch{};
  WallTime broker_time{};  ///< time of the record; nothing where the broker gives none
  WallTime now{};
};

/// Turns broker records into deliveries: CloudEvents 1.0 structured, binary (headers ce_*,
/// cloudEvents:*, cloudEvents_*) and plain JSON. Total: whatever comes in, a delivery comes out; a
/// fault becomes a Finding. One per thread.
class EventDecoder {
 public:
  EventDecoder(DecoderSettings settings, crypto::KeyedHash hash);
  ~EventDecoder();
  EventDecoder(EventDecoder&&) noexcept;
  EventDecoder& operator=(EventDecoder&&) noexcept;

  [[nodiscard]] Delivery decode(const RawEvent& raw);

  /// Fields that no schema names, seen since the start.
  [[nodiscard]] std::uint64_t unknown_fields() const;

 private:
  class Reading;
  std::unique_ptr<Reading> reading_;
};

}  // namespace helsekontakter::json
