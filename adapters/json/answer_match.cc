#include "adapters/json/answer_match.h"

#include "worker/domain/national_id.h"

#include <algorithm>
#include <array>
#include <utility>

namespace helsekontakter::json {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t identifier_length = 11;
constexpr std::size_t uuid_length = 36;
constexpr std::size_t depth_max = 8;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool says_same(const EntryAnswer& a, const EntryAnswer& b) {
  return a.status == b.status && a.fault == b.fault && a.code == b.code;
}

using Slots = std::vector<std::optional<EntryAnswer>>;

/// Puts an answer into its slot; false when another one is there that says something else.
bool place(Slots& slots, std::size_t at, EntryAnswer&& answer) {
  if (slots[at]) return says_same(*slots[at], answer);
  slots[at] = std::move(answer);
  return true;
}

bool any_stranger(const std::vector<AnsweredItem>& items) {
  return std::any_of(items.begin(), items.end(), [](const AnsweredItem& item) {
    return item.match.kind == EntryMatcher::Kind::stranger ||
           item.match.kind == EntryMatcher::Kind::ambiguous;
  });
}

/// True when the items can stand for the entries in their order.
bool positions_hold(const std::vector<AnsweredItem>& items, std::size_t entries) {
  if (items.size() != entries) return false;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto& match = items[i].match;
    if (match.kind == EntryMatcher::Kind::entry && match.index != i) return false;
  }
  return true;
}

bool all_named(const std::vector<AnsweredItem>& items) {
  return std::all_of(items.begin(), items.end(), [](const AnsweredItem& item) {
    return item.match.kind == EntryMatcher::Kind::entry;
  });
}

/// Puts the items into their slots by name; those without a name are left out when they report
/// no fault. False when a fault has no owner, or two items contradict each other.
bool place_by_name(std::vector<AnsweredItem>& items, Slots& slots) {
  for (AnsweredItem& item : items) {
    if (item.match.kind == EntryMatcher::Kind::entry) {
      if (!place(slots, item.match.index, std::move(item.answer))) return false;
    } else if (!succeeded(item.answer)) {
      return false;
    }
  }
  return true;
}

std::optional<std::vector<EntryAnswer>> filled(Slots slots, Lane lane) {
  std::vector<EntryAnswer> answers;
  answers.reserve(slots.size());
  for (auto& slot : slots) {
    if (!slot && lane == Lane::members) return std::nullopt;
    answers.push_back(slot ? std::move(*slot) : EntryAnswer{});
  }
  return answers;
}

}  // namespace

/// What a piece of the answer names; the first two are enough to tell one from several.
struct EntryMatcher::Seen {
  std::optional<std::size_t> identifier;
  std::optional<std::size_t> full_url;
  bool several_identifiers = false;
  bool several_full_urls = false;
  bool stranger = false;

  void add_identifier(std::size_t index) {
    several_identifiers = several_identifiers || (identifier && *identifier != index);
    identifier = index;
  }
  void add_full_url(std::size_t index) {
    several_full_urls = several_full_urls || (full_url && *full_url != index);
    full_url = index;
  }
  [[nodiscard]] Match match() const {
    if (several_identifiers) return {Kind::ambiguous, 0};
    if (identifier) return {Kind::entry, *identifier};
    if (stranger) return {Kind::stranger, 0};
    if (several_full_urls) return {Kind::ambiguous, 0};
    if (full_url) return {Kind::entry, *full_url};
    return {};
  }
};

EntryMatcher::EntryMatcher(const std::vector<EntryReference>& entries) {
  by_identifier_.reserve(entries.size());
  by_full_url_.reserve(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    by_identifier_.emplace(entries[i].identifier, i);
    by_full_url_.emplace(entries[i].full_url, i);
  }
}

std::optional<std::size_t> EntryMatcher::by_identifier(std::string_view text) const {
  const auto found = by_identifier_.find(text);
  if (found == by_identifier_.end()) return std::nullopt;
  return found->second;
}

