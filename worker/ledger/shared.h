#pragma once

#include "worker/domain/bytes.h"
#include "worker/domain/delivery.h"
#include "worker/domain/organization_number.h"
#include "worker/domain/time.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// What all workers of a deployment know of each other. Each fact has a subject (an offering, an
// organisation, the endpoint); the newest fact of a subject replaces the one before. They travel
// beside the records, without a transaction: a worker learns of them within a second, in no order
// with anything else, and every one of them may come twice or never.

namespace helsekontakter {

/// Who says it: a number that a worker takes anew at each start, so that it knows its own words
/// when they come back. 0: an operator.
using SharedAuthor = std::uint64_t;

/// The newest change of an offering that some worker has read.
struct SharedOffering {
  MemberKey key;
  OrganizationNumber organization;
  Partition partition{};  ///< whose owner has the say
  std::int64_t version = 0;
  bool concluded = false;  ///< false: members of the organisation may have to wait
  bool accepted = false;   ///< some version of it was accepted once
  SharedAuthor author = 0;
  friend bool operator==(const SharedOffering&, const SharedOffering&) = default;
};

/// A hold that began or ended.
struct SharedHold {
  std::optional<OrganizationNumber> organization;  ///< none: the whole endpoint
  bool by_operator = false;  ///< only an operator ends it; apart from what workers found
  bool held = false;
  WallTime since{};
  std::string why;  ///< one sentence without data of an event; 256 characters at most are kept
  SharedAuthor author = 0;
  friend bool operator==(const SharedHold&, const SharedHold&) = default;
};

/// A brake that was pulled or released.
struct SharedBrake {
  std::optional<OrganizationNumber> organization;  ///< none: the source
  bool pulled = false;
  WallTime since{};
  friend bool operator==(const SharedBrake&, const SharedBrake&) = default;
};

/// The endpoint asked not to be called before then.
struct SharedRetryAfter {
  WallTime until{};
  friend bool operator==(const SharedRetryAfter&, const SharedRetryAfter&) = default;
};

/// An operator wants what waits to be tried now. An event rather than a state: it means something
/// only to workers that run when it is said (SharedNews::live).
struct SharedRetryNow {
  std::optional<OrganizationNumber> organization;  ///< none: all
  WallTime at{};
  friend bool operator==(const SharedRetryNow&, const SharedRetryNow&) = default;
};

using SharedFact =
    std::variant<SharedOffering, SharedHold, SharedBrake, SharedRetryAfter, SharedRetryNow>;

/// Input: facts in the order in which they were written.
struct SharedNews {
  std::vector<SharedFact> facts;
  bool live = false;  ///< written after this worker had read all that was there before
};

}  // namespace helsekontakter
