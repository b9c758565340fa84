#pragma once

#include "adapters/helseid/breaker.h"
#include "adapters/helseid/exchange.h"
#include "adapters/helseid/settings.h"
#include "adapters/helseid/token_source.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace helsekontakter::helseid {

/// A token in the cache.
struct Token {
  std::string value;
  KeyFile::Key key;  ///< the key that signed the assertion, and the proofs of a bound token
  TimePoint ends;
  Milliseconds life{0};    ///< whole, from the asking to the end
  Milliseconds margin{0};  ///< renewed this long before its end

  /// True when it is to be used for a call of this length: it outlives the call and the margin.
  /// Where no token lives that long, the first half of its life must do.
  [[nodiscard]] bool good(TimePoint now, Milliseconds needed_life) const;
};

/// margin = min(expiry_margin_max, expiry_margin_percent of the life), at least 2 s.
[[nodiscard]] Token make_token(FreshToken fresh, const Settings& settings);

/// A caller whose token is on its way.
struct Waiter {
  OrganizationNumber organization;
  std::string method;
  https::Url url;
  Milliseconds needed_life;
  std::function<void(Authorized)> done;
};

/// One of our clients at HelseID and what it is refused for.
struct Client {
  std::shared_ptr<ClientIdentity> identity;
  bool is_shared = true;  ///< false: an organisation's own, whose faults are that organisation's
  Breaker<Fault> breaker;
  KeyFile::Key refused_key;  ///< the key in use when the breaker tripped
};

/// The token of one (client, parent, child).
struct Entry {
  Client& client;
  const Represented named;
  std::shared_ptr<const Token> token;
  bool fetching = false;
  std::vector<Waiter> waiting;
  Breaker<Fault> breaker;
};

/// Which organisation uses which entry: fixed by the settings, so the cache cannot grow. Entries
/// and clients are guarded by their owner's lock.
class TokenCache {
 public:
  TokenCache(const Settings& settings, const Observer& observer);

  /// Nothing for an organisation that is not listed in `organizations`.
  [[nodiscard]] Entry* find(OrganizationNumber organization) const;

  [[nodiscard]] const std::vector<std::unique_ptr<Client>>& clients() const { return clients_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Entry>>& entries() const { return entries_; }

 private:
  Client& client_for(const Settings& settings, const Settings::Organization& organization,
                     const Observer& observer);

  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::map<std::pair<std::string, std::string>, Client*> client_of_;  ///< client id, key file
  std::unordered_map<OrganizationNumber, Entry*> entry_of_;
};

}  // namespace helsekontakter::helseid
