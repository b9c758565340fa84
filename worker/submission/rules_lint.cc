#include "worker/submission/rules_lint.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

namespace helsekontakter {
namespace {

constexpr int status_max = 599;

/// The answers that a rule's conditions admit: a product of four sets. Two of them meet where all
/// four meet, and one contains the other where all four do.
struct Region {
  bool offerings = true;
  bool members = true;
  int first = 0;
  int last = status_max;
  std::optional<std::string> code;
  std::vector<std::string> texts;  ///< all of them contained, lower case
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

Region region_of(const OutcomeRule& rule) {
  Region region;
  if (rule.lane) {
    region.offerings = *rule.lane == Lane::offerings;
    region.members = *rule.lane == Lane::members;
  }
  if (rule.status_first) {
    region.first = *rule.status_first;
    region.last = rule.status_last.value_or(*rule.status_first);
  }
  region.code = rule.code;
  if (rule.text) region.texts.push_back(lower(*rule.text));
  return region;
}

/// Each text that the outer region asks for stands in one that the inner region asks for.
bool texts_contain(const Region& outer, const Region& inner) {
  return std::all_of(outer.texts.begin(), outer.texts.end(), [&](const std::string& wanted) {
    return std::any_of(inner.texts.begin(), inner.texts.end(), [&](const std::string& given) {
      return given.find(wanted) != std::string::npos;
    });
  });
}

bool words_contain(const Region& outer, const Region& inner) {
  return (!outer.code || outer.code == inner.code) && texts_contain(outer, inner);
}

bool contains(const Region& outer, const Region& inner) {
  return (outer.offerings || !inner.offerings) && (outer.members || !inner.members) &&
         outer.first <= inner.first && outer.last >= inner.last && words_contain(outer, inner);
}

std::optional<Region> intersection(const Region& a, const Region& b) {
  if (a.code && b.code && a.code != b.code) return std::nullopt;
  Region both{.offerings = a.offerings && b.offerings,
              .members = a.members && b.members,
              .first = std::max(a.first, b.first),
              .last = std::min(a.last, b.last),
              .code = a.code ? a.code : b.code,
              .texts = a.texts};
  both.texts.insert(both.texts.end(), b.texts.begin(), b.texts.end());
  if ((!both.offerings && !both.members) || both.first > both.last) return std::nullopt;
  return both;
}

std::string number(std::size_t index) {
  return "rule " + std::to_string(index + 1);
}

/// The regions before `region` that leave nothing of it, by index; empty: something is left.
std::vector<std::size_t> covering(std::span<const Region> earlier, const Region& region) {
  std::vector<std::size_t> used;
  for (const bool offerings : {true, false}) {
    if (offerings ? !region.offerings : !region.members) continue;
    int next = region.first;  // everything below is covered for this lane
    while (next <= region.last) {
      const auto covers = [&](const Region& other) {
        return (offerings ? other.offerings : other.members) && other.first <= next &&
               other.last >= next && words_contain(other, region);
      };
      const auto found = std::find_if(earlier.begin(), earlier.end(), covers);
      if (found == earlier.end()) return {};
      used.push_back(static_cast<std::size_t>(found - earlier.begin()));
      next = found->last + 1;
    }
  }
  std::sort(used.begin(), used.end());
  used.erase(std::unique(used.begin(), used.end()), used.end());
  return used;
}

std::optional<std::string> fault_of(const OutcomeRule& rule) {
  if (rule.status_last && !rule.status_first) return "a last status without a first one";
  if (rule.status_first) {
    const int first = *rule.status_first;
    const int last = rule.status_last.value_or(first);
    const bool in_range = (first == 0 && last == 0) || (first >= 100 && last <= status_max);
    if (!in_range || first > last) return "its status is no HTTP status, nor a range of them";
  }
  if (rule.text && rule.text->empty()) {
    return "an empty text is contained in every answer; leave the condition out";
  }
  if (!rule.reason) return std::nullopt;
  const bool rejects = rule.judgement == Judgement::rejected || rule.judgement == Judgement::halve;
  const Verdict verdict =
      *rule.reason == Reason::none ? Verdict::accepted : entry_of(*rule.reason).verdict;
  if ((rejects && verdict == Verdict::rejected) ||
      (rule.judgement == Judgement::inactive && verdict == Verdict::inactive)) {
    return std::nullopt;
  }
  return "its reason does not belong to its verdict; leave the reason out";
}

bool agree(const OutcomeRule& a, const OutcomeRule& b) {
  return a.judgement == b.judgement && a.reason == b.reason;
}

std::string list(std::span<const std::size_t> indexes) {
  std::string out;
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    if (i > 0) out += i + 1 == indexes.size() ? " and " : ", ";
    out += number(indexes[i]);
  }
  return out;
}

/// The first earlier rule that meets rule `at` where the order would be a guess.
std::optional<std::size_t> conflict(std::span<const OutcomeRule> rules,
                                    std::span<const Region> regions, std::size_t at) {
  for (std::size_t i = 0; i < at; ++i) {
    if (agree(rules[i], rules[at]) || contains(regions[at], regions[i])) continue;
    const std::optional<Region> both = intersection(regions[i], regions[at]);
    if (both && covering(regions.first(i), *both).empty()) return i;
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> lint(std::span<const OutcomeRule> rules) {
  std::vector<std::string> faults;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (const auto fault = fault_of(rules[i])) faults.push_back(number(i) + ": " + *fault);
  }
  if (!faults.empty()) return faults;

  std::vector<Region> regions;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const Region region = region_of(rules[i]);
    const std::vector<std::size_t> before = covering(regions, region);
    regions.push_back(region);
    if (!before.empty()) {
      faults.push_back(number(i) + " is never reached: " + list(before) +
                       " matches all of it first; remove it, or move it before");
      continue;
    }
    if (const auto other = conflict(rules, regions, i)) {
      faults.push_back(number(*other) + " and " + number(i) +
                       " can both match one answer and disagree; add a condition that keeps them "
                       "apart, or put a rule with the conditions of both before them");
    }
  }
  return faults;
}

}  // namespace helsekontakter
