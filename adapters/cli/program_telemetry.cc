// What the program tells of itself: log lines on changes of state, figures for /metrics.

#include "adapters/cli/program.h"
#include "adapters/clock/wall_now.h"

#include <algorithm>
#include <array>
#include <utility>

namespace helsekontakter::cli {
namespace {

std::string_view event_of(Notice::Kind kind) {
  switch (kind) {
    case Notice::Kind::organization_held:
      return "organisation held";
    case Notice::Kind::organization_released:
      return "organisation released";
    case Notice::Kind::endpoint_held:
      return "endpoint held";
    case Notice::Kind::endpoint_released:
      return "endpoint released";
    case Notice::Kind::endpoint_paused:
      return "endpoint paused";
    case Notice::Kind::brake_pulled:
      return "brake pulled";
    case Notice::Kind::findings_let_go:
      return "unusable changes make room";
    case Notice::Kind::unlisted_organization:
      return "organisation not listed";
    case Notice::Kind::partition_full:
      return "partition not read on";
    case Notice::Kind::partition_reading:
      return "partition read on";
    case Notice::Kind::batch_halved:
      return "batch halved";
    case Notice::Kind::outcome_unknown:
      return "outcome unknown";
    case Notice::Kind::gate_closed:
      return "members wait for an offering";
    case Notice::Kind::gate_open:
      return "members wait for an offering no longer";
    case Notice::Kind::ledger_full:
      return "ledger full";
    case Notice::Kind::ledger_has_room:
      return "ledger has room";
    case Notice::Kind::status_unavailable:
      return "digital status unknown";
    case Notice::Kind::status_available:
      return "digital status known";
    case Notice::Kind::clock_wrong:
      return "clock wrong";
    case Notice::Kind::clock_right:
      return "clock right";
  }
  return "notice";
}

telemetry::AssignmentChange change_of(kafka::Rebalance rebalance) {
  switch (rebalance) {
    case kafka::Rebalance::assigned:
      return telemetry::AssignmentChange::assigned;
    case kafka::Rebalance::revoked:
      return telemetry::AssignmentChange::revoked;
    case kafka::Rebalance::lost:
      break;
  }
  return telemetry::AssignmentChange::lost;
}

std::string_view name(kafka::Rebalance rebalance) {
  switch (rebalance) {
    case kafka::Rebalance::assigned:
      return "partitions assigned";
    case kafka::Rebalance::revoked:
      return "partitions revoked";
    case kafka::Rebalance::lost:
      break;
  }
  return "partitions lost";
}

}  // namespace

kafka::Observer Program::observe_kafka() {
  kafka::Observer observer;
  observer.lag = [this](const kafka::Lag& lag) {
    lagging_.insert(lag.partition);
    metrics_.lag(lag.partition, lag.unread, lag.unconcluded);
  };
  observer.read = [this](std::size_t, std::size_t bytes) { metrics_.event_bytes_consumed(bytes); };
  observer.rebalanced = [this](kafka::Rebalance what, std::size_t partitions) {
    metrics_.rebalanced(change_of(what));
    partitions_held_.clear();  // those of this assignment are told anew
    metrics_.partitions_held(0);
    if (what != kafka::Rebalance::assigned) {
      for (const Partition partition : std::exchange(lagging_, {})) metrics_.forget_lag(partition);
    }
    joined_ = what == kafka::Rebalance::assigned;
    log_.info(name(what), {{"partitions", partitions}});
    const bool idle = what == kafka::Rebalance::assigned && partitions == 0;
    if (idle && options_.drain) request_stop();  // others have every partition: nothing to drain
  };
  observer.held = [this](Partition partition, bool held) {
    held ? (void)partitions_held_.insert(partition) : (void)partitions_held_.erase(partition);
    metrics_.partitions_held(partitions_held_.size());
    log_.warn(held ? "partition held" : "partition read again",
              {{"partition", static_cast<std::int32_t>(partition)}});
  };
  observer.recorded = [this](const kafka::Recording& recording) {
    metrics_.recorded(recording.durable, recording.took);
    metrics_.dead_letters(recording.durable ? recording.dead_letters : 0);
    if (!recording.durable) {
      log_.warn("a record failed; its partitions are read again",
                {{"results", recording.results}, {"attempts", recording.attempts}});
    }
  };
  observer.trouble = [this](const Error& error) {
    log_.warn("Kafka", {{"reason", error.message}});
  };
  observer.log = [this](int level, std::string_view line) {
    if (level <= 4) log_.debug("librdkafka", {{"line", line}});
  };
  return observer;
}

ledger::LedgerHost::Observer Program::observe_ledger() {
  ledger::LedgerHost::Observer observer;
  observer.restored = [this](std::size_t partitions, std::size_t members, Milliseconds took) {
    metrics_.ledger_restored(took);
    log_.info("ledger read back",
              {{"partitions", partitions}, {"members", members}, {"took_s", took}});
  };
  observer.trouble = [this](const Error& error) {
    log_.warn("ledger", {{"reason", error.message}});
  };
  observer.refused = [this](const Error& error) {
    refused_ = true;
    give_up(error);
  };
  return observer;
}

/// Beside Kafka only one of the two is there, as source or as recorder.
amqp::Observer Program::observe_amqp() {
  amqp::Observer observer;
  observer.attached = [this](bool attached) {
    metrics_.rebalanced(attached ? telemetry::AssignmentChange::assigned
                                 : telemetry::AssignmentChange::lost);
    joined_ = attached;
    log_.info(attached ? "queue attached" : "queue detached");
  };
  observer.read = [this](std::size_t, std::size_t bytes) { metrics_.event_bytes_consumed(bytes); };
  observer.redelivered = [this](std::uint32_t) { metrics_.redelivered(); };
  observer.unsettled = [this](std::size_t deliveries) { metrics_.unsettled(deliveries); };
  observer.drained = [this] { request_stop(); };
  observer.recorded = [this](const amqp::Recording& recording) {
    metrics_.recorded(recording.durable, recording.took);
    metrics_.dead_letters(recording.durable ? recording.dead_letters : 0);
    if (!recording.durable) {
      log_.warn("a record failed; its changes are read again",
                {{"results", recording.results}, {"refused", recording.refused}});
    }
  };
  observer.trouble = [this](const Error& error) { log_.warn("AMQP", {{"reason", error.message}}); };
  return observer;
}

file::Observer Program::observe_files() {
  file::Observer observer;
  observer.lag = [this](const file::Lag& lag) {
    metrics_.lag(Partition{0}, lag.unread, lag.unconcluded);
  };
  observer.read = [this](std::size_t, std::size_t bytes) { metrics_.event_bytes_consumed(bytes); };
  observer.opened = [this] {
    joined_ = true;
    log_.info("input opened");
  };
  observer.held = [this](bool held) { metrics_.partitions_held(held ? 1 : 0); };
  observer.recorded = [this](const file::Recording& recording) {
    metrics_.recorded(recording.durable, recording.took);
    metrics_.dead_letters(recording.durable ? recording.dead_letters : 0);
  };
  observer.trouble = [this](const Error& error) { log_.warn("file", {{"reason", error.message}}); };
  observer.failed = [this](const Error& error) { give_up(error); };
  observer.ended = [this] { request_stop(); };
  return observer;
}

helseid::Observer Program::observe_tokens() {
  helseid::Observer observer;
  observer.fetched = [this](const helseid::TokenFetched& token) {
    metrics_.token_fetched(token.took, token.life, wall_now());
    log_.debug("token fetched", {{"took_s", token.took}, {"life_s", token.life}});
  };
  observer.failed = [this](const helseid::TokenFailed& failure) {
    metrics_.token_failed(failure.cause);
    log_.warn("no token", {{"code", failure.code}, {"took_s", failure.took}});
  };
  observer.key_reloaded = [this](const std::string& kid) {
    log_.info("key file read anew", {{"kid", kid}});
  };
  observer.skew_seen = [this](Milliseconds skew) {
    metrics_.clock_skew(telemetry::Peer::issuer, skew);
  };
  observer.warning = [this](const std::string& text) { log_.warn("HelseID", {{"warning", text}}); };
  return observer;
}

endpoint::Observer Program::observe_endpoint() {
  endpoint::Observer observer;
  observer.request_done = [this](const endpoint::RequestFacts& facts) {
    metrics_.request(facts.lane, facts.entries, facts.body_bytes, facts.status, facts.latency);
  };
  observer.token_dropped = [this](OrganizationNumber organization, int status) {
    log_.info("the endpoint refused a token; a fresh one is tried",
              {{"organization", organization}, {"status", status}});
  };
  observer.clock_seen = [this](WallTime theirs, WallTime ours) {
    metrics_.clock_skew(telemetry::Peer::endpoint, theirs - ours);
    inbox_.push(ClockSeen{ClockSeen::Peer::endpoint, theirs - ours});
  };
  return observer;
}

void Program::observe_status(endpoint::StatusSurroundings& around) {
  around.asked = [this](const endpoint::StatusFacts& facts) {
    metrics_.status_question(facts.failure);
    metrics_.status_members(DigitalStatus::active, facts.active);
    metrics_.status_members(DigitalStatus::inactive, facts.inactive);
    metrics_.status_members(DigitalStatus::unknown, facts.unknown);
    log_.debug("digital status asked", {{"organization", facts.organization},
                                        {"answered", !facts.failure},
                                        {"active", facts.active},
                                        {"inactive", facts.inactive},
                                        {"unknown", facts.unknown}});
  };
  around.clock_seen = [this](WallTime theirs, WallTime ours) {
    inbox_.push(ClockSeen{ClockSeen::Peer::status_api, theirs - ours});
  };
  around.token_dropped = [this](OrganizationNumber organization, int status) {
    log_.info("the status API refused a token; a fresh one is tried",
              {{"organization", organization}, {"status", status}});
  };
}

void Program::observe_inputs(const std::vector<Input>& inputs) {
  std::array<std::size_t, 4> kinds{};
  for (const Input& input : inputs) {
    if (const auto* delivered = std::get_if<Delivered>(&input)) {
      for (const Delivery& delivery : delivered->deliveries) {
        ++kinds[static_cast<std::size_t>(telemetry::kind_of(delivery))];
      }
    } else if (const auto* outcome = std::get_if<Outcome>(&input)) {
      metrics_.submission(outcome->lane, telemetry::outcome_of(outcome->outcome));
    } else if (const auto* recorded = std::get_if<Recorded>(&input);
               recorded && recorded->durable) {
      count_results();
    }
  }
  for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
    if (kinds[kind] == 0) continue;
    metrics_.events_consumed(static_cast<telemetry::EventKind>(kind), kinds[kind]);
  }
}

