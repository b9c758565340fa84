#pragma once

#include "worker/submission/rules.h"

#include <span>
#include <string>
#include <vector>

namespace helsekontakter {

/// What is wrong with a configured rule table, a sentence each with the rules' numbers from 1 and
/// what to change: senseless conditions, rules that nothing can reach, overlapping ones that
/// disagree. Empty: the table may be used.
[[nodiscard]] std::vector<std::string> lint(std::span<const OutcomeRule> rules);

}  // namespace helsekontakter
