#include "tests/simulator/statistics.h"

#include <iterator>

namespace helsekontakter::simulator {
namespace {

using Counters = std::map<std::string, std::uint64_t, std::less<>>;

/// Prints the counters in [first, last), which share `prefix`, as one JSON object.
void append_object(std::string& out, Counters::const_iterator first, Counters::const_iterator last,
                   std::size_t prefix) {
  out += '{';
  while (first != last) {
    const std::string_view rest = std::string_view(first->first).substr(prefix);
    const std::size_t dot = rest.find('.');
    const std::string_view name = rest.substr(0, dot);
    out.append(1, '"').append(name).append("\":");
    auto next = std::next(first);
    if (dot == std::string_view::npos) {
      out += std::to_string(first->second);
    } else {
      const std::string group = first->first.substr(0, prefix + dot + 1);
      while (next != last && next->first.starts_with(group)) ++next;
      append_object(out, first, next, group.size());
    }
    first = next;
    if (first != last) out += ',';
  }
  out += '}';
}

}  // namespace

Statistics::Statistics() {
  for (const char* name : {"helseid.requests",
                           "helseid.tokens_issued",
                           "helseid.nonce_challenges",
                           "helseid.faults",
                           "api.requests",
                           "api.answered",
                           "api.bytes",
                           "api.entries",
                           "api.in_progress",
                           "api.late_pending",
                           "api.refused_requests",
                           "api.rate_limited",
                           "api.unauthorized",
                           "api.verdicts.accepted",
                           "api.verdicts.inactive",
                           "api.verdicts.invalid",
                           "api.verdicts.organization_unknown",
                           "api.offerings_accepted",
                           "members.known",
                           "members.applied",
                           "members.applied_late",
                           "members.repeated",
                           "members.older_over_newer",
                           "members.overlapping",
                           "status.requests",
                           "status.faults",
                           "status.numbers",
                           "status.active"}) {
    counters_.emplace(name, 0);
  }
}

void Statistics::count(std::string_view name, std::uint64_t amount) {
  if (const auto found = counters_.find(name); found != counters_.end()) {
    found->second += amount;
  } else {
    counters_.emplace(name, amount);
  }
}

void Statistics::set(std::string_view name, std::uint64_t value) {
  counters_.insert_or_assign(std::string(name), value);
}

std::uint64_t Statistics::value(std::string_view name) const {
  const auto found = counters_.find(name);
  return found == counters_.end() ? 0 : found->second;
}

std::string Statistics::json() const {
  std::string out;
  append_object(out, counters_.begin(), counters_.end(), 0);
  return out;
}

}  // namespace helsekontakter::simulator
