#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace helsekontakter {

/// What kind of submission a change needs.
enum class Lane : std::uint8_t { offerings, members };
inline constexpr std::size_t lanes = 2;

/// What became of one change event. All but inactive are terminal.
enum class Verdict : std::uint8_t {
  accepted,
  unchanged,
  inactive,
  rejected,
  superseded,
  undecodable,
  expired,
};
inline constexpr std::size_t verdicts = 7;

/// What a person or system that reads the result should do.
enum class Action : std::uint8_t { none, wait, fix_data, contact_operator };

/// The closed list of reason codes; schemas/reasons.json is its public form and a test holds the
/// two equal. `none` is for verdicts that need no reason.
enum class Reason : std::uint8_t {
  none,
  // undecodable: no valid event, version or key
  not_json,
  not_an_event,         ///< JSON, but neither a CloudEvent nor plain data of a known kind
  unknown_type,         ///< a CloudEvents type or specversion that we do not consume
  unsupported_content,  ///< content type or encoding that we do not read
  field_missing,
  wrong_type,
  invalid_utf8,
  duplicate_name,
  event_too_large,  ///< over source.*.event_bytes_max
  identity_in_metadata,
  version_missing,
  version_invalid,
  // rejected: readable, but breaks a rule
  organization_invalid,
  member_malformed,  ///< not eleven digits
  member_date,
  member_check_digit,
  member_synthetic,  ///< synthetic number in an environment for real ones
  member_real,       ///< real number in an environment for synthetic ones
  period_invalid,    ///< not a date of the calendar
  period_end_missing,
  period_reversed,   ///< end before start
  version_ahead,     ///< time version more than 24 h ahead
  offering_invalid,  ///< a field of an offering breaks its rule
  change_too_large,  ///< alone larger than batch.bytes_max or batch.entries_max
  refused_by_endpoint,
  // superseded
  newer_version,
  version_equal,
  // inactive
  not_digitally_active,
  // expired
  inactive_too_long,
  exhausted_too_long,  ///< its own requests failed, again and again, while others succeeded
};
inline constexpr std::size_t reasons = 30;  ///< without none

struct ReasonEntry {
  Reason reason;
  std::string_view code;  ///< as published
  Verdict verdict;
  Action action;
  std::string_view text;  ///< what it means, one sentence, no data of the event
};

/// Every reason but `none`, in the order of the enumeration.
[[nodiscard]] std::span<const ReasonEntry> reason_table();
/// The entry of a reason other than none.
[[nodiscard]] const ReasonEntry& entry_of(Reason reason);

[[nodiscard]] std::string_view name(Lane lane);
[[nodiscard]] std::string_view name(Verdict verdict);
[[nodiscard]] std::string_view name(Action action);
[[nodiscard]] constexpr bool is_terminal(Verdict verdict) {
  return verdict != Verdict::inactive;
}

}  // namespace helsekontakter
