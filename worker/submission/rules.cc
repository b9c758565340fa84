#include "worker/submission/rules.h"

#include "worker/submission/rules_lint.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

namespace helsekontakter {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool contains(std::string_view text, std::string_view part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [](char a, char b) { return lower(a) == lower(b); }) != text.end();
}

bool matches(const OutcomeRule& rule, Lane lane, const EntryAnswer& answer) {
  if (rule.lane && *rule.lane != lane) return false;
  if (rule.status_first) {
    const int last = rule.status_last.value_or(*rule.status_first);
    if (answer.status < *rule.status_first || answer.status > last) return false;
  }
  if (rule.code && *rule.code != answer.code) return false;
  return !rule.text || contains(answer.text, *rule.text);
}

Reason usual_reason(Judgement judgement) {
  switch (judgement) {
    case Judgement::inactive:
      return Reason::not_digitally_active;
    case Judgement::rejected:
    case Judgement::halve:
      return Reason::refused_by_endpoint;
    case Judgement::accepted:
    case Judgement::retry:
    case Judgement::hold:
      break;
  }
  return Reason::none;
}

bool is_one_of(std::string_view code, std::span<const std::string_view> codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

/// The platform's own refusals: token, client, organisation number.
bool is_about_access(const EntryAnswer& answer) {
  return answer.status == 401 || answer.status == 403 || answer.code.starts_with("EHSEC-");
}

bool says_inactive(const EntryAnswer& answer) {
  return answer.code == "2118" || contains(answer.text, "ikke digitalt aktiv");
}

/// The texts are guesses, Norwegian and English: the endpoint's own words are not published.
/// A member list may arrive before the offering that introduces its organisation.
bool says_organization_unknown(const EntryAnswer& answer) {
  static constexpr std::array<std::string_view, 3> nouns{"organisasjon", "organization",
                                                         "organisation"};
  static constexpr std::array<std::string_view, 7> adjectives{
      "ukjent",    "ikke funnet",    "finnes ikke",    "unknown",
      "not found", "not registered", "ikke registrert"};
  const auto said = [&](std::string_view word) { return contains(answer.text, word); };
  return std::any_of(nouns.begin(), nouns.end(), said) &&
         std::any_of(adjectives.begin(), adjectives.end(), said);
}

/// Faults of content, as Helsenorge's sibling interfaces number them.
bool says_content_invalid(const EntryAnswer& answer) {
  static constexpr std::array<std::string_view, 6> codes{"2109", "2147", "2174",
                                                         "102",  "1111", "1112"};
  return is_one_of(answer.code, codes);
}

Judgement judge_by_default(const EntryAnswer& answer) {
  const int status = answer.status;
  const bool success = status == 0 || (status >= 200 && status < 300);
  if (is_about_access(answer)) return Judgement::hold;
  if (says_inactive(answer)) return Judgement::inactive;
  if (success && !answer.fault) return Judgement::accepted;
  if (says_organization_unknown(answer)) return Judgement::retry;
  if (status == 408 || status == 429 || status >= 500) return Judgement::retry;
  if (says_content_invalid(answer)) return Judgement::rejected;
  if (success || status >= 400) return Judgement::halve;
  return status >= 300 ? Judgement::hold : Judgement::retry;
}

}  // namespace

OutcomeRules::OutcomeRules() = default;

Result<OutcomeRules> OutcomeRules::with(std::vector<OutcomeRule> configured) {
  const std::vector<std::string> faults = lint(configured);
  if (!faults.empty()) {
    std::string message;
    for (const std::string& fault : faults) message += (message.empty() ? "" : "; ") + fault;
    return fail(Remedy::stop, std::move(message));
  }
  OutcomeRules rules;
  rules.rules_ = std::move(configured);
  return rules;
}

OutcomeRules::Match OutcomeRules::judge(Lane lane, const EntryAnswer& answer) const {
  for (const OutcomeRule& rule : rules_) {
    if (!matches(rule, lane, answer)) continue;
    return {rule.judgement, rule.reason.value_or(usual_reason(rule.judgement))};
  }
  const Judgement judgement = judge_by_default(answer);
  return {judgement, usual_reason(judgement)};
}

}  // namespace helsekontakter