void Program::note(const Record& record) {
  recording_ = {};
  for (const Conclusion& conclusion : record.conclusions) {
    if (!conclusion.publishes) continue;
    ++recording_[static_cast<std::size_t>(conclusion.verdict)]
                [static_cast<std::size_t>(conclusion.reason)];
  }
}

/// The record under way is durable.
void Program::count_results() {
  for (std::size_t verdict = 0; verdict < verdicts; ++verdict) {
    for (std::size_t reason = 0; reason <= reasons; ++reason) {
      const std::size_t count = recording_[verdict][reason];
      if (count == 0) continue;
      metrics_.results(static_cast<Verdict>(verdict), static_cast<Reason>(reason), count);
    }
  }
}

void Program::tell(const Notice& notice) {
  if (notice.kind == Notice::Kind::brake_pulled) metrics_.brake_pulled();
  if (notice.kind == Notice::Kind::batch_halved) metrics_.batch_halved();
  const std::string_view event = event_of(notice.kind);
  const bool good =
      notice.kind == Notice::Kind::organization_released ||
      notice.kind == Notice::Kind::endpoint_released ||
      notice.kind == Notice::Kind::partition_reading || notice.kind == Notice::Kind::gate_open ||
      notice.kind == Notice::Kind::ledger_has_room || notice.kind == Notice::Kind::status_available;
  const std::int32_t partition =
      notice.partition ? static_cast<std::int32_t>(*notice.partition) : -1;
  if (good) {
    log_.info(event, {{"detail", notice.text}, {"partition", partition}});
  } else {
    log_.warn(event, {{"detail", notice.text}, {"partition", partition}});
  }
}

