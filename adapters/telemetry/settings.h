#pragma once

#include <cstdint>

namespace helsekontakter::telemetry {

enum class Level : std::uint8_t { debug, info, warn, error };
enum class Format : std::uint8_t { json, text };

/// log.*
struct LogSettings {
  Level level = Level::info;
  Format format = Format::json;
};

}  // namespace helsekontakter::telemetry
