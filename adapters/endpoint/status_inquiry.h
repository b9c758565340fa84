#pragma once

#include "adapters/endpoint/settings.h"
#include "adapters/helseid/token_source.h"
#include "adapters/https/http.h"
#include "worker/domain/bytes.h"
#include "worker/ports/digital_status.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace helsekontakter::endpoint {

/// One question, answered or not; for telemetry.
struct StatusFacts {
  OrganizationNumber organization;
  std::optional<StatusFailure::Kind> failure;  ///< none: it was answered
  std::size_t active = 0;
  std::size_t inactive = 0;
  std::size_t unknown = 0;  ///< members whom the answer leaves out
};

/// What it asks the outside; every function may be called from any thread.
struct StatusSurroundings {
  /// Are all of these partitions still ours? Asked right before the first byte of each request.
  std::function<bool(const std::vector<std::pair<Partition, Epoch>>&)> still_ours;
  std::function<void(StatusAnswer)> deliver;  ///< the inbox
  std::function<WallTime()> wall;             ///< the civil clock
  std::function<Uuid()> fresh_uuid;           ///< for headers
  std::function<void(const StatusFacts&)> asked = nullptr;
  /// The status API's Date header (to the second) and our clock when its answer came.
  std::function<void(WallTime theirs, WallTime ours)> clock_seen = nullptr;
  /// A token was refused with 401 or 403; a fresh one is tried.
  std::function<void(OrganizationNumber, int status)> token_dropped = nullptr;
};

/// The digital status port: turns each AskStatus into one StatusAnswer, exactly once, by a call of
/// HelsenorgeAktivSjekken. Any thread may ask; the answer comes on the HTTP client's thread, or on
/// the caller's. Members' numbers go into the request's body and nowhere else.
///
/// A question changes nothing, so it may be put twice: after 401 or 403 it is, with a fresh token.
/// Stop the client and the token source before this is destroyed.
class StatusInquiry {
 public:
  /// `tokens` gives out tokens of digital_status.scope; null where auth.none is set.
  StatusInquiry(StatusSettings settings, https::Client& client, helseid::TokenSource* tokens,
                StatusSurroundings surroundings);

  void ask(AskStatus question);

 private:
  struct Inquiry;
  using Shared = std::shared_ptr<Inquiry>;

  void authorize(const Shared& inquiry);
  void send(const Shared& inquiry, helseid::Authorization authorization);
  void on_answer(const Shared& inquiry, const https::Response& response);
  void conclude(Inquiry& inquiry, StatusAnswer answer) const;
  void fail(Inquiry& inquiry, StatusFailure failure) const;

  const StatusSettings settings_;
  https::Client& client_;
  helseid::TokenSource* const tokens_;
  const StatusSurroundings around_;
};

}  // namespace helsekontakter::endpoint
