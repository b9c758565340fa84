#pragma once

#include "adapters/json/event_decoder.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace helsekontakter::json {

/// An event that is to be sent once more: payload and headers. The views of the headers live as
/// long as the raw event and this.
struct ResentEvent {
  std::string payload;
  std::vector<std::pair<std::string_view, std::string_view>> headers;
  std::vector<std::string> texts;  ///< what some of the headers are views of
};

/// The event as it was, with the extensions `resend` (id of the replay) and `resendversion`. In
/// structured mode they are put in front, in binary mode they are headers. Plain JSON becomes a
/// CloudEvent in binary mode, so that the copy keeps the identity and time that its place gave the
/// first. `delivery` is what EventDecoder made of it. Nothing: not a readable change, or it cannot
/// carry them.
[[nodiscard]] std::optional<ResentEvent> make_resent(const RawEvent& raw, const Delivery& delivery,
                                                     std::string_view replay);

}  // namespace helsekontakter::json
