#include "adapters/tools/audit.h"

#include "adapters/clock/wall_now.h"
#include "adapters/json/result_reader.h"
#include "adapters/tools/audit_merge.h"
#include "adapters/tools/event_records.h"
#include "adapters/tools/ledger_rows.h"
#include "adapters/tools/stretch_marks.h"

#include <array>
#include <ostream>
#include <utility>

namespace helsekontakter::tools {
namespace {

/// How far the senders' clocks may be ahead of the workers', when results are looked for by time.
constexpr auto clocks_differ_max = std::chrono::hours(1);

class Auditing {
 public:
  Auditing(const config::Configuration& configuration, const AuditOptions& options,
           const Streams& streams)
      : configuration_(configuration),
        options_(options),
        streams_(streams),
        merge_(!tools::has_kafka_ledger(configuration)) {}

  int run();

 private:
  Result<bool> read_all();
  Result<bool> read_input();
  Result<bool> read_ledger_topic();
  Result<bool> read_results();
  Result<kafka::Stretches> choose_stretches(const kafka::TopicLog& log);
  Result<kafka::Stretches> result_stretches(const kafka::TopicLog& log) const;
  int report(const AuditFindings& findings) const;
  void list(const AuditFindings& findings) const;
  [[nodiscard]] std::string place(const Position& position) const;

