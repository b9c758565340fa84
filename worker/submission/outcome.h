#pragma once

#include "worker/domain/time.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace helsekontakter {

/// What the endpoint said of one entry. Texts are as received, shortened to 256 characters and
/// scrubbed of identity numbers by the reader.
struct EntryAnswer {
  int status = 0;      ///< HTTP status of the entry; 0 where the answer has none
  bool fault = false;  ///< an OperationOutcome issue of severity error or fatal, or "ikkeOk"
  std::string code;
  std::string text;
  std::string event_id;  ///< for support at the endpoint's owner
};

/// The endpoint answered and each entry's part is known, in the order of the batch.
struct Answered {
  int http_status = 200;
  std::vector<EntryAnswer> entries;
};

/// The endpoint refused the request as a whole.
struct Refused {
  int http_status = 0;
  EntryAnswer reason;
  std::optional<Milliseconds> retry_after;
};

/// A 2xx that cannot be parsed, or not be attributed to the entries.
struct Unreadable {
  int http_status = 0;
  std::string shape;  ///< JSON types and member names only, no values
};

/// Why nothing was written to the endpoint.
enum class NotSentCause : std::uint8_t {
  unreachable,        ///< name, connection or proxy failed, or a deadline before the first byte
  tls,                ///< handshake or certificate check failed
  token_unavailable,  ///< HelseID unreachable, 5xx, 429 or unreadable
  client_refused,     ///< HelseID refuses the shared client (invalid_client, wrong token type)
  token_refused,      ///< HelseID refuses this organisation (scope, request, its own client)
  not_ours,           ///< a partition of the batch was lost before the first byte
  stopped,            ///< the worker is shutting down
};

struct NotSent {
  NotSentCause cause = NotSentCause::unreachable;
  std::string text;  ///< what, which peer, what to try
};

/// The request may have been executed: some of it was written and no whole answer came.
struct OutcomeUnknown {
  std::string text;
};

/// What became of one request.
using SubmissionOutcome = std::variant<Answered, Refused, Unreadable, NotSent, OutcomeUnknown>;

}  // namespace helsekontakter
