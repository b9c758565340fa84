#pragma once

#include "adapters/amqp/settings.h"
#include "adapters/config/error.h"
#include "adapters/endpoint/settings.h"
#include "adapters/file/settings.h"
#include "adapters/helseid/settings.h"
#include "adapters/https/settings.h"
#include "adapters/json/event_decoder.h"
#include "adapters/kafka/settings.h"
#include "adapters/telemetry/settings.h"
#include "worker/domain/time.h"
#include "worker/ports/settings.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace helsekontakter::config {

/// operations.listen
struct ListenAddress {
  std::string host = "0.0.0.0";  ///< an IPv6 address without its brackets
  std::uint16_t port = 8080;     ///< 0: any free one
};

/// What source and results speak to: one of these sections is chosen for each.
enum class Technology : std::uint8_t { kafka, amqp, file };

/// ledger.*, but for its hmac_key_file.
struct LedgerSettings {
  bool is_sqlite = false;  ///< else Kafka; the default beside a source that is not Kafka
  std::string kafka_topic;
  std::string kafka_shared_topic;
  std::string sqlite_path;
  std::vector<std::string> sealing_key_files;  ///< newest first
  std::size_t members_max = 2'000'000;
  std::size_t parked_max = 1'000'000;
};

/// Everything the worker is told, checked as a whole. Holds names of secrets' files, no secrets
/// but those an operator wrote into api.headers, api.proxy or Kafka properties. Plain data.
struct Configuration {
  std::string environment;
  WorkerSettings worker;
  json::DecoderSettings decoder;
  Technology source_technology = Technology::kafka;
  Technology results_technology = Technology::kafka;
  kafka::SourceSettings source;
  amqp::SourceSettings amqp_source;
  amqp::RecordSettings amqp_results;
  file::SourceSettings file_source;
  file::ResultSettings file_results;
  LedgerSettings ledger;
  kafka::RecordSettings record;  ///< transactional_id is empty without source.kafka.instance_id
  endpoint::EndpointSettings endpoint;
  endpoint::StatusSettings status;   ///< where worker.digital_status.enabled
  https::ClientSettings https;       ///< towards the endpoint
  https::ClientSettings auth_https;  ///< towards HelseID
  helseid::Settings helseid;
  crypto::ModeCheck mode_check = crypto::ModeCheck::warn;
  std::string hmac_key_file;
  telemetry::LogSettings log;
  ListenAddress listen;
  Milliseconds shutdown_timeout{25'000};
  std::vector<std::string> warnings;  ///< allowed, but likely not meant; a sentence each
};

using Environment = std::map<std::string, std::string>;
using Loaded = tl::expected<Configuration, std::vector<ConfigurationError>>;

/// Reads the file, puts variables in the place of its values and checks all of it: every error at
/// once. Reads no other file (check_secrets does) and no clock. Throws nothing.
[[nodiscard]] Loaded load(const std::filesystem::path& path, const Environment& environment);

/// The same for a text.
[[nodiscard]] Loaded load_text(std::string_view yaml, const Environment& environment);

/// Variables of this process whose name begins with HELSEKONTAKTER_.
[[nodiscard]] Environment process_environment();

}  // namespace helsekontakter::config
