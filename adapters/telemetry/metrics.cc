#include "adapters/telemetry/metrics.h"

#include "worker/domain/ensure.h"

#include <array>
#include <map>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace helsekontakter::telemetry {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;
using Labels = std::map<std::string, std::string>;
using Buckets = Histogram::BucketBoundaries;

// Around the endpoint's goals (3 s, 10 s) and its time limit (15 s).
const Buckets latency_buckets{0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 7.5, 10, 12.5, 15, 30, 60};
const Buckets short_buckets{0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30};
const Buckets entry_buckets{1, 2, 5, 10, 25, 50, 75, 100, 250, 500, 1000};
const Buckets byte_buckets{1024, 4096, 16384, 65536, 131072, 262144, 524288, 1048576, 4194304};

double seconds(Milliseconds duration) {
  return static_cast<double>(duration.count()) / 1000;
}

double real(std::size_t count) {
  return static_cast<double>(count);
}

std::string text(std::string_view view) {
  return std::string(view);
}

std::string_view name(EventKind kind) {
  static constexpr std::array<std::string_view, 4> names{"member", "offering", "finding",
                                                         "tombstone"};
  return names.at(static_cast<std::size_t>(kind));
}

std::string_view name(RequestOutcome outcome) {
  static constexpr std::array<std::string_view, 5> names{"answered", "refused", "unreadable",
                                                         "not_sent", "unknown"};
  return names.at(static_cast<std::size_t>(outcome));
}

std::string_view name(AssignmentChange change) {
  static constexpr std::array<std::string_view, 3> names{"assigned", "revoked", "lost"};
  return names.at(static_cast<std::size_t>(change));
}

std::string_view name(NotSentCause cause) {
  static constexpr std::array<std::string_view, 7> names{
      "unreachable", "tls",    "token_unavailable", "client_refused", "token_refused",
      "not_ours",    "stopped"};
  return names.at(static_cast<std::size_t>(cause));
}

std::string_view name(StatusFailure::Kind kind) {
  static constexpr std::array<std::string_view, 6> names{"not_sent",     "withheld",   "refused",
                                                         "refused_list", "unreadable", "unknown"};
  return names.at(static_cast<std::size_t>(kind));
}

std::string_view name(DigitalStatus status) {
  static constexpr std::array<std::string_view, 3> names{"unknown", "active", "inactive"};
  return names.at(static_cast<std::size_t>(status));
}

const MetricEntry& entry(std::string_view metric, MetricType type) {
  for (const MetricEntry& candidate : metric_table()) {
    if (candidate.name == metric) {
      ensure(candidate.type == type);
      return candidate;
    }
  }
  ensure(false);
  return metric_table().front();
}

}  // namespace

/// The registry and its families, each with name and help from the table.
class Metrics::Families {
 public:
  void add(std::string_view metric, const Labels& labels, double count) {
    counter(metric).Add(labels).Increment(count);
  }

  void set(std::string_view metric, const Labels& labels, double value) {
    gauge(metric).Add(labels).Set(value);
  }

  void observe(std::string_view metric, const Labels& labels, double value,
               const Buckets& buckets) {
    histogram(metric).Add(labels, buckets).Observe(value);
  }

  /// Series exist from the start, so that rates see the first increment.
  void create_histogram(std::string_view metric, const Labels& labels, const Buckets& buckets) {
    histogram(metric).Add(labels, buckets);
  }

  void remove(std::string_view metric, const Labels& labels) {
    prometheus::Family<Gauge>& family = gauge(metric);
    family.Remove(&family.Add(labels));
  }

  [[nodiscard]] std::string expose() const {
    return prometheus::TextSerializer{}.Serialize(registry_.Collect());
  }

