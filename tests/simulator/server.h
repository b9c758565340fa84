#pragma once

#include "tests/simulator/config.h"
#include "tests/simulator/log.h"
#include "worker/domain/result.h"

#include <memory>
#include <string>

namespace helsekontakter::simulator {

/// Where the parts listen, as URLs; empty when a part is off.
struct Addresses {
  std::string helseid;
  std::string api;
  std::string control;
  std::string plain;

  /// With the file of the CA that signed the certificate, for whoever must trust it.
  [[nodiscard]] std::string json(const std::string& ca_file) const;
};

/// The simulator on its listeners. One thread, that of run(), does everything; every read, write
/// and wait in it has a deadline.
class Server {
 public:
  /// Reads keys and certificates and binds every listener.
  [[nodiscard]] static Result<std::unique_ptr<Server>> create(Config config, Log log);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] const Addresses& addresses() const;

  /// Serves until stop(), or until SIGTERM or SIGINT when `on_signals`. Then flushes the journal.
  void run(bool on_signals);
  void stop();  ///< any thread

 private:
  class Loop;
  explicit Server(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

}  // namespace helsekontakter::simulator
