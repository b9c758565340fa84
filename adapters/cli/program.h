#pragma once

#include "adapters/cli/parts.h"
#include "adapters/cli/run.h"
#include "adapters/cli/shared_link.h"
#include "adapters/crypto/keyed_hash.h"
#include "adapters/endpoint/helsekontakter_endpoint.h"
#include "adapters/endpoint/status_inquiry.h"
#include "adapters/helseid/helseid_token_source.h"
#include "adapters/https/pooled_client.h"
#include "adapters/inbox/inbox.h"
#include "adapters/ledger/ledger_host.h"
#include "adapters/operations/operations_server.h"
#include "adapters/telemetry/log.h"
#include "adapters/telemetry/metrics.h"
#include "worker/worker.h"

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <set>
#include <vector>

namespace helsekontakter::cli {

/// Everything of one process, wired: source → inbox → core → endpoint and recorder → inbox. The
/// thread that calls work() is the core's; every adapter brings its own. The parts are destroyed
/// in the opposite order of their declaration, so that whoever is called outlives who calls.
class Program {
 public:
  Program(const config::Configuration& configuration, const RunOptions& options);

  /// Makes and starts the parts. Every fault is logged. Anything but 0 is the exit status:
  /// nothing is running.
  [[nodiscard]] int start();

  /// Drives the core until it has finished, or until the time for that is over. Returns the exit
  /// status.
  [[nodiscard]] int work();

  /// Any thread: finish what is in flight and let go.
  void request_stop();

 private:
  [[nodiscard]] bool start_submitting();
  [[nodiscard]] bool start_asking();
  [[nodiscard]] std::unique_ptr<helseid::HelseIdTokenSource> make_tokens(
      const helseid::Settings& settings);
  [[nodiscard]] bool start_reading();
  [[nodiscard]] bool start_operations();
  [[nodiscard]] Result<Parts> make_parts();
  void make_ledger_host();
  [[nodiscard]] Decode make_decode(const crypto::KeyedHash& hash);
  [[nodiscard]] kafka::Observer observe_kafka();
  [[nodiscard]] ledger::LedgerHost::Observer observe_ledger();
  [[nodiscard]] amqp::Observer observe_amqp();
  [[nodiscard]] file::Observer observe_files();
  [[nodiscard]] helseid::Observer observe_tokens();
  [[nodiscard]] endpoint::Observer observe_endpoint();
  void observe_status(endpoint::StatusSurroundings& around);
  void observe_inputs(const std::vector<Input>& inputs);
  void obey(std::chrono::steady_clock::time_point now, Commands& commands);
  void tell(const Notice& notice);
  void tell(const std::vector<SharedFact>& facts);
  void note(const Record& record);
  void count_results();
  void publish_status(const WorkerStatus& status);
  [[nodiscard]] bool is_live() const;
  bool fault(const Error& error);
  void give_up(const Error& error);
  void stop_parts(bool finished);

  config::Configuration configuration_;
  const RunOptions options_;
  telemetry::Log log_;
  telemetry::Metrics metrics_;
  Inbox inbox_;
  Worker worker_;

  std::atomic<std::int64_t> turned_at_ms_{0};  // steady clock
  std::atomic<bool> joined_{false};
  std::atomic<bool> recovering_{true};
  std::atomic<bool> restoring_{true};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> failed_{false};   ///< beyond what this process can mend
  std::atomic<bool> refused_{false};  ///< the ledger may not be used as it is configured
  std::atomic<std::uint64_t> unknown_fields_{0};
  std::uint64_t unknown_fields_counted_ = 0;
  WorkerStatus status_counted_;  // what counters were told of
  using ResultCounts = std::array<std::array<std::size_t, reasons + 1>, verdicts>;
  ResultCounts recording_{};             // of the record under way
  std::set<Partition> partitions_held_;  // these two: the source's thread
  std::set<Partition> lagging_;
  std::vector<OrganizationNumber> held_;  // as last told to the metrics

  std::unique_ptr<https::PooledClient> client_;
  std::unique_ptr<https::PooledClient> auth_client_;
  std::unique_ptr<helseid::HelseIdTokenSource> tokens_;
  std::unique_ptr<helseid::HelseIdTokenSource> status_tokens_;  // of another scope
  std::unique_ptr<endpoint::HelsekontakterEndpoint> endpoint_;
  std::unique_ptr<endpoint::StatusInquiry> inquiry_;  // where digital_status.enabled
  OpenLedger ledger_;
  Parts parts_;
  std::unique_ptr<ledger::LedgerHost> ledger_host_;
  std::unique_ptr<SharedLink> shared_link_;  ///< with a ledger on Kafka
  std::unique_ptr<operations::OperationsServer> operations_;
};

}  // namespace helsekontakter::cli
