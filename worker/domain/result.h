#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace helsekontakter {

/// What the caller can do about an operating error.
enum class Remedy {
  retry,   ///< the same call may succeed later; wait with backoff
  reject,  ///< this input can never succeed; set it aside with a reason, go on with the others
  stop,    ///< the component cannot go on; a person must mend something
};

/// An operating error. The message is one sentence for a person: what, which option or peer, what
/// to try. It never contains a secret or a national identity number. Code switches on the remedy.
struct Error {
  Remedy remedy = Remedy::retry;
  std::string message;
};

/// Every function that returns one is [[nodiscard]].
template <class T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> fail(Remedy remedy, std::string message) {
  return tl::unexpected<Error>(Error{remedy, std::move(message)});
}

}  // namespace helsekontakter