 private:
  prometheus::Family<Counter>& counter(std::string_view metric) {
    const MetricEntry& found = entry(metric, MetricType::counter);
    return prometheus::BuildCounter().Name(text(metric)).Help(text(found.help)).Register(registry_);
  }
  prometheus::Family<Gauge>& gauge(std::string_view metric) {
    const MetricEntry& found = entry(metric, MetricType::gauge);
    return prometheus::BuildGauge().Name(text(metric)).Help(text(found.help)).Register(registry_);
  }
  prometheus::Family<Histogram>& histogram(std::string_view metric) {
    const MetricEntry& found = entry(metric, MetricType::histogram);
    return prometheus::BuildHistogram()
        .Name(text(metric))
        .Help(text(found.help))
        .Register(registry_);
  }

  prometheus::Registry registry_{prometheus::Registry::InsertBehavior::Merge};
};

RequestOutcome outcome_of(const SubmissionOutcome& outcome) {
  static_assert(std::variant_size_v<SubmissionOutcome> == 5);
  return static_cast<RequestOutcome>(outcome.index());
}

EventKind kind_of(const Delivery& delivery) {
  if (std::holds_alternative<Tombstone>(delivery.content)) return EventKind::tombstone;
  const auto* change = std::get_if<Change>(&delivery.content);
  if (change == nullptr) return EventKind::finding;
  return change->lane == Lane::members ? EventKind::member : EventKind::offering;
}

Metrics::Metrics(std::string_view version, WallTime process_start, std::size_t memory_bytes_max)
    : families_(std::make_unique<Families>()) {
  families_->set("helsekontakter_build_info", {{"version", text(version)}}, 1);
  families_->set("process_start_time_seconds", {}, seconds(process_start.time_since_epoch()));
  families_->set("helsekontakter_memory_bytes_max", {}, real(memory_bytes_max));
  for (const Lane lane : {Lane::offerings, Lane::members}) {
    const Labels labels{{"lane", text(helsekontakter::name(lane))}};
    for (std::uint8_t i = 0; i < 5; ++i) {
      families_->add("helsekontakter_submissions_total",
                     {{"lane", text(helsekontakter::name(lane))},
                      {"outcome", text(name(static_cast<RequestOutcome>(i)))}},
                     0);
    }
    families_->add("helsekontakter_retries_total", labels, 0);
    families_->add("helsekontakter_outcomes_unknown_total", labels, 0);
    families_->create_histogram("helsekontakter_batch_entries", labels, entry_buckets);
    families_->create_histogram("helsekontakter_batch_body_bytes", labels, byte_buckets);
    families_->create_histogram("helsekontakter_endpoint_latency_seconds", labels, latency_buckets);
  }
  create_status_series();
  for (std::uint8_t i = 0; i < 4; ++i) events_consumed(static_cast<EventKind>(i), 0);
  for (std::uint8_t i = 0; i < 3; ++i) {
    families_->add("helsekontakter_rebalances_total",
                   {{"kind", text(name(static_cast<AssignmentChange>(i)))}}, 0);
  }
  results(Verdict::accepted, Reason::none, 0);
  for (const ReasonEntry& known : reason_table()) results(known.verdict, known.reason, 0);
  for (const NotSentCause cause : {NotSentCause::token_unavailable, NotSentCause::client_refused,
                                   NotSentCause::token_refused}) {
    families_->add("helsekontakter_token_failures_total", {{"cause", text(name(cause))}}, 0);
  }
  families_->create_histogram("helsekontakter_token_fetch_seconds", {}, short_buckets);
  families_->create_histogram("helsekontakter_record_seconds", {}, short_buckets);
  families_->create_histogram("helsekontakter_ledger_restore_seconds", {}, short_buckets);
  for (const MetricEntry& known : metric_table()) {
    if (!known.labels.empty()) continue;
    if (known.type == MetricType::counter) families_->add(known.name, {}, 0);
  }
  create_gauges();
}

/// Those without labels: a figure that is not there cannot be watched.
void Metrics::create_gauges() {
  waiting(0, 0);
  requests_in_flight(0);
  oldest_unconcluded(Milliseconds(0));
  endpoint_held(false);
  source_braked(false);
  unsettled(0);
  organizations_gated(0);
  partitions_full(0);
  partitions_held(0);
  partitions_owned(0);
  partitions_restoring(0);
  ledger(0, 0, 0);
}

