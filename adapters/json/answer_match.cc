#include "adapters/json/answer_match.h"

#include "adapters/json/characters.h"
#include "worker/domain/national_id.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <utility>

namespace helsekontakter::json {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t identifier_length = 11;
constexpr std::size_t uuid_length = 36;
constexpr std::size_t location_depth_max = 8;

bool says_same(const EntryAnswer& a, const EntryAnswer& b) {
  return a.status == b.status && a.fault == b.fault && a.code == b.code;
}

std::size_t hash_of(std::string_view text) {
  return std::hash<std::string_view>{}(text);
}

/// A UUID that we made is a hash already.
std::size_t hash_of(const Uuid& uuid) {
  std::size_t value = 0;
  std::memcpy(&value, uuid.bytes.data(), sizeof value);
  return value;
}

auto equals_identifier(const std::vector<EntryReference>& entries, std::string_view text) {
  return [&entries, text](std::size_t entry) { return entries[entry].identifier == text; };
}

auto equals_full_url(const std::vector<EntryReference>& entries, const Uuid& uuid) {
  return [&entries, &uuid](std::size_t entry) { return entries[entry].full_url == uuid; };
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

void EntryMatcher::Index::reserve(std::size_t entries) {
  places_.assign(std::bit_ceil(2 * entries + 1), 0);
}

template <class Equal>
std::size_t EntryMatcher::Index::slot(std::size_t hash, Equal equal) const {
  const std::size_t mask = places_.size() - 1;
  std::size_t slot = hash & mask;
  while (places_[slot] != 0 && !equal(std::size_t{places_[slot]} - 1)) slot = (slot + 1) & mask;
  return slot;
}

std::optional<std::size_t> EntryMatcher::Index::at(std::size_t slot) const {
  if (places_[slot] == 0) return std::nullopt;
  return std::size_t{places_[slot]} - 1;
}

void EntryMatcher::Index::put(std::size_t slot, std::size_t entry) {
  if (places_[slot] == 0) places_[slot] = static_cast<std::uint32_t>(entry + 1);
}

void EntryMatcher::index_identifiers() const {
  identifiers_.reserve(entries_.size());
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const std::string_view text = entries_[i].identifier;
    identifiers_.put(identifiers_.slot(hash_of(text), equals_identifier(entries_, text)), i);
  }
}

void EntryMatcher::index_full_urls() const {
  full_urls_.reserve(entries_.size());
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Uuid& uuid = entries_[i].full_url;
    full_urls_.put(full_urls_.slot(hash_of(uuid), equals_full_url(entries_, uuid)), i);
  }
}

std::optional<std::size_t> EntryMatcher::by_identifier(std::string_view text) const {
  if (identifiers_.empty()) index_identifiers();
  return identifiers_.at(identifiers_.slot(hash_of(text), equals_identifier(entries_, text)));
}

std::optional<std::size_t> EntryMatcher::by_full_url(const Uuid& uuid) const {
  if (full_urls_.empty()) index_full_urls();
  return full_urls_.at(full_urls_.slot(hash_of(uuid), equals_full_url(entries_, uuid)));
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
  if (depth > location_depth_max) return;
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
  if (const auto index = by_full_url(*uuid)) seen.add_full_url(*index);
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
  if (!all_named(items) && positions_hold(items, entries)) {
    std::vector<EntryAnswer> answers;
    answers.reserve(entries);
    for (AnsweredItem& item : items) answers.push_back(std::move(item.answer));
    return answers;
  }
  Slots slots(entries);
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
