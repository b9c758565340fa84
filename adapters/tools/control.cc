#include "adapters/tools/control.h"

#include "adapters/clock/wall_now.h"
#include "adapters/kafka/admin.h"
#include "adapters/kafka/shared_topic_reader.h"
#include "adapters/kafka/shared_topic_writer.h"
#include "adapters/sqlite/sqlite_ledger.h"
#include "worker/domain/national_id.h"

#include <algorithm>
#include <chrono>
#include <ostream>

namespace helsekontakter::tools {
namespace {

constexpr auto written_within = std::chrono::seconds(20);

/// The topic is there and will keep what is said; nothing is written to another one.
Result<void> check_topic(const kafka::SharedTopic& where) {
  const auto password = where.password.read();
  if (!password) return tl::unexpected(password.error());
  const auto admin = kafka::Admin::connect(where.connection, *password, observer());
  if (!admin) return tl::unexpected(admin.error());
  const auto found = admin->describe(where.topic, describe_within);
  if (!found) return tl::unexpected(found.error());
  return kafka::check_shared_topic(where.topic, *found);
}

/// With SQLite there is one worker, and nothing but a brake outlives it.
int release_in_file(const config::Configuration& configuration, const SharedFact& fact,
                    const Streams& streams) {
  const auto* brake = std::get_if<SharedBrake>(&fact);
  if (brake == nullptr) {
    return refuse(streams,
                  "control: with ledger.sqlite there is one worker: stop or start it; `control "
                  "release-brake` is all that is said to its file");
  }
  auto ledger = open_ledger_file(configuration);
  if (!ledger) return tell(streams, ledger.error());
  const auto pulled = ledger->pulled_brakes();
  if (!pulled) return tell(streams, pulled.error());
  const bool was_pulled = std::any_of(pulled->begin(), pulled->end(), [&](const auto& one) {
    return one.organization == brake->organization;
  });
  const std::string whose = brake->organization ? brake->organization->digits() : "the source";
  if (!was_pulled) return refuse(streams, "control: the brake of " + whose + " is not pulled");
  if (const auto kept = ledger->keep(*brake); !kept) return tell(streams, kept.error());
  streams.out << "release-brake: the brake of " << whose << " is released in "
              << configuration.ledger.sqlite_path << "; start the worker\n";
  return well;
}

}  // namespace

std::optional<SharedFact> fact_of(const ControlOptions& options,
                                  const std::optional<OrganizationNumber>& organization,
                                  WallTime now) {
  const std::string& action = options.action;
  if (action == "hold" || action == "resume") {
    const bool held = action == "hold";
    return SharedHold{.organization = organization,
                      .by_operator = true,
                      .held = held,
                      .since = now,
                      .why = held ? scrub_national_ids(options.why) : std::string()};
  }
  if (action == "release-brake") {
    return SharedBrake{.organization = organization, .pulled = false, .since = now};
  }
  if (action == "retry-now") return SharedRetryNow{.organization = organization, .at = now};
  return std::nullopt;
}

int control(const config::Configuration& configuration, const ControlOptions& options,
            const Streams& streams) {
  std::optional<OrganizationNumber> organization;
  if (!options.organization.empty()) {
    const auto listed = listed_organization(configuration, options.organization);
    if (!listed) return tell(streams, listed.error());
    organization = *listed;
  }
  const auto fact = fact_of(options, organization, wall_now());
  if (!fact) return refuse(streams, "control: say hold, resume, release-brake or retry-now");
  if (!has_kafka_ledger(configuration)) return release_in_file(configuration, *fact, streams);
  auto password = password_of(configuration, configuration.source.connection);
  if (!password) return tell(streams, password.error());
  const kafka::SharedTopic where{.connection = configuration.source.connection,
                                 .password = std::move(*password),
                                 .topic = configuration.ledger.kafka_shared_topic,
                                 .group = configuration.source.group};
  if (auto fine = check_topic(where); !fine) return tell(streams, fine.error());
  kafka::SharedTopicWriter writer(where, observer());
  if (auto started = writer.start(); !started) return tell(streams, started.error());
  std::vector<SharedFact> facts{*fact};
  // A worker that starts later is to find no pause either.
  const auto* now = std::get_if<SharedRetryNow>(&*fact);
  if (now != nullptr && !organization) facts.emplace_back(SharedRetryAfter{now->at});
  writer.publish(facts);
  const auto written = writer.flush(std::chrono::steady_clock::now() + written_within);
  writer.stop();
  if (!written) return tell(streams, written.error());
  streams.out << options.action << (organization ? " " + organization->digits() : std::string())
              << ": told all workers by " << where.topic << "\n";
  return well;
}

}  // namespace helsekontakter::tools