void Metrics::create_status_series() {
  for (std::uint8_t i = 0; i < 3; ++i) status_members(static_cast<DigitalStatus>(i), 0);
  families_->add("helsekontakter_status_questions_total", {{"outcome", "answered"}}, 0);
  for (std::uint8_t i = 0; i < 6; ++i) {
    families_->add("helsekontakter_status_questions_total",
                   {{"outcome", text(name(static_cast<StatusFailure::Kind>(i)))}}, 0);
  }
}

Metrics::~Metrics() = default;

void Metrics::events_consumed(EventKind kind, std::size_t count) {
  families_->add("helsekontakter_events_consumed_total", {{"kind", text(name(kind))}}, real(count));
}

void Metrics::event_bytes_consumed(std::size_t bytes) {
  families_->add("helsekontakter_event_bytes_consumed_total", {}, real(bytes));
}

void Metrics::unknown_fields(std::uint64_t count) {
  families_->add("helsekontakter_unknown_fields_total", {}, static_cast<double>(count));
}

void Metrics::results(Verdict verdict, Reason reason, std::size_t count) {
  const std::string_view code = reason == Reason::none ? "none" : entry_of(reason).code;
  families_->add("helsekontakter_results_total",
                 {{"verdict", text(helsekontakter::name(verdict))}, {"reason", text(code)}},
                 real(count));
}

void Metrics::dead_letters(std::size_t count) {
  families_->add("helsekontakter_dead_letters_total", {}, real(count));
}

void Metrics::submission(Lane lane, RequestOutcome outcome) {
  const std::string lane_name = text(helsekontakter::name(lane));
  families_->add("helsekontakter_submissions_total",
                 {{"lane", lane_name}, {"outcome", text(name(outcome))}}, 1);
  if (outcome == RequestOutcome::unknown) {
    families_->add("helsekontakter_outcomes_unknown_total", {{"lane", lane_name}}, 1);
  }
}

void Metrics::request(Lane lane, std::size_t entries, std::size_t body_bytes, int http_status,
                      std::optional<Milliseconds> latency) {
  const Labels labels{{"lane", text(helsekontakter::name(lane))}};
  families_->observe("helsekontakter_batch_entries", labels, real(entries), entry_buckets);
  families_->observe("helsekontakter_batch_body_bytes", labels, real(body_bytes), byte_buckets);
  if (http_status >= 100 && http_status <= 599) {
    families_->add(
        "helsekontakter_http_statuses_total",
        {{"lane", text(helsekontakter::name(lane))}, {"status", std::to_string(http_status)}}, 1);
  }
  if (latency) {
    families_->observe("helsekontakter_endpoint_latency_seconds", labels, seconds(*latency),
                       latency_buckets);
  }
}

void Metrics::retries(Lane lane, std::size_t changes) {
  families_->add("helsekontakter_retries_total", {{"lane", text(helsekontakter::name(lane))}},
                 real(changes));
}

void Metrics::status_question(std::optional<StatusFailure::Kind> failure) {
  families_->add("helsekontakter_status_questions_total",
                 {{"outcome", failure ? text(name(*failure)) : "answered"}}, 1);
}

void Metrics::status_members(DigitalStatus status, std::size_t count) {
  families_->add("helsekontakter_status_members_total", {{"status", text(name(status))}},
                 real(count));
}

void Metrics::batch_halved() {
  families_->add("helsekontakter_batches_halved_total", {}, 1);
}

void Metrics::requests_in_flight(std::size_t count) {
  families_->set("helsekontakter_requests_in_flight", {}, real(count));
}

void Metrics::waiting(std::size_t changes, std::size_t bytes) {
  families_->set("helsekontakter_waiting_changes", {}, real(changes));
  families_->set("helsekontakter_waiting_bytes", {}, real(bytes));
}

void Metrics::oldest_unconcluded(Milliseconds age) {
  families_->set("helsekontakter_oldest_unconcluded_age_seconds", {}, seconds(age));
}

