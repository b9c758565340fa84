#pragma once

#include "tests/integration/amqp/broker.h"

#include <cstddef>
#include <string>

namespace helsekontakter::amqp::test {

/// The least that a program between two queues can do: receive, send a message of the same size on,
/// accept when the broker has accepted that. False when it does not get through within ten minutes.
[[nodiscard]] bool relay(const Broker& broker, const std::string& from, const std::string& to,
                         std::size_t count);

}  // namespace helsekontakter::amqp::test
