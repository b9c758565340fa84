#pragma once

#include "adapters/telemetry/metric_table.h"
#include "worker/domain/delivery.h"
#include "worker/domain/organization_number.h"
#include "worker/domain/time.h"
#include "worker/domain/verdict.h"
#include "worker/ports/digital_status.h"
#include "worker/submission/outcome.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace helsekontakter::telemetry {

enum class EventKind : std::uint8_t { member, offering, finding, tombstone };
enum class RequestOutcome : std::uint8_t { answered, refused, unreadable, not_sent, unknown };
enum class AssignmentChange : std::uint8_t { assigned, revoked, lost };
enum class Peer : std::uint8_t { endpoint, issuer };

[[nodiscard]] RequestOutcome outcome_of(const SubmissionOutcome& outcome);
[[nodiscard]] EventKind kind_of(const Delivery& delivery);

/// What this worker is judged by; names and meanings in metric_table(). Any thread may call.
/// Counts are added per batch or turn, not per event: each call costs a look-up under a lock.
/// Labels come from enumerations, HTTP statuses, partitions and, for holds only, organisation
/// numbers, so the number of series is bounded. Nothing of a person can be given to it.
class Metrics {
 public:
  Metrics(std::string_view version, WallTime process_start, std::size_t memory_bytes_max);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // Reading
  void events_consumed(EventKind kind, std::size_t count);
  void event_bytes_consumed(std::size_t bytes);
  void unknown_fields(std::uint64_t count);
  void results(Verdict verdict, Reason reason, std::size_t count);
  void dead_letters(std::size_t count);

  // Submitting
  void submission(Lane lane, RequestOutcome outcome);  ///< an unknown one counts as such, too
  void request(Lane lane, std::size_t entries, std::size_t body_bytes, int http_status,
               std::optional<Milliseconds> latency);  ///< http_status 0: no answer
  void retries(Lane lane, std::size_t changes);
  void batch_halved();
  void requests_in_flight(std::size_t count);

  // Asking who has become active
  void status_question(std::optional<StatusFailure::Kind> failure);
  void status_members(DigitalStatus status, std::size_t count);

  // Waiting
  void waiting(std::size_t changes, std::size_t bytes);
  void oldest_unconcluded(Milliseconds age);
  void endpoint_held(bool held);
  void source_braked(bool braked);
  void redelivered();
  void unsettled(std::size_t deliveries);
  void organization_held(OrganizationNumber organization, bool held);
  void brake_pulled();
  void organizations_gated(std::size_t count);
  void partitions_full(std::size_t count);
  void partitions_held(std::size_t count);

  // Remembering
  void ledger(std::size_t members, std::size_t parked, std::size_t bytes);
  void ledger_restored(Milliseconds took);
  void partitions_restoring(std::size_t count);

  // HelseID and clocks
  void token_fetched(Milliseconds took, Milliseconds life, WallTime now);
  void token_failed(NotSentCause cause);
  void clock_skew(Peer peer, Milliseconds skew);

  // Kafka
  void recorded(bool durable, Milliseconds took);
  void rebalanced(AssignmentChange change);
  void partitions_owned(std::size_t count);
  void lag(Partition partition, std::int64_t unread, std::int64_t unconcluded);
  void forget_lag(Partition partition);  ///< no longer ours: its series end

  /// Prometheus' text format, 0.0.4.
  [[nodiscard]] std::string expose() const;

 private:
  void create_status_series();
  void create_gauges();

  class Families;
  std::unique_ptr<Families> families_;
};

}  // namespace helsekontakter::telemetry
