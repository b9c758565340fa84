#pragma once

#include "worker/domain/time.h"

#include <cstddef>
#include <optional>
#include <string>

namespace helsekontakter::https {

struct ClientSettings {
  std::string section = "api";       ///< where the options stand that errors name: api or auth
  std::string ca_file;               ///< PEM; empty: the system's trust store
  std::optional<std::string> proxy;  ///< "http://host:port": CONNECT; nullopt: none
  std::size_t connections_max = 16;
  Milliseconds idle_max{60'000};  ///< an idle connection is closed after this
};

}  // namespace helsekontakter::https
