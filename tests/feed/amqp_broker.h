#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The parts of Qpid Proton that a feed and a judge need. Throws std::runtime_error: these are
// programs for tests, and whatever goes wrong ends them.

namespace helsekontakter::feed {

struct Queue {
  std::string url;   ///< amqp://host:port
  std::string user;  ///< empty: ANONYMOUS
  std::string password;
};

/// One message: where it goes among the addresses, its subject and its body. With attributes it is
/// a CloudEvent in binary mode.
struct Letter {
  std::size_t address = 0;
  std::string subject;
  std::string body;
  std::vector<std::pair<std::string, std::string>> attributes;
};

/// Sends what `next` gives until it gives nothing, durable and confirmed, in order for each
/// address. Returns how many the broker accepted.
[[nodiscard]] std::uint64_t send_all(const Queue& queue, const std::vector<std::string>& addresses,
                                     const std::function<bool(Letter&)>& next);

/// Takes messages as they come and accepts them once `each` has returned; false ends. A CloudEvent
/// in binary mode is given as the JSON text that it would be in structured mode. When the broker
/// goes away it is asked again, until the deadline.
void receive_all(const Queue& queue, const std::string& address,
                 std::chrono::steady_clock::time_point deadline,
                 const std::function<bool(std::string_view body)>& each);

}  // namespace helsekontakter::feed
