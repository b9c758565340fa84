#include "adapters/helseid/token_cache.h"

#include <algorithm>
#include <tuple>

namespace helsekontakter::helseid {
namespace {

constexpr Milliseconds margin_min{2'000};

}  // namespace

bool Token::good(TimePoint now, Milliseconds needed_life) const {
  Milliseconds required = std::max(margin, needed_life);
  if (required >= life) required = std::max(life / 2, std::min(margin_min, life));
  return ends - now > required;
}

Token make_token(FreshToken fresh, const Settings& settings) {
  const Milliseconds life = fresh.granted.life;
  const Milliseconds share = life * settings.expiry_margin_percent / 100;
  return {
      .value = std::move(fresh.granted.access_token),
      .key = std::move(fresh.key),
      .ends = fresh.asked_at + life,
      .life = life,
      .margin = std::max(margin_min, std::min<Milliseconds>(settings.expiry_margin_max, share))};
}

TokenCache::TokenCache(const Settings& settings, const Observer& observer) {
  std::map<std::tuple<Client*, std::string, std::string>, Entry*> known;
  for (const auto& [number, organization] : settings.organizations) {
    Client& client = client_for(settings, organization, observer);
    Represented named = represented(settings, number);
    Entry*& entry = known[{&client, named.parent, named.child}];
    if (entry == nullptr) {
      entries_.push_back(std::make_unique<Entry>(Entry{client, std::move(named), {}, {}, {}, {}}));
      entry = entries_.back().get();
    }
    entry_of_.emplace(number, entry);
  }
}

Client& TokenCache::client_for(const Settings& settings, const Settings::Organization& organization,
                               const Observer& observer) {
  const std::string id = organization.client_id.value_or(settings.client_id);
  const std::string file = organization.jwk_file.value_or(settings.jwk_file);
  Client*& client = client_of_[{id, file}];
  if (client == nullptr) {
    clients_.push_back(std::make_unique<Client>());
    client = clients_.back().get();
    client->identity = std::make_shared<ClientIdentity>(id, file, settings, observer);
    client->is_shared = id == settings.client_id && file == settings.jwk_file;
  }
  return *client;
}

Entry* TokenCache::find(OrganizationNumber organization) const {
  const auto found = entry_of_.find(organization);
  return found == entry_of_.end() ? nullptr : found->second;
}

}  // namespace helsekontakter::helseid
