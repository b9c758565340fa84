#pragma once

#include "adapters/amqp/settings.h"
#include "worker/domain/result.h"

#include <string>
#include <vector>

namespace helsekontakter::amqp {

/// What `check --connect` asks of a broker.
struct Question {
  std::vector<std::string> read;   ///< addresses to attach to as a receiver; nothing is taken
  std::vector<std::string> write;  ///< addresses to attach to as a sender; nothing is sent
};

/// Connects and attaches, once, and lets go. Answers within the connection's time-outs: an error is
/// what the broker said and what to do about it. The first url that is reached counts; a queue that
/// the broker makes when it is asked for is made.
[[nodiscard]] Result<void> probe(const Connection& connection, const std::string& password,
                                 const Question& question);

}  // namespace helsekontakter::amqp