void Metrics::endpoint_held(bool held) {
  families_->set("helsekontakter_endpoint_held", {}, held ? 1 : 0);
}

void Metrics::source_braked(bool braked) {
  families_->set("helsekontakter_source_braked", {}, braked ? 1 : 0);
}

void Metrics::redelivered() {
  families_->add("helsekontakter_redelivered_total", {}, 1);
}

void Metrics::unsettled(std::size_t deliveries) {
  families_->set("helsekontakter_unsettled_deliveries", {}, real(deliveries));
}

void Metrics::organization_held(OrganizationNumber organization, bool held) {
  families_->set("helsekontakter_organization_held", {{"organization", organization.digits()}},
                 held ? 1 : 0);
}

void Metrics::brake_pulled() {
  families_->add("helsekontakter_brakes_total", {}, 1);
}

void Metrics::organizations_gated(std::size_t count) {
  families_->set("helsekontakter_organizations_gated", {}, real(count));
}

void Metrics::partitions_full(std::size_t count) {
  families_->set("helsekontakter_partitions_full", {}, real(count));
}

void Metrics::partitions_held(std::size_t count) {
  families_->set("helsekontakter_partitions_held", {}, real(count));
}

void Metrics::ledger(std::size_t members, std::size_t parked, std::size_t bytes) {
  families_->set("helsekontakter_ledger_members", {}, real(members));
  families_->set("helsekontakter_ledger_parked", {}, real(parked));
  families_->set("helsekontakter_ledger_bytes", {}, real(bytes));
}

void Metrics::ledger_restored(Milliseconds took) {
  families_->observe("helsekontakter_ledger_restore_seconds", {}, seconds(took), short_buckets);
}

void Metrics::partitions_restoring(std::size_t count) {
  families_->set("helsekontakter_partitions_restoring", {}, real(count));
}

void Metrics::token_fetched(Milliseconds took, Milliseconds life, WallTime now) {
  families_->add("helsekontakter_token_fetches_total", {}, 1);
  families_->observe("helsekontakter_token_fetch_seconds", {}, seconds(took), short_buckets);
  families_->set("helsekontakter_token_life_seconds", {}, seconds(life));
  families_->set("helsekontakter_token_fetched_timestamp_seconds", {},
                 seconds(now.time_since_epoch()));
}

void Metrics::token_failed(NotSentCause cause) {
  families_->add("helsekontakter_token_failures_total", {{"cause", text(name(cause))}}, 1);
}

void Metrics::clock_skew(Peer peer, Milliseconds skew) {
  families_->set("helsekontakter_clock_skew_seconds",
                 {{"peer", peer == Peer::endpoint ? "endpoint" : "issuer"}}, seconds(skew));
}

void Metrics::recorded(bool durable, Milliseconds took) {
  families_->observe("helsekontakter_record_seconds", {}, seconds(took), short_buckets);
  if (!durable) families_->add("helsekontakter_record_failures_total", {}, 1);
}

void Metrics::rebalanced(AssignmentChange change) {
  families_->add("helsekontakter_rebalances_total", {{"kind", text(name(change))}}, 1);
}

void Metrics::partitions_owned(std::size_t count) {
  families_->set("helsekontakter_partitions_owned", {}, real(count));
}

void Metrics::lag(Partition partition, std::int64_t unread, std::int64_t unconcluded) {
  const Labels labels{{"partition", std::to_string(static_cast<std::int32_t>(partition))}};
  families_->set("helsekontakter_consumer_unread", labels, static_cast<double>(unread));
  families_->set("helsekontakter_consumer_lag", labels, static_cast<double>(unconcluded));
}

void Metrics::forget_lag(Partition partition) {
  const Labels labels{{"partition", std::to_string(static_cast<std::int32_t>(partition))}};
  families_->remove("helsekontakter_consumer_unread", labels);
  families_->remove("helsekontakter_consumer_lag", labels);
}

std::string Metrics::expose() const {
  return families_->expose();
}

}  // namespace helsekontakter::telemetry
