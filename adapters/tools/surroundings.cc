#include "adapters/tools/surroundings.h"

#include "adapters/config/secrets.h"
#include "adapters/crypto/secret_file.h"
#include "adapters/ledger/identity.h"
#include "adapters/ledger/sealing_keys.h"
#include "worker/domain/national_id.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <mutex>

#include <unistd.h>

namespace helsekontakter::tools {
namespace {

constexpr auto between_shows = std::chrono::milliseconds(200);
constexpr int level_error = 3;
/// A consumer needs the name of some group, also where the source is not Kafka; none is joined.
constexpr const char* no_group = "helsekontakter-tools";

Result<kafka::TopicLog> open_topic(const config::Configuration& configuration,
                                   const kafka::Connection& connection, const std::string& topic) {
  auto password = password_of(configuration, connection);
  if (!password) return tl::unexpected(password.error());
  return kafka::TopicLog::open(
      {.connection = connection,
       .password = std::move(*password),
       .topic = topic,
       .group = configuration.source.group.empty() ? no_group : configuration.source.group},
      observer());
}

}  // namespace

int tell(const Streams& streams, const Error& error) {
  streams.err << scrub_national_ids(error.message) << "\n";
  return error.remedy == Remedy::retry ? fault : wrong_usage;
}

int refuse(const Streams& streams, const std::string& why) {
  return tell(streams, Error{Remedy::stop, why});
}

Result<crypto::KeyedHash> keyed_hash(const config::Configuration& configuration) {
  const auto key = config::read_hmac_key(configuration);
  if (!key) return tl::unexpected(key.error());
  return crypto::KeyedHash(*key);
}

Result<std::string> password_of(const config::Configuration& configuration,
                                const kafka::Connection& connection) {
  return crypto::read_password(connection.password_file, configuration.mode_check);
}

kafka::Observer observer() {
  kafka::Observer observer;
  observer.log = [](int level, std::string_view line) {
    static std::mutex mutex;
    if (level > level_error) return;
    const std::lock_guard lock(mutex);
    std::cerr << "kafka: " << line << "\n";
  };
  return observer;
}

Result<kafka::TopicLog> open_input(const config::Configuration& configuration) {
  return open_topic(configuration, configuration.source.connection, configuration.source.topic);
}

Result<kafka::TopicLog> open_results(const config::Configuration& configuration) {
  return open_topic(configuration, configuration.record.connection, configuration.record.topic);
}

bool has_kafka_ledger(const config::Configuration& configuration) {
  return !configuration.ledger.is_sqlite && !configuration.ledger.kafka_topic.empty();
}

Result<kafka::TopicLog> open_ledger(const config::Configuration& configuration) {
  return open_topic(configuration, configuration.source.connection,
                    configuration.ledger.kafka_topic);
}

Result<ledger::RecordFormat> ledger_format(const config::Configuration& configuration,
                                           std::int32_t partitions) {
  const auto hash = keyed_hash(configuration);
  if (!hash) return tl::unexpected(hash.error());
  auto keys = ledger::SealingKeys::read(configuration.ledger.sealing_key_files,
                                        configuration.mode_check, {});
  if (!keys) return tl::unexpected(keys.error());
  const ledger::Identity identity{.fingerprint = ledger::fingerprint_of(*hash),
                                  .partitions = static_cast<std::uint32_t>(partitions)};
  return ledger::RecordFormat(identity, std::move(*keys), configuration.decoder.form);
}

Result<sqlite::SqliteLedger> open_ledger_file(const config::Configuration& configuration) {
  const std::string& path = configuration.ledger.sqlite_path;
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return fail(Remedy::stop,
                "ledger.sqlite.path: " + path + " is not there; name the worker's file");
  }
  auto format = ledger_format(configuration, 1);
  if (!format) return tl::unexpected(format.error());
  return sqlite::SqliteLedger::open(path, std::move(*format));
}

Result<OrganizationNumber> listed_organization(const config::Configuration& configuration,
                                               const std::string& text) {
  const auto number = OrganizationNumber::parse(text);
  if (!number) {
    return fail(Remedy::stop,
                "--organization: not an organisation number: nine digits with a right check digit");
  }
  if (!configuration.worker.organizations.contains(*number)) {
    return fail(Remedy::stop, "--organization " + number->digits() +
                                  ": not listed in `organizations` of the configuration");
  }
  return *number;
}

StopOnSignal::StopOnSignal() {
  sigemptyset(&set_);
  sigaddset(&set_, SIGTERM);
  sigaddset(&set_, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  thread_ = std::thread([this] { wait(); });
}

StopOnSignal::~StopOnSignal() {
  ended_ = true;
  thread_.join();
}

void StopOnSignal::wait() {
  const timespec tenth{.tv_sec = 0, .tv_nsec = 100'000'000};
  for (int seen = 0; !ended_;) {
    if (sigtimedwait(&set_, nullptr, &tenth) < 0) continue;
    if (++seen > 1) _exit(fault);
    source_.request_stop();
  }
}

ProgressBar::ProgressBar(std::string what, std::uint64_t total)
    : what_(std::move(what)), total_(total), visible_(::isatty(STDERR_FILENO) == 1 && total > 0) {}

ProgressBar::~ProgressBar() {
  if (!visible_) return;
  show();
  std::cerr << "\n";
}

void ProgressBar::add(std::uint64_t count) {
  done_ += count;
  if (!visible_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + between_shows;
  show();
}

void ProgressBar::show() {
  constexpr std::uint64_t width = 40;
  const std::uint64_t filled = std::min(done_ * width / total_, width);
  std::cerr << "\r" << what_ << " [" << std::string(filled, '#') << std::string(width - filled, ' ')
            << "] " << done_ << " of " << total_ << std::flush;
}

std::uint64_t count_of(const kafka::Stretches& stretches) {
  std::uint64_t count = 0;
  for (const auto& [partition, stretch] : stretches) {
    if (stretch.to > stretch.from) count += static_cast<std::uint64_t>(stretch.to - stretch.from);
  }
  return count;
}

std::string counted(std::uint64_t count, const std::string& one) {
  return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<long long>(std::ceil(seconds));
  if (whole < 60) return std::to_string(whole) + " s";
  if (whole < 3600) {
    return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
  }
  return std::to_string(whole / 3600) + " h " + std::to_string(whole % 3600 / 60) + " min";
}

}  // namespace helsekontakter::tools
