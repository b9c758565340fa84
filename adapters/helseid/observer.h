#pragma once

#include "worker/submission/outcome.h"

#include <functional>
#include <string>

namespace helsekontakter::helseid {

struct TokenFetched {
  Milliseconds took;  ///< from the first request to the token, metadata included
  Milliseconds life;  ///< expires_in
};

struct TokenFailed {
  Milliseconds took;
  NotSentCause cause;
  std::string code;  ///< OAuth error code, or ours: http_503, connect, unreadable_answer, …
};

/// For telemetry; every hook may be empty. Called from any thread, never with a lock held. No text
/// ever holds a token, an assertion, a proof or a key.
struct Observer {
  std::function<void(const TokenFetched&)> fetched;
  std::function<void(const TokenFailed&)> failed;
  std::function<void(const std::string& kid)> key_reloaded;
  std::function<void(Milliseconds)> skew_seen;  ///< HelseID's clock minus ours; 0 within a second
  std::function<void(const std::string&)> warning;
};

}  // namespace helsekontakter::helseid
