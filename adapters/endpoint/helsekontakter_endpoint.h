#pragma once

#include "adapters/endpoint/observer.h"
#include "adapters/endpoint/settings.h"
#include "adapters/helseid/token_source.h"
#include "adapters/https/http.h"
#include "worker/domain/bytes.h"
#include "worker/ports/commands.h"
#include "worker/ports/inputs.h"

#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace helsekontakter::endpoint {

/// What the endpoint asks the outside; every function may be called from any thread.
struct Surroundings {
  /// Are all of these partitions still ours? Asked right before the first byte of each request.
  std::function<bool(const std::vector<std::pair<Partition, Epoch>>&)> still_ours;
  /// Takes an outcome: the inbox.
  std::function<void(Outcome)> deliver;
  std::function<WallTime()> wall;     ///< the civil clock
  std::function<TimePoint()> steady;  ///< for latencies
  std::function<Uuid()> fresh_uuid;   ///< for headers
  Observer observer;
};

/// The real clocks and random UUIDs; `deliver` and `still_ours` stay empty.
[[nodiscard]] Surroundings real_surroundings();

/// The endpoint port: turns each Submit into one Outcome, exactly once. Any thread may submit; the
/// outcome comes on the HTTP client's thread, or on the caller's. A body is sent exactly as given.
///
/// It never resends what may have been executed. The one repetition: after 401 or 403 the token is
/// dropped and the same body sent once more with a fresh one (contract/helseid 7); the second
/// refusal is reported.
///
/// Stop the client and the token source before this is destroyed.
class HelsekontakterEndpoint {
 public:
  /// `tokens` is null where auth.none is set.
  HelsekontakterEndpoint(EndpointSettings settings, https::Client& client,
                         helseid::TokenSource* tokens, Surroundings surroundings);

  void submit(Submit submit);

 private:
  struct Submission;
  using Shared = std::shared_ptr<Submission>;

  void authorize(Shared submission);
  void send(Shared submission, helseid::Authorization authorization);
  [[nodiscard]] https::Request request_for(const Shared& submission) const;
  void on_answer(const Shared& submission, const https::Response& response);
  void on_failure(const Shared& submission, const https::Failure& failure);
  void conclude(Submission& submission, SubmissionOutcome outcome,
                std::optional<WallTime> submitted_at);
  void observe(const Submission& submission, int status,
               std::optional<NotSentCause> not_sent = std::nullopt) const;

  const EndpointSettings settings_;
  https::Client& client_;
  helseid::TokenSource* const tokens_;
  const Surroundings around_;
};

}  // namespace helsekontakter::endpoint
