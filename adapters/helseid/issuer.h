#pragma once

#include "adapters/helseid/fault.h"
#include "adapters/helseid/observer.h"
#include "adapters/helseid/server_clock.h"
#include "adapters/helseid/settings.h"
#include "adapters/helseid/surroundings.h"
#include "adapters/https/http.h"

#include <atomic>
#include <functional>
#include <utility>

namespace helsekontakter::helseid {

/// What every request to HelseID shares. Kept alive by the requests under way, so that their
/// answers find it also after the token source is gone; then `stopped` is set and nothing more is
/// sent.
struct Issuer {
  Issuer(Settings settings_, https::Client& client_, Surroundings surroundings_, Observer observer_)
      : settings(std::move(settings_)),
        client(client_),
        surroundings(std::move(surroundings_)),
        observer(std::move(observer_)),
        clock(settings.clock_correction) {}

  /// Sends, and learns the skew of the clocks from the answer. No whole answer is a fault of
  /// HelseID's side, or of ours when we are stopping.
  void send(https::Request request, std::function<void(tl::expected<https::Response, Fault>)> done);

  [[nodiscard]] WallTime corrected_time() const { return clock.corrected(surroundings.wall()); }

  const Settings settings;
  https::Client& client;
  const Surroundings surroundings;
  const Observer observer;
  ServerClock clock;
  std::atomic<bool> stopped{false};
};

/// Answer to whoever still waits when the worker stops.
[[nodiscard]] Fault stopping();

}  // namespace helsekontakter::helseid
