#pragma once

#include "worker/fhir/form.h"
#include "worker/ports/ledger.h"

#include <optional>
#include <string>
#include <string_view>

namespace helsekontakter::ledger {

/// The period of a membership as it stands in its Bundle entry.
struct MembershipPeriod {
  std::string_view start;  ///< YYYY-MM-DD
  std::string_view end;    ///< empty: none in the entry
};

/// Finds the period in an entry that fhir::append_member_entry wrote; nothing in any other text.
[[nodiscard]] std::optional<MembershipPeriod> read_period(std::string_view member_entry);

/// A parked change as fields: a membership's entry is kept as its two dates wherever worker/fhir
/// builds the same bytes from them again (checked here, each time); anything else as it is. Holds
/// an identity number: sealed before it leaves the process. About 250 bytes for a membership.
[[nodiscard]] std::string pack(const ParkedChange& parked, const BundleForm& form);

/// The change again, its entry in the present form: a changed form reaches parked changes too.
/// Nothing when the bytes are none of pack().
[[nodiscard]] std::optional<ParkedChange> unpack(std::string_view packed, const MemberKey& key,
                                                 const BundleForm& form);

/// Reads the first fields only. Nothing when the bytes are none of pack().
[[nodiscard]] std::optional<ParkedFacts> read_facts(std::string_view packed);

}  // namespace helsekontakter::ledger
