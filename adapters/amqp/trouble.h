#pragma once

#include "worker/domain/result.h"

#include <string>

namespace proton {
class error_condition;
}

namespace helsekontakter::amqp {

/// Where an error came from: the same name means another thing on another level.
enum class Level { connection, session, receiver, sender };

/// What the peer said, and what to do about it. `subject` is the address of a link, else the
/// broker's host and port.
[[nodiscard]] Error explain(Level level, const std::string& subject,
                            const proton::error_condition& condition);

}  // namespace helsekontakter::amqp
