#pragma once

#include "worker/domain/organization_number.h"
#include "worker/domain/time.h"
#include "worker/retry/hold.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

namespace helsekontakter {

/// Tells a fault of one batch from a fault of the endpoint, and holds submissions for the latter.
class EndpointHealth {
 public:
  static constexpr std::uint32_t failures_in_row_max = 3;
  static constexpr std::uint32_t unreadable_in_row_max = 3;
  static constexpr std::size_t refusing_organizations_max = 3;
  static constexpr Milliseconds refusing_window{60'000};

  [[nodiscard]] bool admits(TimePoint now) const {
    return now >= pause_until_ && hold_.admits(now);
  }
  [[nodiscard]] bool held() const { return hold_.held(); }
  /// A probe is under way: only its end opens the endpoint.
  [[nodiscard]] bool awaits_probe_end() const { return hold_.held() && !hold_.awaits_probe_time(); }
  /// The earliest time at which admits() may turn true by itself.
  [[nodiscard]] TimePoint opens_at() const {
    return hold_.awaits_probe_time() ? std::max(pause_until_, hold_.probe_at()) : pause_until_;
  }
  /// Requests answered so far; lets a batch see whether others succeed while it fails.
  [[nodiscard]] std::uint64_t successes() const { return successes_; }

  /// Returns true when this ended the hold, which only a probe does: what was in flight when the
  /// hold began may succeed and says nothing of what was found since.
  bool succeeded(bool probe) {
    failures_in_row_ = unreadable_in_row_ = 0;
    refusing_.clear();
    return answered(probe);
  }
  /// The endpoint refused one request for what is in it: it is alive.
  bool alive(bool probe) {
    failures_in_row_ = 0;
    return answered(probe);
  }
  /// A 5xx or an unknown outcome while nothing else succeeded. Returns true when a hold begins.
  bool failed(TimePoint now, const Backoff& backoff, Random& random) {
    if (!hold_.held() && ++failures_in_row_ < failures_in_row_max) return false;
    return hold_.begin(now, backoff, random);
  }
  bool unreadable(TimePoint now, const Backoff& backoff, Random& random) {
    if (!hold_.held() && ++unreadable_in_row_ < unreadable_in_row_max) return false;
    return hold_.begin(now, backoff, random);
  }
  /// Nothing could be sent at all.
  bool unreachable(TimePoint now, const Backoff& backoff, Random& random) {
    return hold_.begin(now, backoff, random);
  }
  /// An organisation was refused (401, 403). True when so many were that it is the endpoint's.
  bool refused(OrganizationNumber organization, TimePoint now, const Backoff& backoff,
               Random& random) {
    std::erase_if(refusing_, [&](const auto& entry) {
      return entry.second + refusing_window < now || entry.first == organization;
    });
    refusing_.emplace_back(organization, now);
    if (!hold_.held() && refusing_.size() < refusing_organizations_max) return false;
    return hold_.begin(now, backoff, random);
  }
  /// 429 or Retry-After: nothing goes out before.
  void pause(TimePoint until) { pause_until_ = std::max(pause_until_, until); }

  void end_pause() { pause_until_ = {}; }
  [[nodiscard]] bool paused(TimePoint now) const { return now < pause_until_; }

  /// An operator's hold; no probe ends it. True when it begins.
  bool hold_by_operator() { return hold_.begin_lasting(Lasting::by_operator); }
  /// True when nothing holds the endpoint any more.
  bool resume_by_operator() { return hold_.end_lasting(Lasting::by_operator); }
  void probe_now(TimePoint now) { hold_.probe_now(now); }

  void probe_started() { hold_.probe_started(); }
  void probe_ended() { hold_.probe_ended(); }

 private:
  bool answered(bool probe) {
    ++successes_;
    return (probe || !hold_.held()) && hold_.succeed();
  }

  Hold hold_;
  TimePoint pause_until_{};
  std::uint64_t successes_ = 0;
  std::uint32_t failures_in_row_ = 0;
  std::uint32_t unreadable_in_row_ = 0;
  std::deque<std::pair<OrganizationNumber, TimePoint>> refusing_;
};

}  // namespace helsekontakter
