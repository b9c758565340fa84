#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace helsekontakter::simulator {

/// Where the simulator says what was wrong with a request: one line each, without identity
/// numbers (the services scrub what they quote). Called on the server's only thread.
using Log = std::function<void(std::string_view line)>;

}  // namespace helsekontakter::simulator
