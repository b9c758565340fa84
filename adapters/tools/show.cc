#include "adapters/tools/show.h"

#include "adapters/json/calendar.h"
#include "adapters/json/event_identity.h"
#include "adapters/json/result_reader.h"
#include "adapters/tools/ledger_rows.h"
#include "adapters/tools/result_lines.h"
#include "worker/domain/national_id.h"
#include "worker/ledger/ledger.h"

#include <deque>
#include <functional>
#include <istream>
#include <map>
#include <ostream>
#include <set>
#include <utility>

#include <termios.h>
#include <unistd.h>

namespace helsekontakter::tools {
namespace {

using Field = Texts::Field;

constexpr std::size_t results_max = 50;
constexpr std::size_t number_characters_max = 64;

/// What is typed does not appear on the terminal, as long as this lives.
class NoEcho {
 public:
  NoEcho() : is_terminal_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!is_terminal_) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &silent);
  }
  ~NoEcho() {
    if (is_terminal_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;

 private:
  termios before_{};
  bool is_terminal_;
};

Result<MemberKey> read_member(std::istream& in, const crypto::KeyedHash& hash,
                              OrganizationNumber organization, bool rule_2032) {
  const NoEcho silence;
  std::string line;
  for (char c = 0; in.get(c) && c != '\n' && line.size() < number_characters_max;) {
    if (c != '\r' && c != ' ' && c != '\t') line += c;
  }
  const auto parsed = NationalId::parse(line, {.rule_2032 = rule_2032});
  if (const auto* number = std::get_if<NationalId>(&parsed)) {
    return json::member_key(hash, organization.digits(), number->reveal());
  }
  return fail(Remedy::stop,
              "--member-stdin: standard input's first line is no identity number: "
              "eleven digits with right date and check digits");
}

class Showing {
 public:
  Showing(const config::Configuration& configuration, const ShowOptions& options, std::istream& in,
          const Streams& streams)
      : configuration_(configuration), options_(options), in_(in), streams_(streams) {}

  int run();

 private:
  Result<void> check();
  Result<bool> read();
  Result<bool> read_ledger();
  Result<bool> read_ledger_topic();
  Result<bool> read_ledger_file();
  Result<bool> read_results();
  Result<bool> read_results_topic();
  [[nodiscard]] bool keeps_results() const;
  [[nodiscard]] std::string unknown() const;
  [[nodiscard]] bool is_it(const MemberKey& key, const LedgerEntry& entry) const;
  [[nodiscard]] bool is_it(const json::ResultView& result) const;
  void remember(std::string_view text);
  void remember(const json::ResultView& result);
  void print(const MemberKey& key, const LedgerEntry& entry) const;
  [[nodiscard]] std::string place(std::string_view input, Position position) const;
  [[nodiscard]] std::string input() const;

  const config::Configuration& configuration_;
  const ShowOptions& options_;
  std::istream& in_;
  const Streams& streams_;
  StopOnSignal signals_;
  std::optional<OrganizationNumber> organization_;
  std::optional<crypto::KeyedHash> hash_;
  std::optional<MemberKey> key_;  ///< --member-stdin
  json::ResultReader reader_;
  std::set<EventDigest> events_;  ///< found so far
  std::map<MemberKey, std::pair<Partition, LedgerEntry>> entries_;
  std::deque<std::string> results_;
};

Result<void> Showing::check() {
  const int ways = (options_.event_id.empty() ? 0 : 1) + (options_.subject.empty() ? 0 : 1) +
                   (options_.member_stdin ? 1 : 0);
  if (ways != 1) {
    return fail(Remedy::stop, "show: say one of --event-id, --subject and --member-stdin");
  }
  if (contains_national_id(options_.event_id) || contains_national_id(options_.subject)) {
    return fail(Remedy::stop,
                "show: an identity number stands on the command line, where others "
                "can read it; give it to --member-stdin");
  }
  const auto organization = listed_organization(configuration_, options_.organization);
  if (!organization) return tl::unexpected(organization.error());
  organization_ = *organization;
  const auto hash = keyed_hash(configuration_);
  if (!hash) return tl::unexpected(hash.error());
  hash_ = *hash;
  if (!options_.member_stdin) return {};
  const auto key = read_member(in_, *hash_, *organization_, configuration_.decoder.rule_2032);
  if (!key) return tl::unexpected(key.error());
  key_ = *key;
  return {};
}

/// The results name the events, the ledger the member: whichever is known first finds the other.
Result<bool> Showing::read() {
  const auto first = key_ ? &Showing::read_ledger : &Showing::read_results;
  const auto second = key_ ? &Showing::read_results : &Showing::read_ledger;
  const auto whole = (this->*first)();
  if (!whole || !*whole) return whole;
  return (this->*second)();
}

bool Showing::is_it(const MemberKey& key, const LedgerEntry& entry) const {
  if (key_) return key == *key_;
  if (entry.organization != *organization_) return false;
  if (events_.contains(entry.event)) return true;
  if (!entry.parked) return false;
  const Texts& texts = entry.parked->texts;
  if (!options_.subject.empty()) return texts[Field::subject] == options_.subject;
  return texts[Field::id] == options_.event_id || events_.contains(entry.parked->change.event);
}

Result<bool> Showing::read_ledger() {
  const auto whole = has_kafka_ledger(configuration_) ? read_ledger_topic() : read_ledger_file();
  if (!key_) return whole;
  for (const auto& [key, found] : entries_) {
    events_.insert(found.second.event);
    if (found.second.parked) events_.insert(found.second.parked->change.event);
  }
  return whole;
}

Result<bool> Showing::read_ledger_file() {
  auto file = open_ledger_file(configuration_);
  if (!file) return tl::unexpected(file.error());
  const Partition only{0};
  const auto table = file->restore(only);
  if (!table) return tl::unexpected(table.error());
  const auto add = [&](const MemberKey& key) {
    auto entry = ledger::find(*table, key, configuration_.decoder.form);
    if (entry && is_it(key, *entry)) entries_.emplace(key, std::pair(only, std::move(*entry)));
  };
  if (key_) {
    add(*key_);
  } else {
    table->for_each([&](const MemberKey& key, const auto&) { add(key); });
  }
  return true;
}

Result<bool> Showing::read_ledger_topic() {
  const auto input = open_input(configuration_);
  if (!input) return tl::unexpected(input.error());
  const auto log = open_ledger(configuration_);
  if (!log) return tl::unexpected(log.error());
  auto format = ledger_format(configuration_, input->partitions());
  if (!format) return tl::unexpected(format.error());
  const auto bounds = log->bounds();
  if (!bounds) return tl::unexpected(bounds.error());
  LedgerReader reader(std::move(*format));
  const auto take = [&](const kafka::TopicRecord& record) -> Result<bool> {
    const auto key = ledger_key(record);
    if (!key || (key_ && *key != *key_)) return true;
    auto entry = reader.read(record, log->topic(), configuration_.decoder.form);
    if (!entry) return tl::unexpected(entry.error());
    if (!*entry) {
      entries_.erase(*key);
    } else if (entries_.contains(*key) || is_it(*key, **entry)) {
      entries_.insert_or_assign(*key, std::pair(record.position.partition, std::move(**entry)));
    }
    return true;
  };
  return log->read(*bounds, take, signals_.token());
}

bool Showing::is_it(const json::ResultView& result) const {
  if (result.organization != organization_) return false;
  if (!options_.event_id.empty()) return result.event_id == options_.event_id;
  if (!options_.subject.empty()) return result.subject == options_.subject;
  return events_.contains(
      json::event_digest(*hash_, result.event_source, result.event_id, result.resend));
}

void Showing::remember(const json::ResultView& result) {
  std::string text = "result ";
  text += result.time;
  text += ": ";
  text += name(result.verdict);
  if (!result.reason_code.empty()) text += " (" + std::string(result.reason_code) + ")";
  if (result.version) text += ", version " + std::to_string(*result.version);
  text += ", attempts " + std::to_string(result.attempt);
  if (!result.next_attempt_at.empty()) {
    text += ", next due " + std::string(result.next_attempt_at);
  }
  text += ", event " + std::string(result.event_id);
  if (!result.resend.empty()) text += ", resend " + std::string(result.resend);
  text += ", from " + place(result.origin_topic, result.origin);
  if (results_.size() == results_max) results_.pop_front();
  results_.push_back(scrub_national_ids(std::move(text)));
  events_.insert(json::event_digest(*hash_, result.event_source, result.event_id, result.resend));
}

void Showing::remember(std::string_view text) {
  const auto result = reader_.read(text);
  if (result && is_it(*result)) remember(*result);
}

Result<bool> Showing::read_results() {
  if (configuration_.results_technology == config::Technology::kafka) return read_results_topic();
  if (!keeps_results()) return true;
  return read_result_lines(
      configuration_.file_results.path, [&](std::string_view line) { remember(line); },
      signals_.token());
}

Result<bool> Showing::read_results_topic() {
  const auto log = open_results(configuration_);
  if (!log) return tl::unexpected(log.error());
  const auto bounds = log->bounds();
  if (!bounds) return tl::unexpected(bounds.error());
  return log->read(
      *bounds,
      [&](const kafka::TopicRecord& record) -> Result<bool> {
        remember(record.value);
        return true;
      },
      signals_.token());
}

/// Queues and standard output are gone with whoever read them.
bool Showing::keeps_results() const {
  if (configuration_.results_technology != config::Technology::file) {
    return configuration_.results_technology == config::Technology::kafka;
  }
  return configuration_.file_results.path != file::standard_stream;
}

std::string Showing::unknown() const {
  if (keeps_results()) {
    return "nothing is known of it: neither the ledger nor the results that are left name it";
  }
  return key_ ? "nothing is known of it: the ledger does not name it"
              : "nothing that waits in the ledger is called so, and results are kept in a topic or "
                "a file only; --member-stdin finds every member that the ledger knows";
}

/// `input`: the topic, queue or file that the change came by.
std::string Showing::place(std::string_view input, Position position) const {
  std::string text(input);
  switch (configuration_.source_technology) {
    case config::Technology::amqp:
      return text;
    case config::Technology::file:
      return text + " line " + std::to_string(position.offset + 1);
    case config::Technology::kafka:
      break;
  }
  return text + "/" + std::to_string(static_cast<std::int32_t>(position.partition)) + " offset " +
         std::to_string(position.offset);
}

/// What is read now; an older change may have come by another file.
std::string Showing::input() const {
  switch (configuration_.source_technology) {
    case config::Technology::amqp:
      return configuration_.amqp_source.address;
    case config::Technology::file:
      return file::name_of(configuration_.file_source.path);
    case config::Technology::kafka:
      break;
  }
  return configuration_.source.topic;
}

void Showing::print(const MemberKey& key, const LedgerEntry& entry) const {
  std::ostream& out = streams_.out;
  const Partition partition = entries_.at(key).first;
  out << "ledger key " << key.hex() << ": ";
  if (entry.version == LedgerEntry::nothing_concluded) {
    out << "nothing concluded";
  } else {
    out << name(entry.verdict);
    if (entry.reason != Reason::none) out << " (" << entry_of(entry.reason).code << ")";
    out << ", version " << entry.version << ", attempts " << entry.attempt;
  }
  if (entry.ever_accepted) {
    out << ", last accepted " << json::time_text(WallTime(entry.accepted_on)).substr(0, 10);
  }
  out << "\n";
  if (!entry.parked) return;
  const ParkedChange& parked = *entry.parked;
  out << "waits: version " << parked.change.version << ", "
      << (parked.why == Reason::none ? "not submitted yet" : entry_of(parked.why).code)
      << ", attempts " << parked.attempt << ", next due " << json::time_text(parked.due)
      << ", since " << json::time_text(parked.parked_since) << ", event "
      << scrub_national_ids(std::string(parked.texts[Field::id])) << ", from "
      << place(input(), {partition, parked.offset}) << "\n";
}

int Showing::run() {
  if (auto fine = check(); !fine) return tell(streams_, fine.error());
  const auto whole = read();
  if (!whole) return tell(streams_, whole.error());
  if (!*whole) return tell(streams_, Error{Remedy::retry, "interrupted"});
  for (const auto& [key, found] : entries_) print(key, found.second);
  for (const std::string& result : results_) streams_.out << result << "\n";
  if (results_.size() == results_max) {
    streams_.out << "the newest " << results_max << " results are shown\n";
  }
  if (!entries_.empty() || !results_.empty()) return well;
  return tell(streams_, Error{Remedy::retry, unknown()});
}

}  // namespace

int show(const config::Configuration& configuration, const ShowOptions& options, std::istream& in,
         const Streams& streams) {
  return Showing(configuration, options, in, streams).run();
}

}  // namespace helsekontakter::tools
