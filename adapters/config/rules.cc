#include "adapters/config/sections.h"
#include "worker/domain/national_id.h"
#include "worker/submission/rules_lint.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace helsekontakter::config {
namespace {

constexpr std::string_view rules_path = "outcome.rules";
constexpr std::array<std::string_view, 6> judgements{"accepted", "inactive", "rejected",
                                                     "retry",    "hold",     "halve"};

std::optional<Judgement> judgement_of(std::string_view text) {
  const auto found = std::find(judgements.begin(), judgements.end(), text);
  if (found == judgements.end()) return std::nullopt;
  return static_cast<Judgement>(found - judgements.begin());
}

std::optional<Lane> lane_of(std::string_view text) {
  for (const Lane lane : {Lane::offerings, Lane::members}) {
    if (name(lane) == text) return lane;
  }
  return std::nullopt;
}

std::optional<Reason> reason_of(std::string_view text) {
  for (const ReasonEntry& entry : reason_table()) {
    if (entry.code == text) return entry.reason;
  }
  return std::nullopt;
}

/// "422", "4xx", or "0" for an entry without a status.
bool read_status(std::string_view text, OutcomeRule& rule) {
  if (text == "0") {
    rule.status_first = 0;
    return true;
  }
  if (text.size() != 3 || text[0] < '1' || text[0] > '5') return false;
  if (text.substr(1) == "xx") {
    rule.status_first = (text[0] - '0') * 100;
    rule.status_last = *rule.status_first + 99;
    return true;
  }
  int status = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    status = status * 10 + (c - '0');
  }
  rule.status_first = status;
  return true;
}

/// What is wrong with this member of a rule; empty: nothing.
std::string read_condition(const std::string& name, const std::string& text, OutcomeRule& rule) {
  if (name == "status") {
    return read_status(text, rule) ? "" : "a status such as 422, a class such as 4xx, or 0";
  }
  if (name == "code" || name == "text") {
    (name == "code" ? rule.code : rule.text) = text;
    return name == "text" && text.empty() ? "a text that is not empty" : "";
  }
  if (name == "lane") {
    rule.lane = lane_of(text);
    return rule.lane ? "" : "offerings or members";
  }
  if (name == "reason") {
    rule.reason = reason_of(text);
    return rule.reason ? "" : "a reason code of schemas/reasons.json";
  }
  return {};
}

class RuleReading {
 public:
  RuleReading(std::string key, Errors& errors) : key_(std::move(key)), errors_(errors) {}

  [[nodiscard]] std::optional<OutcomeRule> read(const Value& value) {
    const std::size_t before = errors_.size();
    if (value.kind != Value::Kind::map) {
      complain("", value, "{lane, status, code, text, verdict, reason} is expected");
      return std::nullopt;
    }
    OutcomeRule rule;
    bool has_verdict = false;
    for (const auto& [name, member] : value.members) {
      has_verdict = has_verdict || name == "verdict";
      read_member(name, member, rule);
    }
    if (!has_verdict) complain("", value, "verdict is missing");
    if (errors_.size() > before) return std::nullopt;
    return rule;
  }

 private:
  void read_member(const std::string& name, const Value& value, OutcomeRule& rule) {
    static constexpr std::array<std::string_view, 6> known{"lane", "status",  "code",
                                                           "text", "verdict", "reason"};
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      complain("." + name, value, "is no known key; lane, status, code, text, verdict, reason are");
    } else if (value.kind != Value::Kind::scalar) {
      complain("." + name, value, "a text is expected");
    } else if (name == "verdict") {
      const std::optional<Judgement> judgement = judgement_of(value.text);
      if (judgement) rule.judgement = *judgement;
      if (!judgement) {
        complain("." + name, value,
                 "one of accepted, inactive, rejected, retry, hold, halve is expected");
      }
    } else if (const std::string expected = read_condition(name, value.text, rule);
               !expected.empty()) {
      complain("." + name, value, expected + " is expected");
    }
  }

  void complain(const std::string& below, const Value& at, std::string message) {
    errors_.push_back({.key = scrub_national_ids(key_ + below),
                       .value = scrub_national_ids(at.text.substr(0, 100)),
                       .message = std::move(message),
                       .origin = at.origin});
  }

  std::string key_;
  Errors& errors_;
};

}  // namespace

void read_rules(const Values& values, Configuration& out, Errors& errors) {
  const Value& list = values.value(rules_path);
  const std::size_t before = errors.size();
  std::vector<OutcomeRule> rules;
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    RuleReading reading(std::string(rules_path) + "[" + std::to_string(i + 1) + "]", errors);
    if (auto rule = reading.read(list.items[i])) rules.push_back(std::move(*rule));
  }
  if (errors.size() > before) return;  // the numbers would not be those of the file
  for (const std::string& fault : lint(rules)) errors.push_back(values.error(rules_path, fault));
  if (errors.size() > before) return;
  if (auto table = OutcomeRules::with(std::move(rules))) {
    out.worker.rules = std::move(*table);
  } else {
    errors.push_back(values.error(rules_path, table.error().message));
  }
}

}  // namespace helsekontakter::config
