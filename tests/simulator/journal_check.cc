#include "tests/simulator/journal.h"

#include <fstream>

#include <simdjson.h>

namespace helsekontakter::simulator {
namespace {

std::optional<MemberHash::Digest> read_hex(std::string_view text) {
  MemberHash::Digest digest{};
  if (text.size() != 2 * digest.size()) return std::nullopt;
  const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const int byte = value(text[2 * i]) * 16 + value(text[2 * i + 1]);
    if (byte < 0 || byte > 255) return std::nullopt;
    digest[i] = static_cast<std::uint8_t>(byte);
  }
  return digest;
}

/// The line when it is a member's; nothing when it is an offering's or cut short.
std::optional<JournalLine> read_line(simdjson::dom::parser& parser, const std::string& text) {
  simdjson::dom::object object;
  if (parser.parse(text.data(), text.size()).get(object) != simdjson::SUCCESS) return std::nullopt;
  const auto key = read_hex(text_of(object, "member").value_or(""));
  const auto sequence = integer_of(object, "seq");
  const auto version = integer_of(object, "version");
  if (!key || !sequence || !version) return std::nullopt;
  bool is_late = false;
  if (object["late"].get(is_late) != simdjson::SUCCESS) return std::nullopt;
  return JournalLine{static_cast<std::uint64_t>(*sequence), *key,
                     text_of(object, "organization").value_or(""),
                     static_cast<std::int32_t>(*version), is_late};
}

struct Totals {
  std::uint64_t applied = 0;
  std::uint64_t late = 0;
  std::uint64_t repeated = 0;
  std::uint64_t older_over_newer = 0;
  std::uint64_t older_last = 0;  ///< members whose last version is not their newest
  Members members;
};

Result<Totals> total(const std::string& file) {
  Totals totals;
  auto read = read_journal(file, [&](const JournalLine& line) {
    ++totals.applied;
    totals.late += line.is_late ? 1 : 0;
    switch (land(totals.members[line.key], line.version)) {
      case Landing::repeated:
        ++totals.repeated;
        break;
      case Landing::older_over_newer:
        ++totals.older_over_newer;
        break;
      case Landing::first:
      case Landing::newer:
        break;
    }
  });
  if (!read) return tl::unexpected<Error>(read.error());
  for (const auto& [key, member] : totals.members) {
    totals.older_last += member.last < member.newest ? 1 : 0;
  }
  return totals;
}

std::string counters(const Totals& totals) {
  return "\"applied\":" + std::to_string(totals.applied) +
         ",\"applied_late\":" + std::to_string(totals.late) +
         ",\"repeated\":" + std::to_string(totals.repeated) +
         ",\"older_over_newer\":" + std::to_string(totals.older_over_newer) +
         ",\"members\":" + std::to_string(totals.members.size()) +
         ",\"members_left_older\":" + std::to_string(totals.older_last);
}

struct Tally {
  std::uint64_t expected = 0;
  std::uint64_t matching = 0;
  std::uint64_t mismatched = 0;
  std::uint64_t missing = 0;
};

Result<Tally> tally(const Members& members, const MemberHash& hash, const std::string& file) {
  std::ifstream stream(file);
  if (!stream) return fail(Remedy::stop, file + " cannot be read");
  Tally out;
  simdjson::dom::parser parser;
  for (std::string line; std::getline(stream, line);) {
    if (line.empty()) continue;
    ++out.expected;
    simdjson::dom::object object;
    const bool is_object = parser.parse(line.data(), line.size()).get(object) == simdjson::SUCCESS;
    const auto organization = is_object ? text_of(object, "organization") : std::nullopt;
    const auto member = is_object ? text_of(object, "member") : std::nullopt;
    const auto version = is_object ? integer_of(object, "version") : std::nullopt;
    if (!organization || !member || !version) {
      return fail(Remedy::stop, file + " line " + std::to_string(out.expected) +
                                    ": needs organization, member and version");
    }
    const auto found = members.find(hash(*organization, *member));
    if (found == members.end()) {
      ++out.missing;
    } else if (found->second.last == *version) {
      ++out.matching;
    } else {
      ++out.mismatched;
    }
  }
  return out;
}

}  // namespace

Result<void> read_journal(const std::string& file,
                          const std::function<void(const JournalLine&)>& each) {
  std::ifstream stream(file);
  if (!stream) return fail(Remedy::stop, file + " cannot be read");
  simdjson::dom::parser parser;
  for (std::string text; std::getline(stream, text);) {
    if (const auto line = read_line(parser, text)) each(*line);
  }
  return {};
}

Result<std::string> summarize(const std::string& file) {
  const auto totals = total(file);
  if (!totals) return tl::unexpected<Error>(totals.error());
  return "{" + counters(*totals) + "}";
}

Result<Comparison> compare(const std::string& file, const std::string& key,
                           const std::string& expected_file, bool exact) {
  const auto totals = total(file);
  if (!totals) return tl::unexpected<Error>(totals.error());
  const auto counted = tally(totals->members, MemberHash(key), expected_file);
  if (!counted) return tl::unexpected<Error>(counted.error());
  const std::uint64_t found = counted->matching + counted->mismatched;
  const std::uint64_t unexpected =
      totals->members.size() - std::min<std::uint64_t>(totals->members.size(), found);
  Comparison out;
  out.agrees = counted->mismatched + counted->missing == 0 && (!exact || unexpected == 0);
  out.json = "{\"agrees\":" + std::string(out.agrees ? "true" : "false") +
             ",\"expected\":" + std::to_string(counted->expected) +
             ",\"matching\":" + std::to_string(counted->matching) +
             ",\"mismatched\":" + std::to_string(counted->mismatched) +
             ",\"missing\":" + std::to_string(counted->missing) +
             ",\"unexpected\":" + std::to_string(unexpected) + "," + counters(*totals) + "}";
  return out;
}

}  // namespace helsekontakter::simulator
