#pragma once

#include "worker/domain/delivery.h"
#include "worker/domain/organization_number.h"
#include "worker/domain/time.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// The digital status port: which members are digitally active, asked before a change of a member
// who was not is submitted once more (contract/medlemstjenester 10).

namespace helsekontakter {

enum class StatusId : std::uint64_t {};

/// What the status API says of one member. `unknown`: its answer does not speak of it.
enum class DigitalStatus : std::uint8_t { unknown, active, inactive };

/// Command, answered by StatusAnswer, exactly once: are these members active? At most
/// digital_status.list_max of them, and one question at a time for each organisation.
struct AskStatus {
  StatusId id{};
  OrganizationNumber organization;       ///< whose token is used
  std::vector<std::string> identifiers;  ///< members' numbers; in the body only, never printed
  std::vector<std::pair<Partition, Epoch>> under;  ///< checked right before the first byte
};

/// No answer that says anything of a member. Never a verdict: it is asked again later.
struct StatusFailure {
  enum class Kind : std::uint8_t {
    not_sent,      ///< no token or no connection
    withheld,      ///< a partition was lost, or the worker stops
    refused,       ///< 401, 403, 429 and whatever else is not about the list
    refused_list,  ///< 400, 413 or 422: one number in it may be the reason
    unreadable,    ///< a 2xx that cannot be read
    unknown,       ///< no whole answer came
  };
  Kind kind = Kind::not_sent;
  std::string text;  ///< what, and what to try; without a number
  std::optional<Milliseconds> retry_after;
};

/// Input.
struct StatusAnswer {
  StatusId id{};
  std::vector<DigitalStatus> statuses;   ///< one for each identifier, in their order
  std::optional<StatusFailure> failure;  ///< or why there are none
};

}  // namespace helsekontakter
