#include "worker/domain/verdict.h"

#include "worker/domain/ensure.h"

#include <array>

namespace helsekontakter {
namespace {

using enum Reason;

constexpr std::array<ReasonEntry, reasons> table{{
    {not_json, "not_json", Verdict::undecodable, Action::fix_data,
     "the event is not valid JSON; send UTF-8 JSON"},
    {not_an_event, "not_an_event", Verdict::undecodable, Action::fix_data,
     "neither a CloudEvent nor plain data with `member` or `service`"},
    {unknown_type, "unknown_type", Verdict::undecodable, Action::fix_data,
     "a CloudEvents type or specversion that is not consumed here"},
    {unsupported_content, "unsupported_content", Verdict::undecodable, Action::fix_data,
     "a content type or encoding that is not read here; use application/json in UTF-8"},
    {field_missing, "field_missing", Verdict::undecodable, Action::fix_data,
     "a required field is missing or empty"},
    {wrong_type, "wrong_type", Verdict::undecodable, Action::fix_data,
     "a field has another JSON type than the schema says"},
    {invalid_utf8, "invalid_utf8", Verdict::undecodable, Action::fix_data,
     "the event is not valid UTF-8"},
    {duplicate_name, "duplicate_name", Verdict::undecodable, Action::fix_data,
     "a name stands twice in one object, so its value is ambiguous"},
    {event_too_large, "event_too_large", Verdict::undecodable, Action::fix_data,
     "the event is larger than event_bytes_max"},
    {identity_in_metadata, "identity_in_metadata", Verdict::undecodable, Action::fix_data,
     "a key, id, source or subject holds a national identity number; use an opaque value"},
    {version_missing, "version_missing", Verdict::undecodable, Action::fix_data,
     "the version that version.from asks for is missing"},
    {version_invalid, "version_invalid", Verdict::undecodable, Action::fix_data,
     "the version is not an integer from 0 to 2^53-1, or the time not an RFC 3339 time"},
    {organization_invalid, "organization_invalid", Verdict::rejected, Action::fix_data,
     "the organisation number is not nine digits with a right check digit"},
    {member_malformed, "member_malformed", Verdict::rejected, Action::fix_data,
     "the member identifier is not eleven digits"},
    {member_date, "member_date", Verdict::rejected, Action::fix_data,
     "the member identifier holds no date of the calendar"},
    {member_check_digit, "member_check_digit", Verdict::rejected, Action::fix_data,
     "a check digit of the member identifier is wrong"},
    {member_synthetic, "member_synthetic", Verdict::rejected, Action::fix_data,
     "a synthetic identifier in an environment for real ones"},
    {member_real, "member_real", Verdict::rejected, Action::fix_data,
     "a real identifier in an environment for synthetic ones"},
    {period_invalid, "period_invalid", Verdict::rejected, Action::fix_data,
     "a date of the period is not YYYY-MM-DD or not in the calendar"},
    {period_end_missing, "period_end_missing", Verdict::rejected, Action::fix_data,
     "period.end is missing and member.open_end is reject, or the membership is ended"},
    {period_reversed, "period_reversed", Verdict::rejected, Action::fix_data,
     "the period ends before it starts"},
    {version_ahead, "version_ahead", Verdict::rejected, Action::fix_data,
     "the version's time is more than 24 hours ahead of our clock"},
    {offering_invalid, "offering_invalid", Verdict::rejected, Action::fix_data,
     "a field of the offering breaks its rule"},
    {change_too_large, "change_too_large", Verdict::rejected, Action::fix_data,
     "the change alone is larger than batch.bytes_max or batch.entries_max"},
    {refused_by_endpoint, "refused_by_endpoint", Verdict::rejected, Action::fix_data,
     "Helsenorge refused this change; its own code and text follow"},
    {newer_version, "newer_version", Verdict::superseded, Action::none,
     "a newer version of the same key was concluded instead"},
    {version_equal, "version_equal", Verdict::superseded, Action::fix_data,
     "another change with the same key and version came earlier"},
    {not_digitally_active, "not_digitally_active", Verdict::inactive, Action::wait,
     "the member is not digitally active on Helsenorge"},
    {inactive_too_long, "inactive_too_long", Verdict::expired, Action::contact_operator,
     "the member was inactive until the period or member.inactive_expiry_d was over"},
    {exhausted_too_long, "exhausted_too_long", Verdict::expired, Action::contact_operator,
     "requests with this change alone got no answer, or 5xx or 408, while others succeeded, for "
     "retry.exhausted_expiry_d; it may have arrived"},
}};

}  // namespace

std::span<const ReasonEntry> reason_table() {
  return table;
}

const ReasonEntry& entry_of(Reason reason) {
  ensure(reason != none && static_cast<std::size_t>(reason) <= reasons);
  return table[static_cast<std::size_t>(reason) - 1];
}

std::string_view name(Lane lane) {
  return lane == Lane::offerings ? "offerings" : "members";
}

std::string_view name(Verdict verdict) {
  static constexpr std::array<std::string_view, verdicts> names{
      "accepted", "unchanged", "inactive", "rejected", "superseded", "undecodable", "expired"};
  return names[static_cast<std::size_t>(verdict)];
}

std::string_view name(Action action) {
  static constexpr std::array<std::string_view, 4> names{"none", "wait", "fix_data",
                                                         "contact_operator"};
  return names[static_cast<std::size_t>(action)];
}

}  // namespace helsekontakter
