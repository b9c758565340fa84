#include "adapters/tools/replay.h"

#include "adapters/clock/wall_now.h"
#include "adapters/json/calendar.h"
#include "adapters/json/resent_event.h"
#include "adapters/json/result_reader.h"
#include "adapters/kafka/event_producer.h"
#include "adapters/tools/event_records.h"
#include "adapters/tools/ledger_rows.h"
#include "adapters/tools/replay_selection.h"
#include "adapters/tools/stretch_marks.h"
#include "worker/domain/national_id.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <ostream>
#include <thread>
#include <utility>

namespace helsekontakter::tools {
namespace {

using Clock = std::chrono::steady_clock;
using Field = Texts::Field;

constexpr std::size_t id_characters_max = 64;

/// What was asked for, checked.
struct Asked {
  Mark from;
  Mark to;
  std::optional<OrganizationNumber> organization;
  std::optional<Verdict> verdict;
  std::string id;
};

std::string new_id() {
  std::string time;
  for (const char c : json::time_text(wall_now()).substr(0, 19)) {
    if (c != '-' && c != ':') time += c;
  }
  return "replay-" + time + "Z-" + crypto::uuid_v4().text().substr(0, 8);
}

bool is_id(const std::string& text) {
  const auto fits = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
  };
  return text.size() <= id_characters_max && std::all_of(text.begin(), text.end(), fits) &&
         !contains_national_id(text);
}

class Replaying {
 public:
  Replaying(const config::Configuration& configuration, const ReplayOptions& options,
            const Streams& streams)
      : configuration_(configuration), options_(options), streams_(streams) {}

  int run();

 private:
  Result<void> check();
  Result<void> open();
  Result<bool> survey();
  Result<bool> survey_ledger();
  Result<bool> take(const kafka::TopicRecord& record, bool is_in_stretch);
  void announce() const;
  Result<bool> send();
  Result<void> send_one(const kafka::TopicRecord& record, kafka::EventProducer& producer);
  [[nodiscard]] bool wait_for_turn(std::uint64_t number, Clock::time_point since) const;
  int conclude(bool whole) const;
  [[nodiscard]] bool is_asked_for(const Delivery& delivery) const;

