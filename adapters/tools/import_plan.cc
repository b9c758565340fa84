#include "adapters/tools/import_plan.h"

#include "adapters/json/calendar.h"
#include "worker/fhir/bundle.h"

#include <optional>
#include <unordered_map>
#include <utility>

namespace helsekontakter::tools {
namespace {

constexpr std::string_view type = "no.helsekontakter.membership.changed.v1";

void append(std::string& out, std::string_view name, std::string_view text) {
  out += name;
  fhir::append_json_string(out, text);
}

std::string what_is_wrong(const Finding& finding, std::string_view where) {
  const ReasonEntry& entry = entry_of(finding.reason);
  std::string text(entry.code);
  text += ": ";
  text += entry.text;
  if (!where.empty()) text += " (" + std::string(where) + ")";
  return text;
}

/// Ends a membership that is missing now; false when it is over already.
bool end_on(MemberLine& line, std::chrono::sys_days today) {
  const auto end = json::parse_date(line.end);
  if (end && *end < today) return false;
  const auto day = json::date_text(today);
  if (!day) return false;
  line.end.assign(day->begin(), day->end());
  if (json::parse_date(line.start) > today) line.start = line.end;
  line.ended = true;
  return true;
}

}  // namespace

ImportEvents::ImportEvents(json::DecoderSettings settings, const crypto::KeyedHash& hash,
                           ImportFacts facts)
    : decoder_(std::move(settings), hash), facts_(std::move(facts)) {}

std::string ImportEvents::text(const MemberLine& line, std::size_t number) const {
  std::string out = R"({"specversion":"1.0","id":)";
  fhir::append_json_string(out, "import-" + std::to_string(facts_.time.time_since_epoch().count()) +
                                    "-" + std::to_string(number));
  append(out, R"(,"source":)", facts_.source);
  append(out, R"(,"type":)", type);
  if (!line.subject.empty()) append(out, R"(,"subject":)", line.subject);
  append(out, R"(,"time":)", json::time_text(facts_.time));
  append(out, R"(,"datacontenttype":"application/json","data":{"organization":)",
         facts_.organization.digits());
  append(out, R"(,"member":)", line.member);
  append(out, R"(,"period":{"start":)", line.start);
  if (!line.end.empty()) append(out, R"(,"end":)", line.end);
  out += R"(},"version":)" + std::to_string(facts_.version);
  if (line.ended) out += R"(,"ended":true)";
  out += "}}";
  return out;
}

tl::expected<ImportEvents::Checked, std::string> ImportEvents::check(const MemberLine& line) {
  const std::string payload = text(line, line.line);
  const Delivery delivery = decoder_.decode({.payload = payload,
                                             .key = line.key,
                                             .plain_source = "import",
                                             .broker_time = facts_.time,
                                             .now = facts_.time});
  if (const auto* change = std::get_if<Change>(&delivery.content)) {
    return Checked{change->key, change->content};
  }
  const auto* finding = std::get_if<Finding>(&delivery.content);
  if (finding == nullptr) return tl::unexpected<std::string>("makes no change");
  return tl::unexpected(what_is_wrong(*finding, delivery.texts[Texts::Field::detail]));
}

tl::expected<CheckedList, ListFaults> check_list(std::vector<MemberLine> lines,
                                                 ImportEvents& events) {
  CheckedList list;
  ListFaults faults;
  std::unordered_map<MemberKey, std::size_t, DigestHash> seen;
  list.checked.reserve(lines.size());
  for (const MemberLine& line : lines) {
    const auto checked = events.check(line);
    if (!checked) {
      faults.add(line.line, checked.error());
      continue;
    }
    const auto [before, is_new] = seen.emplace(checked->key, line.line);
    if (!is_new) {
      faults.add(line.line, "the same member as in line " + std::to_string(before->second) +
                                "; keep one of the two");
    }
    list.checked.push_back(*checked);
  }
  if (faults.total > 0) return tl::unexpected(std::move(faults));
  list.lines = std::move(lines);
  return list;
}

ImportPlan plan_import(CheckedList now, CheckedList before, std::chrono::sys_days today) {
  ImportPlan plan{.sent = {}, .previous = before.lines.size()};
  std::unordered_map<MemberKey, ContentDigest, DigestHash> old;
  for (const ImportEvents::Checked& each : before.checked) old.emplace(each.key, each.content);
  for (std::size_t i = 0; i < now.lines.size(); ++i) {
    const auto was = old.find(now.checked[i].key);
    const bool is_new = was == old.end();
    if (!is_new && was->second == now.checked[i].content) {
      ++plan.unchanged;
    } else {
      ++(is_new ? plan.added : plan.changed);
      plan.sent.push_back(std::move(now.lines[i]));
    }
    if (!is_new) old.erase(was);
  }
  for (std::size_t i = 0; i < before.lines.size(); ++i) {
    if (!old.contains(before.checked[i].key)) continue;
    if (end_on(before.lines[i], today)) {
      ++plan.ended;
      plan.sent.push_back(std::move(before.lines[i]));
    } else {
      ++plan.over;
    }
  }
  return plan;
}

}  // namespace helsekontakter::tools
