#pragma once

#include "worker/domain/bytes.h"
#include "worker/domain/organization_number.h"
#include "worker/domain/time.h"
#include "worker/domain/verdict.h"

#include <array>
#include <compare>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace helsekontakter {

/// A partition of the input: Kafka's number; 0 for a queue or a file.
enum class Partition : std::int32_t {};
/// A place in a partition; the next delivery's is higher.
using Offset = std::int64_t;
/// Counts the assignments that this process was given. Whatever carries an older epoch than its
/// partition's present one is dropped.
enum class Epoch : std::uint64_t {};

struct Position {
  Partition partition{};
  Offset offset = 0;
  friend bool operator==(const Position&, const Position&) = default;
};

/// The texts that travel with a delivery, packed into one allocation. The core reads `entry` and
/// `head` only; the rest is for the result event and the dead letter.
class Texts {
 public:
  enum class Field : std::uint8_t {
    id,       ///< CloudEvents id; scrubbed by the decoder where identity_in_metadata
    source,   ///< CloudEvents source; scrubbed likewise
    type,     ///< CloudEvents type
    subject,  ///< the sender's opaque membership id; may be empty; scrubbed likewise
    key,      ///< the record's key as bytes; the result gets the same
    traceparent,
    tracestate,
    resend,      ///< id of the replay; empty: not a resend
    detail,      ///< for a finding: which field or place, without its value
    identifier,  ///< member identifier or service id, for matching answers. Never printed
    entry,       ///< the Bundle entries of this change, serialised, comma-separated. Never printed
    head,        ///< for offerings: the Organization entry, shared by a Bundle
    payload,     ///< dead-letter topics only: the event as it came. Never printed
    headers,     ///< dead-letter topics only: its headers, in the source adapter's packing
  };
  static constexpr std::size_t fields = 14;

  /// Fields are appended in the order of the enumeration; a skipped one is empty.
  void append(Field field, std::string_view text) {
    skip_to(field);
    bytes_.append(text);
    ends_[static_cast<std::size_t>(field)] = static_cast<std::uint32_t>(bytes_.size());
    next_ = static_cast<std::uint8_t>(field) + 1;
  }

  [[nodiscard]] std::string_view operator[](Field field) const {
    const auto at = static_cast<std::size_t>(field);
    if (at >= next_) return {};
    const std::uint32_t begin = at == 0 ? 0 : ends_[at - 1];
    return std::string_view(bytes_).substr(begin, ends_[at] - begin);
  }

  /// Asks for a field's memory that is needed soon.
  void fetch(Field field) const {
    constexpr std::size_t line = 64;
    const std::string_view text = (*this)[field];
    for (std::size_t at = 0; at < text.size(); at += line) __builtin_prefetch(text.data() + at);
  }

  void reserve(std::size_t bytes) { bytes_.reserve(bytes); }
  [[nodiscard]] std::size_t bytes() const { return bytes_.size(); }

 private:
  void skip_to(Field field);

  std::string bytes_;
  std::array<std::uint32_t, fields> ends_{};
  std::uint8_t next_ = 0;
};

/// A readable change of one key: what the core orders, batches and submits.
struct Change {
  Lane lane = Lane::members;
  OrganizationNumber organization;
  MemberKey key;
  EventDigest event;
  ContentDigest content;
  std::int64_t version = 0;
  Uuid full_url;                ///< of the entry the answer is matched by; derived from the event
  Digest<struct HeadTag> head;  ///< offerings: equal heads may share a Bundle
  std::uint16_t entries = 1;    ///< Bundle entries in `entry`, without the head
  bool resend = false;          ///< sent once more on purpose: an equal version passes
  std::int32_t last_day = 0;    ///< of a membership, in days since 1970; 0: it is open

  /// The end of the membership's last day (UTC); nothing for an open one and for offerings.
  [[nodiscard]] std::optional<WallTime> period_end() const {
    if (last_day == 0) return std::nullopt;
    return WallTime(std::chrono::sys_days(std::chrono::days(last_day + 1)));
  }
};
static_assert(sizeof(Change) <= 112, "a million of them pass through the caches");

/// A delivery that can never be submitted, found by the decoder: undecodable or rejected.
struct Finding {
  Reason reason = Reason::not_json;
  std::optional<OrganizationNumber> organization;  ///< where it could be read
  std::optional<std::int64_t> version;
  EventDigest event;  ///< stands for id and source in the result id
};

/// A compacted topic's null value: counted and settled, without a result.
struct Tombstone {};

/// A change event as the broker handed it over, with what is needed to settle it and the epoch of
/// the assignment it came under.
struct Delivery {
  Position position;
  Epoch epoch{};
  Texts texts;
  std::variant<Tombstone, Finding, Change> content;

  /// What it costs of memory.bytes_max while it is here: depends on the event and the
  /// configuration only, so that every worker of a group counts alike.
  [[nodiscard]] std::size_t cost() const { return sizeof(Delivery) + texts.bytes() + 96; }
};

/// A delivery stays where the core put it until its record is written: only the pointer moves.
using OwnedDelivery = std::unique_ptr<Delivery>;

}  // namespace helsekontakter
