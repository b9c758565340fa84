#pragma once

#include "adapters/config/configuration.h"
#include "adapters/crypto/keyed_hash.h"
#include "adapters/kafka/topic_log.h"
#include "adapters/ledger/record_format.h"
#include "adapters/sqlite/sqlite_ledger.h"
#include "worker/domain/result.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <iosfwd>
#include <stop_token>
#include <string>
#include <thread>

// What all tools need of the process, the configuration and Kafka.

namespace helsekontakter::tools {

/// Exit statuses (design 14).
inline constexpr int well = 0;
inline constexpr int fault = 1;
inline constexpr int wrong_usage = 2;
inline constexpr int gaps_found = 3;

/// How long a broker may take to say what a topic is like.
inline constexpr Milliseconds describe_within{10'000};

/// Where a tool writes: what was asked for to `out`, progress and errors to `err`.
struct Streams {
  std::ostream& out;
  std::ostream& err;
};

/// Says it and returns the exit status that its remedy stands for.
int tell(const Streams& streams, const Error& error);
/// Says it and returns wrong_usage.
int refuse(const Streams& streams, const std::string& why);

[[nodiscard]] Result<crypto::KeyedHash> keyed_hash(const config::Configuration& configuration);
[[nodiscard]] Result<std::string> password_of(const config::Configuration& configuration,
                                              const kafka::Connection& connection);
/// Librdkafka's errors go to standard error.
[[nodiscard]] kafka::Observer observer();

/// The topics that a deployment on Kafka has.
[[nodiscard]] Result<kafka::TopicLog> open_input(const config::Configuration& configuration);
[[nodiscard]] Result<kafka::TopicLog> open_results(const config::Configuration& configuration);
[[nodiscard]] bool has_kafka_ledger(const config::Configuration& configuration);
[[nodiscard]] Result<kafka::TopicLog> open_ledger(const config::Configuration& configuration);
/// `partitions`: of the input, which the ledger was made for.
[[nodiscard]] Result<ledger::RecordFormat> ledger_format(const config::Configuration& configuration,
                                                         std::int32_t partitions);

/// The ledger's file, which must be there. It is its worker's alone: refused while that one runs.
[[nodiscard]] Result<sqlite::SqliteLedger> open_ledger_file(
    const config::Configuration& configuration);

/// The organisation of --organization: one that the configuration lists. Remedy: stop.
[[nodiscard]] Result<OrganizationNumber> listed_organization(
    const config::Configuration& configuration, const std::string& text);

/// SIGINT and SIGTERM ask to stop; the second one ends the process. Made before other threads.
class StopOnSignal {
 public:
  StopOnSignal();
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;

  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  void wait();

  sigset_t set_{};
  std::stop_source source_;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

/// A line that shows how far something is, on a terminal; elsewhere nothing. Ends its line.
class ProgressBar {
 public:
  ProgressBar(std::string what, std::uint64_t total);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void add(std::uint64_t count = 1);

 private:
  void show();

  std::string what_;
  std::uint64_t total_;
  std::uint64_t done_ = 0;
  std::chrono::steady_clock::time_point next_;
  bool visible_;
};

/// Records in stretches.
[[nodiscard]] std::uint64_t count_of(const kafka::Stretches& stretches);

/// "1 change", "2 changes".
[[nodiscard]] std::string counted(std::uint64_t count, const std::string& one);
/// How long something takes, for a person: "2 h 5 min", "40 s".
[[nodiscard]] std::string duration_text(double seconds);

}  // namespace helsekontakter::tools
