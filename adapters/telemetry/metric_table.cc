#include "adapters/telemetry/metric_table.h"

#include <array>

namespace helsekontakter::telemetry {
namespace {

using enum MetricType;

constexpr auto table = std::to_array<MetricEntry>({
    {"helsekontakter_events_consumed_total", counter, "kind",
     "Change events read and decoded: member, offering, finding (never submitted), tombstone"},
    {"helsekontakter_event_bytes_consumed_total", counter, "", "Bytes of the events read"},
    {"helsekontakter_unknown_fields_total", counter, "",
     "Fields of events that no schema names; ignored"},
    {"helsekontakter_results_total", counter, "verdict,reason",
     "Result events made durable, by verdict and reason code"},
    {"helsekontakter_dead_letters_total", counter, "", "Dead letters made durable"},

    {"helsekontakter_submissions_total", counter, "lane,outcome",
     "Requests by what became of them: answered, refused, unreadable, not_sent, unknown"},
    {"helsekontakter_http_statuses_total", counter, "lane,status", "Answers by HTTP status"},
    {"helsekontakter_batch_entries", histogram, "lane", "Changes in a request"},
    {"helsekontakter_batch_body_bytes", histogram, "lane", "Bytes of a request's body"},
    {"helsekontakter_endpoint_latency_seconds", histogram, "lane",
     "First byte of a request written to its answer read; goals: members p99 below 10 s, "
     "offerings below 3 s"},
    {"helsekontakter_retries_total", counter, "lane", "Changes that go into a further request"},
    {"helsekontakter_outcomes_unknown_total", counter, "lane",
     "Requests sent without a whole answer; their changes are sent again"},
    {"helsekontakter_batches_halved_total", counter, "",
     "Batches cut in two to find the entry that is refused"},
    {"helsekontakter_requests_in_flight", gauge, "", "Requests not concluded yet"},

    {"helsekontakter_status_questions_total", counter, "outcome",
     "Questions to the status API: answered, not_sent, withheld, refused, refused_list, "
     "unreadable, unknown; but for the first they are put again"},
    {"helsekontakter_status_members_total", counter, "status",
     "Inactive members it was asked about: active are submitted, inactive wait; unknown: its "
     "answer left them out, they wait and nothing is concluded"},

    {"helsekontakter_waiting_changes", gauge, "", "Changes read and not concluded"},
    {"helsekontakter_waiting_bytes", gauge, "", "Memory of the changes that wait"},
    {"helsekontakter_memory_bytes_max", gauge, "", "memory.bytes_max"},
    {"helsekontakter_oldest_unconcluded_age_seconds", gauge, "",
     "Age of the oldest change that is not concluded; 0: none waits"},

    {"helsekontakter_endpoint_held", gauge, "", "1: nothing is submitted but probes"},
    {"helsekontakter_source_braked", gauge, "",
     "1: too many events name no readable organisation; nothing is read until the brake is "
     "released"},
    {"helsekontakter_organization_held", gauge, "organization",
     "1: nothing is submitted for this organisation"},
    {"helsekontakter_organizations_gated", gauge, "",
     "Organisations whose members wait for an offering (offering.gate)"},
    {"helsekontakter_brakes_total", counter, "",
     "Brakes pulled: too many changes rejected; an operator releases them"},
    {"helsekontakter_partitions_full", gauge, "",
     "Partitions not read on because waiting changes or the offset metadata are at their limit"},
    {"helsekontakter_partitions_held", gauge, "",
     "Partitions not read because what to read next is gone, or keys have moved between them"},
    {"helsekontakter_redelivered_total", counter, "",
     "Messages of a queue that were delivered before, to this worker or another"},
    {"helsekontakter_unsettled_deliveries", gauge, "",
     "Deliveries of a queue that the broker waits for"},

    {"helsekontakter_ledger_members", gauge, "", "Members and offerings in the ledger's tables"},
    {"helsekontakter_ledger_parked", gauge, "", "Changes parked in the ledger"},
    {"helsekontakter_ledger_bytes", gauge, "", "Memory of the ledger's tables"},
    {"helsekontakter_ledger_restore_seconds", histogram, "",
     "Time to read the ledger of newly assigned partitions back"},
    {"helsekontakter_partitions_restoring", gauge, "",
     "Partitions that wait for their ledger to be read back"},

    {"helsekontakter_token_fetches_total", counter, "", "Tokens received from HelseID"},
    {"helsekontakter_token_failures_total", counter, "cause", "Token requests that failed"},
    {"helsekontakter_token_fetch_seconds", histogram, "", "Time to a token, metadata included"},
    {"helsekontakter_token_fetched_timestamp_seconds", gauge, "",
     "When the newest token came; time() minus this is its age"},
    {"helsekontakter_token_life_seconds", gauge, "", "expires_in of the newest token"},
    {"helsekontakter_clock_skew_seconds", gauge, "peer",
     "The clock of endpoint or issuer minus ours, to the second"},

    {"helsekontakter_record_seconds", histogram, "",
     "Time to make results and offsets durable (one Kafka transaction)"},
    {"helsekontakter_record_failures_total", counter, "",
     "Records that did not become durable; their partitions are read again"},
    {"helsekontakter_rebalances_total", counter, "kind",
     "Changes of the assignment: assigned, revoked, lost"},
    {"helsekontakter_partitions_owned", gauge, "", "Partitions assigned to this worker"},
    {"helsekontakter_consumer_lag", gauge, "partition",
     "Records between what is durable and the end of the partition"},
    {"helsekontakter_consumer_unread", gauge, "partition",
     "Records between what was read and the end of the partition"},

    {"helsekontakter_build_info", gauge, "version", "Always 1"},
    {"process_start_time_seconds", gauge, "", "When this process started"},
});

}  // namespace

std::span<const MetricEntry> metric_table() {
  return table;
}

std::string_view name(MetricType type) {
  static constexpr std::array<std::string_view, 3> names{"counter", "gauge", "histogram"};
  return names.at(static_cast<std::size_t>(type));
}

}  // namespace helsekontakter::telemetry