  const config::Configuration& configuration_;
  const AuditOptions& options_;
  const Streams& streams_;
  StopOnSignal signals_;
  AuditMerge merge_;
  Mark from_;
  Mark to_;
  kafka::Stretches stretches_;
  std::int32_t partitions_ = 0;
  std::uint64_t nulls_ = 0;
  std::uint64_t foreign_ = 0;  ///< records of the results topic that are none of this input
  std::array<std::uint64_t, verdicts> told_{};
};

Result<kafka::Stretches> Auditing::choose_stretches(const kafka::TopicLog& log) {
  auto from = parse_mark("--from", options_.from);
  if (!from) return tl::unexpected(from.error());
  auto to = parse_mark("--to", options_.to);
  if (!to) return tl::unexpected(to.error());
  from_ = std::move(*from);
  to_ = std::move(*to);
  const auto password = password_of(configuration_, configuration_.source.connection);
  if (!password) return tl::unexpected(password.error());
  const auto admin = kafka::Admin::connect(configuration_.source.connection, *password, observer());
  if (!admin) return tl::unexpected(admin.error());
  const auto described = admin->describe(log.topic(), describe_within);
  if (!described) return tl::unexpected(described.error());
  return resolve(from_, to_, log, described->value_or(kafka::TopicDescription{}));
}

/// What is settled is looked at first, the ledger then, the results last: so whatever is settled by
/// then is parked when the ledger is read, or has its result when the results are.
Result<bool> Auditing::read_all() {
  for (const auto step :
       {&Auditing::read_input, &Auditing::read_ledger_topic, &Auditing::read_results}) {
    const auto whole = (this->*step)();
    if (!whole || !*whole) return whole;
  }
  return true;
}

Result<bool> Auditing::read_input() {
  const auto log = open_input(configuration_);
  if (!log) return tl::unexpected(log.error());
  partitions_ = log->partitions();
  const auto committed = log->committed();
  if (!committed) return tl::unexpected(committed.error());
  auto stretches = choose_stretches(*log);
  if (!stretches) return tl::unexpected(stretches.error());
  stretches_ = std::move(*stretches);
  const auto hash = keyed_hash(configuration_);
  if (!hash) return tl::unexpected(hash.error());
  json::EventDecoder decoder(reading_settings(configuration_.decoder), *hash);
  ProgressBar bar("input", count_of(stretches_));
  const auto take = [&](const kafka::TopicRecord& record) -> Result<bool> {
    bar.add();
    if (record.is_null) {
      ++nulls_;
      return true;
    }
    const Delivery delivery = decoder.decode(raw_event(record, log->topic(), wall_now()));
    std::optional<MemberKey> key;
    if (const auto* change = std::get_if<Change>(&delivery.content)) key = change->key;
    const auto done = committed->find(record.position.partition);
    const bool settled = done != committed->end() && record.position.offset < done->second;
    const auto added =
        merge_.add_event(terminal_result_id(delivery), record.position, settled, key);
    if (!added) return tl::unexpected(added.error());
    return true;
  };
  return log->read(stretches_, take, signals_.token());
}

Result<bool> Auditing::read_ledger_topic() {
  if (!has_kafka_ledger(configuration_)) return true;
  const auto log = open_ledger(configuration_);
  if (!log) return tl::unexpected(log.error());
  auto format = ledger_format(configuration_, partitions_);
  if (!format) return tl::unexpected(format.error());
  return read_ledger(*log, std::move(*format), configuration_.decoder.form, signals_.token(),
                     [&](const LedgerRow& row) -> Result<void> {
                       return row.is_parked ? merge_.add_parked(row.parked_result) : Result<void>{};
                     });
}

Result<kafka::Stretches> Auditing::result_stretches(const kafka::TopicLog& log) const {
  auto bounds = log.bounds();
  const auto* time = std::get_if<WallTime>(&from_);
  if (!bounds || time == nullptr) return bounds;
  const auto first = log.offsets_at(*time - clocks_differ_max);
  if (!first) return tl::unexpected(first.error());
  for (auto& [partition, stretch] : *bounds) stretch.from = first->at(partition);
  return bounds;
}

Result<bool> Auditing::read_results() {
  const auto log = open_results(configuration_);
  if (!log) return tl::unexpected(log.error());
  const auto stretches = result_stretches(*log);
  if (!stretches) return tl::unexpected(stretches.error());
  for (const auto& [partition, stretch] : *stretches) {
    if (stretch.from == 0 || std::holds_alternative<WallTime>(from_)) continue;
    streams_.err << log->topic() << " begins at offset " << stretch.from << " of partition "
                 << static_cast<std::int32_t>(partition)
                 << ": events whose results were removed by retention look like gaps; say --from\n";
    break;
  }
  json::ResultReader reader;
  ProgressBar bar("results", count_of(*stretches));
  const auto take = [&](const kafka::TopicRecord& record) -> Result<bool> {
    bar.add();
    const auto result = reader.read(record.value);
    if (!result || result->origin_topic != configuration_.source.topic) {
      ++foreign_;
      return true;
    }
    ++told_.at(static_cast<std::size_t>(result->verdict));
    const bool terminal = is_terminal(result->verdict);
    const Uuid event =
        terminal ? result->id
                 : terminal_result_id(result->event_source, result->event_id, result->resend);
    const auto added = merge_.add_result(result->id, event, terminal, result->origin);
    if (!added) return tl::unexpected(added.error());
    return true;
  };
  return log->read(*stretches, take, signals_.token());
}

std::string Auditing::place(const Position& position) const {
  return configuration_.source.topic + "/" +
         std::to_string(static_cast<std::int32_t>(position.partition)) + " offset " +
         std::to_string(position.offset);
}

void Auditing::list(const AuditFindings& findings) const {
  std::ostream& out = streams_.out;
  for (const auto& gap : findings.first_gaps) {
    out << "gap: " << place(gap.position)
        << (gap.told_inactive ? ": was told inactive, and waits nowhere\n"
                              : ": settled without a verdict\n");
  }
  for (const auto& twice : findings.first_twice) {
    out << "twice: " << place(twice.origin) << ": " << twice.results << " results\n";
  }
  for (const auto& wandered : findings.first_wandered) {
    out << "key in several partitions: member key " << wandered.key.hex();
    for (const Position& first : wandered.first) out << ", " << place(first);
    out << "\n";
  }
  if (findings.gaps > findings.first_gaps.size() || findings.twice > findings.first_twice.size() ||
      findings.wandered > findings.first_wandered.size()) {
    out << "of each kind the first " << AuditMerge::told_max << " are listed\n";
  }
}

int Auditing::report(const AuditFindings& findings) const {
  std::ostream& out = streams_.out;
  out << "input: " << counted(findings.events, "change event") << ", --from "
      << begins_text(stretches_) << " --to " << ends_text(stretches_) << "; " << findings.repeated
      << " repeated, " << nulls_ << " null\n";
  out << "results:";
  for (std::size_t i = 0; i < told_.size(); ++i) {
    if (told_.at(i) > 0) out << " " << name(static_cast<Verdict>(i)) << " " << told_.at(i);
  }
  out << "; " << findings.strays << " of events outside of the stretch or gone, " << foreign_
      << " records of something else\n";
  out << "concluded " << findings.concluded << ", parked in the ledger " << findings.parked
      << ", waiting " << findings.waiting << ", gaps " << findings.gaps << ", results twice "
      << findings.twice << ", keys in several partitions " << findings.wandered << "\n";
  list(findings);
  if (findings.waiting > 0) {
    out << "of those that wait nothing is proved: the workers have not settled them yet\n";
  }
  return findings.gaps > 0 || findings.twice > 0 ? gaps_found : well;
}

int Auditing::run() {
  if (configuration_.source_technology != config::Technology::kafka) {
    return refuse(streams_, "audit: needs a history of the input, so source.kafka");
  }
  const auto whole = read_all();
  if (!whole) return tell(streams_, whole.error());
  if (!*whole) return tell(streams_, Error{Remedy::retry, "interrupted"});
  const auto findings = merge_.conclude();
  if (!findings) return tell(streams_, findings.error());
  return report(*findings);
}

}  // namespace

int audit(const config::Configuration& configuration, const AuditOptions& options,
          const Streams& streams) {
  return Auditing(configuration, options, streams).run();
}

}  // namespace helsekontakter::tools
