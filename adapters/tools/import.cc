#include "adapters/tools/import.h"

#include "adapters/clock/wall_now.h"
#include "adapters/kafka/event_producer.h"
#include "adapters/tools/import_plan.h"
#include "adapters/tools/member_list.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <fstream>
#include <ostream>
#include <system_error>
#include <utility>

namespace helsekontakter::tools {
namespace {

constexpr std::size_t list_bytes_max = 512 << 20;
constexpr std::int64_t version_max = (std::int64_t{1} << 53) - 1;
constexpr std::string_view content_type = "application/cloudevents+json";

/// The day as the machine's clock on the wall shows it.
std::chrono::sys_days today(WallTime now) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  return std::chrono::year(local.tm_year + 1900) /
         std::chrono::month(static_cast<unsigned>(local.tm_mon + 1)) /
         std::chrono::day(static_cast<unsigned>(local.tm_mday));
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return fail(Remedy::stop, path + ": " + std::generic_category().message(errno));
  }
  std::string text;
  std::array<char, 65'536> piece{};
  while (in.read(piece.data(), piece.size()) || in.gcount() > 0) {
    text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
    if (text.size() > list_bytes_max) {
      return fail(Remedy::stop, path + ": larger than " + std::to_string(list_bytes_max >> 20) +
                                    " MiB; is it a member list?");
    }
  }
  if (in.bad()) return fail(Remedy::stop, path + ": cannot be read");
  return text;
}

class Importing {
 public:
  Importing(const config::Configuration& configuration, const ImportOptions& options,
            const Streams& streams)
      : configuration_(configuration), options_(options), streams_(streams) {}

  int run();

 private:
  Result<ListOptions> list_options() const;
  Result<ImportFacts> facts() const;
  Result<CheckedList> read(const std::string& path, const ListOptions& options,
                           ImportEvents& events) const;
  void describe(const ImportPlan& plan) const;
  Result<void> guard(const ImportPlan& plan, ImportEvents& events) const;
  Result<void> send(const ImportPlan& plan, const ImportEvents& events) const;
  Result<void> see() const;
  Result<void> print(const ImportPlan& plan, const ImportEvents& events) const;

  [[nodiscard]] bool into_kafka() const {
    return configuration_.source_technology == config::Technology::kafka;
  }

  const config::Configuration& configuration_;
  const ImportOptions& options_;
  const Streams& streams_;
};

Result<ListOptions> Importing::list_options() const {
  ListOptions options{
      .key_column = options_.key_column, .columns = options_.columns, .needs_key = into_kafka()};
  for (const auto& [field, name] : options.columns) {
    static constexpr std::array<std::string_view, 5> known{"member", "start", "end", "subject",
                                                           "ended"};
    if (std::find(known.begin(), known.end(), field) == known.end()) {
      return fail(Remedy::stop, "--column " + field +
                                    ": no such field; member, start, end, subject and ended are");
    }
  }
  if (options_.delimiter == "tab") {
    options.delimiter = '\t';
  } else if (options_.delimiter.size() == 1 && options_.delimiter != "\"") {
    options.delimiter = options_.delimiter[0];
  } else {
    return fail(Remedy::stop, "--delimiter: one character, or tab");
  }
  return options;
}

Result<ImportFacts> Importing::facts() const {
  const auto organization = listed_organization(configuration_, options_.organization);
  if (!organization) return tl::unexpected(organization.error());
  const WallTime now = wall_now();
  const std::int64_t version = options_.version.value_or(now.time_since_epoch().count());
  if (version < 0 || version > version_max) {
    return fail(Remedy::stop, "--version-number: a whole number from 0 to 9007199254740991");
  }
  return ImportFacts{.organization = *organization,
                     .time = now,
                     .version = version,
                     .source = "/helsekontakter/import/" + organization->digits()};
}

Result<CheckedList> Importing::read(const std::string& path, const ListOptions& options,
                                    ImportEvents& events) const {
  const auto text = read_file(path);
  if (!text) return tl::unexpected(text.error());
  auto lines = read_member_list(*text, options);
  auto checked = lines ? check_list(std::move(*lines), events)
                       : tl::expected<CheckedList, ListFaults>(tl::unexpected(lines.error()));
  if (checked) return std::move(*checked);
  const ListFaults& faults = checked.error();
  for (const ListFaults::Fault& each : faults.first) {
    streams_.err << path << (each.line > 0 ? " line " + std::to_string(each.line) : "") << ": "
                 << scrub_national_ids(each.what) << "\n";
  }
  if (faults.total > faults.first.size()) {
    streams_.err << "and " << faults.total - faults.first.size() << " more\n";
  }
  return fail(Remedy::stop, counted(faults.total, "fault") + " in " + path +
                                ": nothing was sent; mend the list and import it again");
}

