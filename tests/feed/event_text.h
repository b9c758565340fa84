#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

// Change events as a sender writes them: structured CloudEvents.

namespace helsekontakter::feed {

struct MembershipEvent {
  std::string_view id;
  std::string_view subject;
  std::string_view organization;
  std::string_view member;
  std::int32_t version = 0;  ///< also the period's length in days: the simulator reads it there
};

struct OfferingEvent {
  std::string_view id;
  std::string_view service;
  std::string_view organization;
  std::int32_t version = 0;
};

/// Writes events whose periods begin on the day of `now`, so that none is over.
class EventText {
 public:
  explicit EventText(std::chrono::system_clock::time_point now);

  /// About 350 bytes. `out` is replaced.
  void write(const MembershipEvent& event, std::string& out) const;
  void write(const OfferingEvent& event, std::string& out) const;

 private:
  void write_head(std::string_view id, std::string_view type, std::string_view subject,
                  std::string& out) const;

  std::chrono::sys_days start_;
  std::string time_;
};

}  // namespace helsekontakter::feed
