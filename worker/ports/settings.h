#pragma once

#include "worker/domain/organization_number.h"
#include "worker/domain/time.h"
#include "worker/domain/verdict.h"
#include "worker/fhir/form.h"
#include "worker/submission/rules.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace helsekontakter {

/// When members of an organisation may be submitted. pending: no offering change of it is known
/// that is not concluded; required: and one was accepted once; off: always.
enum class OfferingGate : std::uint8_t { pending, required, off };

/// Everything that decides how the core behaves. Names follow the keys of the operator's file.
struct WorkerSettings {
  struct Batch {
    std::size_t entries_max = 100;      ///< Bundle entries
    std::size_t bytes_max = 1'048'576;  ///< exact bytes of the request body
    Milliseconds age_max{2000};         ///< the oldest change makes a batch eligible
  };
  struct Api {
    std::size_t in_flight_max = 4;
    std::size_t in_flight_per_organization_max = 1;
    double requests_per_second_max = 10;  ///< 0: no limit
    Milliseconds request_timeout{15'000};
    Milliseconds settle_time{30'000};  ///< after an unknown outcome, before a newer change
  };
  struct Retry {
    std::uint32_t attempts_max = 5;
    Milliseconds backoff_first{500};
    Milliseconds backoff_max{60'000};
    Milliseconds park_after{120'000};  ///< what cannot be submitted waits in the ledger then
    Milliseconds exhausted_expiry{std::chrono::hours(24 * 365)};  ///< ParkedChange::failing_for
  };
  struct Brake {
    std::uint32_t rejected_in_row_max = 200;
    double rejected_share_max = 0.5;  ///< of the last 1000 concluded
  };
  /// Without a ledger an inactive member is not tried again, and what was concluded is known only
  /// as long as it is at hand.
  struct Ledger {
    bool enabled = false;
    std::size_t due_at_once_max = 256;  ///< parked changes taken up together, for each partition
  };
  struct Member {
    bool skip_unchanged = true;  ///< the content last accepted is not sent again
    Milliseconds inactive_retry{std::chrono::hours(24)};
    double inactive_retry_factor = 2;
    Milliseconds inactive_retry_max{std::chrono::hours(720)};
    Milliseconds inactive_expiry{std::chrono::hours(24 * 365)};
    bool every_inactive = false;  ///< a result for each round, not for the first alone
  };
  /// Inactive members are asked for before their changes are submitted again; needs the ledger.
  struct DigitalStatusSettings {
    bool enabled = false;
    std::size_t list_max = 1'000;  ///< members in a question
  };
  struct OrganizationSettings {
    bool paused = false;
  };

  Batch batch;
  Api api;
  Retry retry;
  Brake brake;
  Ledger ledger;
  Member member;
  DigitalStatusSettings digital_status;
  OfferingGate gate = OfferingGate::pending;
  bool shares = false;  ///< there is a shared topic: workers and operator tell each other
  std::size_t memory_bytes_max = 268'435'456;
  /// Deliveries of a partition after which its source waits for settlements; 0: it never does.
  std::size_t unsettled_max = 0;
  /// The source delivers again what is unsettled in any order and at any distance: the ledger hears
  /// of a change before the endpoint does, if an older one of its member is unsettled. Needs the
  /// ledger.
  bool foretells = false;
  bool drain = false;                          ///< stop when every partition reached its end
  std::size_t remembered_keys_max = 16'384;    ///< keys whose newest conclusion stays in memory
  std::size_t metadata_characters_max = 4096;  ///< of a committed offset, the broker's limit
  BundleForm form;
  OutcomeRules rules;
  std::unordered_map<OrganizationNumber, OrganizationSettings> organizations;
};

}  // namespace helsekontakter
