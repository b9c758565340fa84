#pragma once

#include "adapters/https/http.h"
#include "worker/domain/organization_number.h"
#include "worker/submission/outcome.h"

#include <functional>
#include <string>
#include <vector>

#include <tl/expected.hpp>

namespace helsekontakter::helseid {

/// The headers that authorise one request (Authorization, and DPoP where it applies). Good for one
/// request only: a DPoP proof must not be used twice.
using Authorization = std::vector<https::Header>;

/// A refused or unavailable token is a NotSent: token_unavailable, client_refused or token_refused.
using Authorized = tl::expected<Authorization, NotSent>;

/// Gives out tokens, one cached per organisation. Any thread may call; the callback comes exactly
/// once, on the HTTP client's thread or on the caller's.
class TokenSource {
 public:
  virtual ~TokenSource() = default;

  /// Headers for `method` and `url` on behalf of the organisation, from a token that lives longer
  /// than `needed_life`.
  virtual void authorize(OrganizationNumber organization, const std::string& method,
                         const https::Url& url, Milliseconds needed_life,
                         std::function<void(Authorized)> done) = 0;

  /// The endpoint refused these headers: the token they carry is not given out again.
  virtual void drop(OrganizationNumber organization, const Authorization& refused) = 0;
};

}  // namespace helsekontakter::helseid