void Program::publish_status(const WorkerStatus& status) {
  recovering_ = status.recovering > 0;
  restoring_ = ledger_host_->restoring() > 0;
  const ledger::Ledger::Figures figures = ledger_host_->figures();
  metrics_.ledger(figures.members, figures.parked, figures.bytes + figures.parked_bytes);
  metrics_.partitions_restoring(ledger_host_->restoring());
  metrics_.waiting(status.changes_held, status.bytes_held);
  metrics_.requests_in_flight(status.requests_in_flight);
  metrics_.endpoint_held(status.endpoint_held);
  metrics_.source_braked(status.source_braked);
  metrics_.partitions_owned(status.partitions);
  metrics_.organizations_gated(status.organizations_gated);
  metrics_.partitions_full(status.partitions_full);
  metrics_.oldest_unconcluded(status.oldest_age);
  for (const Lane lane : {Lane::offerings, Lane::members}) {
    const auto at = static_cast<std::size_t>(lane);
    const std::uint64_t more = status.retries[at] - status_counted_.retries[at];
    if (more > 0) metrics_.retries(lane, more);
  }
  status_counted_ = status;
  const std::uint64_t unknown = unknown_fields_.load(std::memory_order_relaxed);
  metrics_.unknown_fields(unknown - std::exchange(unknown_fields_counted_, unknown));
  const auto& now_held = status.organizations_held;
  for (const OrganizationNumber organization : held_) {
    if (std::find(now_held.begin(), now_held.end(), organization) == now_held.end()) {
      metrics_.organization_held(organization, false);
    }
  }
  for (const OrganizationNumber organization : now_held) {
    metrics_.organization_held(organization, true);
  }
  held_ = now_held;
}

}  // namespace helsekontakter::cli