EntryMatcher::Match EntryMatcher::find(const dom::element& item) const {
  Seen seen;
  collect(item, false, 0, seen);
  return seen.match();
}

EntryMatcher::Match EntryMatcher::find_mentioned(const dom::element& item) const {
  Seen seen;
  collect(item, true, 0, seen);
  return seen.match();
}

void EntryMatcher::collect(const dom::element& value, bool mentions, std::size_t depth,
                           Seen& seen) const {
  if (depth > depth_max) return;
  dom::object object;
  dom::array array;
  std::string_view text;
  std::uint64_t number = 0;
  if (value.get(text) == simdjson::SUCCESS) {
    mentions ? collect_mentions(text, seen) : collect_text(text, seen);
  } else if (value.get(object) == simdjson::SUCCESS) {
    for (const dom::key_value_pair member : object)
      collect(member.value, mentions, depth + 1, seen);
  } else if (value.get(array) == simdjson::SUCCESS) {
    for (const dom::element element : array) collect(element, mentions, depth + 1, seen);
  } else if (value.get(number) == simdjson::SUCCESS && number < 100'000'000'000) {
    // An identifier sent as a number has lost its leading zeros.
    std::string digits = std::to_string(number);
    if (digits.size() < identifier_length - 1) return;
    digits.insert(0, identifier_length - digits.size(), '0');
    collect_text(digits, seen);
  }
}

void EntryMatcher::collect_text(std::string_view text, Seen& seen) const {
  if (text.size() == identifier_length && std::all_of(text.begin(), text.end(), is_digit)) {
    if (const auto index = by_identifier(text)) {
      seen.add_identifier(*index);
    } else if (contains_national_id(text)) {
      seen.stranger = true;
    }
    return;
  }
  // "urn:uuid:<guid>", "Patient/<guid>", a bare GUID, "Patient/<guid>/_history/1".
  std::string_view rest = text;
  if (const auto history = rest.find("/_history"); history != std::string_view::npos) {
    rest = rest.substr(0, history);
  }
  if (rest.size() < uuid_length) return;
  const std::string_view last = rest.substr(rest.size() - uuid_length);
  const auto uuid = Uuid::parse(last);
  if (!uuid) return;
  if (const auto index = by_identifier(uuid->text())) return seen.add_identifier(*index);
  const auto found = by_full_url_.find(*uuid);
  if (found != by_full_url_.end()) seen.add_full_url(found->second);
}

void EntryMatcher::collect_mentions(std::string_view text, Seen& seen) const {
  for (std::size_t at = 0; at < text.size();) {
    if (!is_digit(text[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && is_digit(text[end])) ++end;
    if (end - at == identifier_length) collect_text(text.substr(at, end - at), seen);
    at = end;
  }
}

bool succeeded(const EntryAnswer& answer) {
  return !answer.fault && (answer.status == 0 || (answer.status >= 200 && answer.status < 300));
}

std::optional<std::vector<EntryAnswer>> attribute(std::vector<AnsweredItem> items,
                                                  std::size_t entries, Lane lane) {
  if (any_stranger(items)) return std::nullopt;
  Slots slots(entries);
  if (!all_named(items) && positions_hold(items, entries)) {
    for (std::size_t i = 0; i < entries; ++i) slots[i] = std::move(items[i].answer);
    return filled(std::move(slots), lane);
  }
  // Of several pieces about the only offering, one that reports a fault speaks for all.
  if (lane == Lane::offerings && entries == 1) {
    for (AnsweredItem& item : items) {
      if (!slots[0] || (succeeded(*slots[0]) && !succeeded(item.answer))) {
        slots[0] = std::move(item.answer);
      }
    }
    return filled(std::move(slots), lane);
  }
  if (!place_by_name(items, slots)) return std::nullopt;
  return filled(std::move(slots), lane);
}

}  // namespace helsekontakter::json
