#pragma once

#include "worker/domain/organization_number.h"
#include "worker/domain/time.h"
#include "worker/domain/verdict.h"
#include "worker/submission/outcome.h"

#include <cstddef>
#include <functional>
#include <optional>

namespace helsekontakter::endpoint {

/// One request, concluded; a repetition after 401 or 403 is a request of its own.
struct RequestFacts {
  Lane lane = Lane::members;
  OrganizationNumber organization;
  std::size_t entries = 0;
  std::size_t body_bytes = 0;
  int status = 0;                       ///< 0: no answer
  std::optional<Milliseconds> latency;  ///< first byte written to answer read; if written
  std::optional<NotSentCause> not_sent = std::nullopt;  ///< nothing was written
};

/// For telemetry; every hook may be empty. Called on the HTTP client's thread, or the thread that
/// called submit() where no token could be had at once.
struct Observer {
  std::function<void(const RequestFacts&)> request_done;
  /// No request was made because no token was to be had.
  std::function<void(OrganizationNumber, NotSentCause)> token_failed;
  /// The endpoint refused a token with 401 or 403; a fresh one is tried.
  std::function<void(OrganizationNumber, int status)> token_dropped;
  /// The endpoint's Date header (to the second) and our clock when its answer came.
  std::function<void(WallTime theirs, WallTime ours)> clock_seen;
};

}  // namespace helsekontakter::endpoint