void Importing::describe(const ImportPlan& plan) const {
  std::ostream& out = into_kafka() ? streams_.out : streams_.err;
  out << plan.added << " new, " << plan.changed << " changed, " << plan.unchanged << " as before, "
      << plan.ended << " end now";
  if (plan.over > 0) out << ", " << plan.over << " missing whose membership is over already";
  out << ": " << counted(plan.sent.size(), "event") << (options_.dry_run ? " would be sent" : "")
      << "\n";
}

/// What must hold of the plan as a whole.
Result<void> Importing::guard(const ImportPlan& plan, ImportEvents& events) const {
  if (plan.ends_share() > options_.ends_share_max) {
    return fail(Remedy::stop,
                counted(plan.ended, "membership") + " of " + std::to_string(plan.previous) +
                    " would end, more than the share of --ends-share-max; nothing was sent: is "
                    "the list whole? If it is, say a larger --ends-share-max");
  }
  for (const MemberLine& line : plan.sent) {
    if (const auto checked = events.check(line); !checked) {
      return fail(Remedy::stop, options_.previous + " line " + std::to_string(line.line) +
                                    ", ended now: " + checked.error() + "; nothing was sent");
    }
  }
  return {};
}

Result<void> Importing::send(const ImportPlan& plan, const ImportEvents& events) const {
  auto password = password_of(configuration_, configuration_.source.connection);
  if (!password) return tl::unexpected(password.error());
  auto producer = kafka::EventProducer::open(
      {.connection = configuration_.source.connection,
       .password = std::move(*password),
       .topic = configuration_.source.topic,
       .transactional_id = configuration_.source.group + "-import-" + crypto::uuid_v4().text(),
       .java_partitioner = options_.java_partitioner},
      observer());
  if (!producer) return tl::unexpected(producer.error());
  const std::array<std::pair<std::string_view, std::string_view>, 1> headers{
      {{"content-type", content_type}}};
  ProgressBar bar("sending", plan.sent.size());
  for (std::size_t i = 0; i < plan.sent.size(); ++i) {
    const std::string text = events.text(plan.sent[i], i + 1);
    const auto sent = producer->send(
        {.partition = std::nullopt, .key = plan.sent[i].key, .value = text, .headers = headers});
    if (!sent) {
      producer->abort();
      return sent;
    }
    bar.add();
  }
  return producer->commit();
}

/// Readers see a transaction a moment after it was committed: waits for that, so that a worker
/// started next finds it.
Result<void> Importing::see() const {
  const auto log = open_input(configuration_);
  if (!log) return tl::unexpected(log.error());
  auto stretches = log->bounds();
  if (!stretches) return tl::unexpected(stretches.error());
  for (auto& [partition, stretch] : *stretches) {
    stretch.from = std::max(stretch.from, stretch.to - 1);
  }
  const auto whole = log->read(*stretches, [](const auto&) { return Result<bool>(true); }, {});
  if (!whole) return tl::unexpected(whole.error());
  return {};
}

Result<void> Importing::print(const ImportPlan& plan, const ImportEvents& events) const {
  for (std::size_t i = 0; i < plan.sent.size(); ++i) {
    streams_.out << events.text(plan.sent[i], i + 1) << "\n";
  }
  streams_.out.flush();
  if (!streams_.out) return fail(Remedy::retry, "standard output cannot be written");
  return {};
}

int Importing::run() {
  if (configuration_.source_technology == config::Technology::amqp) {
    return refuse(streams_,
                  "import: with source.amqp it is not in this release; send the events "
                  "to the queue by the sender's own means");
  }
  const auto list = list_options();
  if (!list) return tell(streams_, list.error());
  const auto known = facts();
  if (!known) return tell(streams_, known.error());
  const auto hash = keyed_hash(configuration_);
  if (!hash) return tell(streams_, hash.error());
  ImportEvents events(configuration_.decoder, *hash, *known);
  auto now = read(options_.list, *list, events);
  if (!now) return tell(streams_, now.error());
  CheckedList before;
  if (!options_.previous.empty()) {
    auto old = read(options_.previous, *list, events);
    if (!old) return tell(streams_, old.error());
    before = std::move(*old);
  }
  const ImportPlan plan = plan_import(std::move(*now), std::move(before), today(known->time));
  describe(plan);
  if (auto fine = guard(plan, events); !fine) return tell(streams_, fine.error());
  if (options_.dry_run || plan.sent.empty()) return well;
  const auto done = into_kafka() ? send(plan, events) : print(plan, events);
  if (!done) return tell(streams_, done.error());
  if (into_kafka()) {
    streams_.out << "sent to " << configuration_.source.topic << " with version " << known->version
                 << "\n";
    if (const auto seen = see(); !seen) return tell(streams_, seen.error());
  }
  return well;
}

}  // namespace

int import_list(const config::Configuration& configuration, const ImportOptions& options,
                const Streams& streams) {
  return Importing(configuration, options, streams).run();
}

}  // namespace helsekontakter::tools
