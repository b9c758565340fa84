#pragma once

#include "tests/simulator/config.h"
#include "tests/simulator/helseid_service.h"
#include "tests/simulator/helsekontakter_service.h"
#include "tests/simulator/http.h"
#include "tests/simulator/journal.h"
#include "tests/simulator/log.h"
#include "tests/simulator/statistics.h"

#include <memory>
#include <string>

namespace helsekontakter::simulator {

/// Everything but the network: both services, their common state and the control requests. Single
/// thread.
class Engine {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Engine>> create(const Config& config, Log log);

  [[nodiscard]] HelseIdService& helseid() { return helseid_; }
  [[nodiscard]] HelsekontakterService& api() { return api_; }
  [[nodiscard]] const Behaviour& behaviour() const { return behaviour_; }
  [[nodiscard]] Statistics& statistics() { return statistics_; }
  [[nodiscard]] const Log& log() const { return log_; }

  /// PUT /control changes the behaviour, GET /control/statistics reads the counters. Flushes the
  /// journal first, so that what it answers is on disk.
  [[nodiscard]] Reply control(const HttpRequest& request);

  void flush();

 private:
  Engine(const Config& config, ClientRegister clients, Journal journal, const std::string& key,
         Log log);

  Behaviour behaviour_;
  Statistics statistics_;
  Dice dice_;
  Grants grants_;
  Journal journal_;
  MemberHash hash_;
  Log log_;
  HelseIdService helseid_;
  HelsekontakterService api_;
};

}  // namespace helsekontakter::simulator