  const config::Configuration& configuration_;
  const ReplayOptions& options_;
  const Streams& streams_;
  StopOnSignal signals_;
  Asked asked_;
  std::optional<kafka::TopicLog> input_;
  std::optional<json::EventDecoder> decoder_;
  kafka::Stretches stretches_;
  std::optional<ReplaySelection> selection_;
  std::uint64_t read_ = 0;
  std::uint64_t resends_ = 0;     ///< copies that a replay made: never copied again
  std::uint64_t unreadable_ = 0;  ///< findings: they would get the same verdict again
  std::uint64_t unfit_ = 0;       ///< cannot carry the extensions
  std::uint64_t sent_ = 0;
};

Result<void> Replaying::check() {
  if (configuration_.source_technology != config::Technology::kafka) {
    return fail(Remedy::stop,
                configuration_.source_technology == config::Technology::amqp
                    ? "replay: AMQP has no history: what was settled is gone; let the sender "
                      "send it again"
                    : "replay: for a file as source, give the worker its lines again, under a "
                      "new source.file.checkpoint");
  }
  auto from = parse_mark("--from", options_.from);
  if (!from) return tl::unexpected(from.error());
  auto to = parse_mark("--to", options_.to);
  if (!to) return tl::unexpected(to.error());
  asked_.from = std::move(*from);
  asked_.to = std::move(*to);
  if (!options_.organization.empty()) {
    const auto organization = listed_organization(configuration_, options_.organization);
    if (!organization) return tl::unexpected(organization.error());
    asked_.organization = *organization;
  }
  if (!options_.verdict.empty()) {
    asked_.verdict = json::verdict_of(options_.verdict);
    if (!asked_.verdict) return fail(Remedy::stop, "--verdict: no such verdict");
    if (!has_kafka_ledger(configuration_)) {
      return fail(Remedy::stop,
                  "--verdict: the last verdicts stand in the ledger, and "
                  "ledger.kafka.topic is not set");
    }
  }
  if (!is_id(options_.resume)) {
    return fail(Remedy::stop, "--resume: not the id of a replay; it was told when it began");
  }
  asked_.id = options_.resume.empty() ? new_id() : options_.resume;
  return {};
}

Result<void> Replaying::open() {
  auto input = open_input(configuration_);
  if (!input) return tl::unexpected(input.error());
  input_.emplace(std::move(*input));
  const auto password = password_of(configuration_, configuration_.source.connection);
  if (!password) return tl::unexpected(password.error());
  const auto admin = kafka::Admin::connect(configuration_.source.connection, *password, observer());
  if (!admin) return tl::unexpected(admin.error());
  const auto described = admin->describe(input_->topic(), describe_within);
  if (!described) return tl::unexpected(described.error());
  if (!*described) return fail(Remedy::retry, "topic " + input_->topic() + " does not exist");
  auto stretches = resolve(asked_.from, asked_.to, *input_, **described);
  if (!stretches) return tl::unexpected(stretches.error());
  stretches_ = std::move(*stretches);
  const auto hash = keyed_hash(configuration_);
  if (!hash) return tl::unexpected(hash.error());
  decoder_.emplace(reading_settings(configuration_.decoder), *hash);
  selection_.emplace(stretches_, asked_.verdict.has_value());
  return {};
}

bool Replaying::is_asked_for(const Delivery& delivery) const {
  if (!asked_.organization) return true;
  return std::get<Change>(delivery.content).organization == *asked_.organization;
}

Result<bool> Replaying::take(const kafka::TopicRecord& record, bool is_in_stretch) {
  if (record.is_null) return true;
  const Delivery delivery = decoder_->decode(raw_event(record, input_->topic(), wall_now()));
  const auto* change = std::get_if<Change>(&delivery.content);
  const std::string_view resend = delivery.texts[Field::resend];
  Result<void> noted;
  if (!resend.empty()) {
    if (is_in_stretch) ++resends_;
    if (change != nullptr && resend == asked_.id) noted = selection_->leave_out(change->key);
  } else if (is_in_stretch && change == nullptr) {
    ++unreadable_;
  } else if (is_in_stretch && is_asked_for(delivery)) {
    noted = selection_->offer(change->key, change->version, record.position);
  }
  if (!noted) return tl::unexpected(noted.error());
  return true;
}

/// Reads the stretches; when a replay goes on, also what follows them, where its copies lie.
Result<bool> Replaying::survey() {
  kafka::Stretches wide = stretches_;
  if (!options_.resume.empty()) {
    const auto bounds = input_->bounds();
    if (!bounds) return tl::unexpected(bounds.error());
    for (auto& [partition, stretch] : wide) stretch.to = bounds->at(partition).to;
  }
  {
    ProgressBar bar("reading", count_of(wide));
    const auto whole = input_->read(
        wide,
        [&](const kafka::TopicRecord& record) {
          bar.add();
          const bool inside = record.position.offset < stretches_.at(record.position.partition).to;
          if (inside) ++read_;
          return take(record, inside);
        },
        signals_.token());
    if (!whole || !*whole) return whole;
  }
  if (asked_.verdict) {
    const auto whole = survey_ledger();
    if (!whole || !*whole) return whole;
  }
  if (auto decided = selection_->decide(); !decided) return tl::unexpected(decided.error());
  return true;
}

Result<bool> Replaying::survey_ledger() {
  const auto log = open_ledger(configuration_);
  if (!log) return tl::unexpected(log.error());
  auto format = ledger_format(configuration_, input_->partitions());
  if (!format) return tl::unexpected(format.error());
  return read_ledger(*log, std::move(*format), configuration_.decoder.form, signals_.token(),
                     [&](const LedgerRow& row) -> Result<void> {
                       const bool is_it =
                           row.is_known && static_cast<Verdict>(row.verdict) == *asked_.verdict;
                       return is_it ? selection_->select(row.key) : Result<void>{};
                     });
}

void Replaying::announce() const {
  std::ostream& out = streams_.out;
  out << counted(selection_->chosen(), "event") << " to send once more, of " << read_
      << " in the stretch: the newest of each member and offering";
  if (asked_.organization) out << " of " << asked_.organization->digits();
  if (asked_.verdict) out << " whose last verdict was " << name(*asked_.verdict);
  out << "\n";
  if (selection_->done() > 0) {
    out << counted(selection_->done(), "event") << " sent before the interruption\n";
  }
  if (resends_ > 0) out << resends_ << " copies of earlier replays left out\n";
  if (unreadable_ > 0) {
    out << unreadable_ << " left out: rejected or undecodable as they are, so once more too\n";
  }
  const auto chosen = static_cast<double>(selection_->chosen());
  if (options_.rate > 0) {
    out << "takes " << duration_text(chosen / options_.rate) << " at --rate\n";
    return;
  }
  const WorkerSettings& worker = configuration_.worker;
  out << "sent as fast as the brokers take them";
  if (worker.api.requests_per_second_max > 0) {
    const double pace = worker.api.requests_per_second_max *
                        static_cast<double>(std::max<std::size_t>(worker.batch.entries_max, 1));
    out << "; one worker then needs " << duration_text(chosen / pace)
        << " or more (api.requests_per_second_max, batch.entries_max)";
  }
  out << "\n";
}

/// Sleeps until the event may go; false: a stop was asked for.
bool Replaying::wait_for_turn(std::uint64_t number, Clock::time_point since) const {
  constexpr auto at_once_max = std::chrono::milliseconds(100);
  if (options_.rate > 0) {
    const auto due =
        since + std::chrono::duration_cast<Clock::duration>(
                    std::chrono::duration<double>(static_cast<double>(number) / options_.rate));
    for (auto now = Clock::now(); now < due && !signals_.token().stop_requested();
         now = Clock::now()) {
      std::this_thread::sleep_for(std::min<Clock::duration>(due - now, at_once_max));
    }
  }
  return !signals_.token().stop_requested();
}

/// What is sent is read back first: it must be the same change, as a resend.
Result<void> Replaying::send_one(const kafka::TopicRecord& record, kafka::EventProducer& producer) {
  const json::RawEvent raw = raw_event(record, input_->topic(), wall_now());
  const Delivery delivery = decoder_->decode(raw);
  const auto resent = json::make_resent(raw, delivery, asked_.id);
  if (!resent) {
    ++unfit_;
    return {};
  }
  json::RawEvent copy = raw;
  copy.payload = resent->payload;
  copy.headers = resent->headers;
  const Delivery again = decoder_->decode(copy);
  const auto* was = std::get_if<Change>(&delivery.content);
  const auto* is = std::get_if<Change>(&again.content);
  if (was == nullptr || is == nullptr || !is->resend || is->key != was->key ||
      is->version != was->version || is->content != was->content) {
    ++unfit_;
    return {};
  }
  ++sent_;
  return producer.send({.partition = record.position.partition,
                        .key = record.has_key ? std::optional(record.key) : std::nullopt,
                        .value = resent->payload,
                        .headers = resent->headers});
}

Result<bool> Replaying::send() {
  auto password = password_of(configuration_, configuration_.source.connection);
  if (!password) return tl::unexpected(password.error());
  auto producer = kafka::EventProducer::open({.connection = configuration_.source.connection,
                                              .password = std::move(*password),
                                              .topic = configuration_.source.topic,
                                              .transactional_id = {}},
                                             observer());
  if (!producer) return tl::unexpected(producer.error());
  const auto since = Clock::now();
  ProgressBar bar("sending", selection_->chosen());
  auto whole = input_->read(
      selection_->narrowed(),
      [&](const kafka::TopicRecord& record) -> Result<bool> {
        if (!selection_->is_chosen(record.position)) return true;
        if (!wait_for_turn(sent_ + unfit_, since)) return false;
        if (auto sent = send_one(record, *producer); !sent) return tl::unexpected(sent.error());
        bar.add();
        return true;
      },
      signals_.token());
  const auto flushed = producer->flush();
  if (!flushed) return tl::unexpected(flushed.error());
  return whole;
}

int Replaying::conclude(bool whole) const {
  if (unfit_ > 0) {
    streams_.err << counted(unfit_, "event")
                 << " cannot carry the extensions resend and resendversion and stayed where they "
                    "are\n";
  }
  streams_.out << counted(sent_, "event") << " sent, resend " << asked_.id << "\n";
  if (whole) return well;
  streams_.err << "interrupted; to go on: helsekontakter replay --config … --resume " << asked_.id
               << " --from " << begins_text(stretches_) << " --to " << ends_text(stretches_);
  if (asked_.organization) streams_.err << " --organization " << asked_.organization->digits();
  if (asked_.verdict) streams_.err << " --verdict " << name(*asked_.verdict);
  streams_.err << "\n";
  return fault;
}

int Replaying::run() {
  for (const auto step : {&Replaying::check, &Replaying::open}) {
    if (auto done = (this->*step)(); !done) return tell(streams_, done.error());
  }
  const auto surveyed = survey();
  if (!surveyed) return tell(streams_, surveyed.error());
  if (!*surveyed) {
    return tell(streams_, Error{Remedy::retry, "interrupted before anything was sent"});
  }
  announce();
  if (options_.dry_run || selection_->chosen() == 0) return well;
  streams_.out << "resend " << asked_.id << ", --from " << begins_text(stretches_) << " --to "
               << ends_text(stretches_) << std::endl;
  const auto whole = send();
  if (!whole) static_cast<void>(tell(streams_, whole.error()));
  return conclude(whole && *whole);
}

}  // namespace

int replay(const config::Configuration& configuration, const ReplayOptions& options,
           const Streams& streams) {
  return Replaying(configuration, options, streams).run();
}

}  // namespace helsekontakter::tools
