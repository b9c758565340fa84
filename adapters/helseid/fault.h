#pragma once

#include "worker/domain/time.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace helsekontakter::helseid {

/// Whose fault it is that there is no token: it decides who is held (contract/helseid 7).
enum class Blame : std::uint8_t {
  helseid,       ///< unreachable, overloaded, not understood: try again
  client,        ///< key, client id, token mode or clock: a person must mend something
  issuer,        ///< metadata that we must not follow: likewise, for every client
  organization,  ///< scope, terms, delegation or organisation number: likewise, for this one only
  stopped,       ///< we are shutting down
};

struct Fault {
  Blame blame = Blame::helseid;
  std::string code;  ///< OAuth error code, or our own word
  std::string text;  ///< what, which peer, what to try; nothing secret
  std::optional<Milliseconds> retry_after;
};

/// What a peer said, made safe for a log: at most `length_max` characters of printable ASCII, long
/// unbroken words (it may echo a token or an assertion) and 11-digit numbers replaced.
[[nodiscard]] std::string presentable(std::string_view text, std::size_t length_max = 256);

}  // namespace helsekontakter::helseid
