#pragma once

#include "adapters/amqp/recorder.h"
#include "adapters/amqp/settings.h"
#include "worker/ports/commands.h"

#include <string>

#include <proton/message.hpp>

namespace helsekontakter::amqp {

/// A result event as a durable message: the text as Data, the key of its change event as group-id.
/// In binary mode the attributes are properties with the binding's prefix, `cloudEvents:`.
[[nodiscard]] proton::message result_message(const Conclusion& conclusion, const ResultText& text,
                                             EventMode mode, const std::string& address,
                                             WallTime now);

/// A copy of the event: its body byte for byte, its key, content type and properties (as text), and
/// why. An event too large to be kept becomes a reference to where it stood.
[[nodiscard]] proton::message dead_letter(const Conclusion& conclusion, const std::string& address,
                                          const std::string& origin, WallTime now);

}  // namespace helsekontakter::amqp
