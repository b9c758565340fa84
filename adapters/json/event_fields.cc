#include "adapters/json/event_fields.h"

#include "adapters/json/plain_text.h"

#include <algorithm>
#include <vector>

namespace helsekontakter::json {
namespace {

namespace dom = simdjson::dom;

/// Where `name` stands in `names`, tried from `hint` on: most senders keep one order.
std::size_t index_of(std::span<const std::string_view> names, std::string_view name,
                     std::size_t hint) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::size_t at = hint + i;
    if (at >= names.size()) at -= names.size();
    if (names[at] == name) return at;
  }
  return names.size();
}

/// The first name that stands twice, or nothing. Sorted from a size on where comparing each with
/// each would let a sender buy much time with few bytes.
std::optional<std::string_view> twice(std::vector<std::string_view>& names) {
  std::sort(names.begin(), names.end());
  const auto found = std::adjacent_find(names.begin(), names.end());
  if (found == names.end()) return std::nullopt;
  return *found;
}

Check duplicates_in(const dom::object& object, const Place& place) {
  std::vector<std::string_view> names;
  for (const dom::key_value_pair member : object) names.push_back(member.key);
  if (const auto name = twice(names)) return Place(place, *name).fault(Reason::duplicate_name);
  for (const dom::key_value_pair member : object) {
    if (Check fault = check_duplicates(member.value, Place(place, member.key))) return fault;
  }
  return std::nullopt;
}

}  // namespace

void Place::append_to(std::string& out) const {
  if (parent_ == nullptr) return;
  parent_->append_to(out);
  out += '/';
  if (name_.data() == nullptr) {
    out += std::to_string(index_);
    return;
  }
  for (const char c : name_) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
}

std::string Place::pointer() const {
  std::string out;
  append_to(out);
  return shown(std::move(out));
}

Check check_duplicates(const dom::element& value, const Place& place) {
  if (value.type() == dom::element_type::OBJECT) {
    dom::object object;
    if (value.get(object) == simdjson::SUCCESS) return duplicates_in(object, place);
  }
  if (value.type() != dom::element_type::ARRAY) return std::nullopt;
  dom::array array;
  if (value.get(array) != simdjson::SUCCESS) return std::nullopt;
  std::size_t index = 0;
  for (const dom::element element : array) {
    if (Check fault = check_duplicates(element, Place(place, index++))) return fault;
  }
  return std::nullopt;
}

Check Fields::read(const dom::object& object, std::span<const std::string_view> names,
                   const Place& place, std::uint64_t& unknown) {
  names_ = names;
  place_ = &place;
  std::uint32_t present = 0;
  std::uint32_t seen = 0;
  Check first;
  std::vector<std::string_view> others;
  std::size_t hint = 0;
  for (const dom::key_value_pair member : object) {
    const std::size_t at = index_of(names, member.key, hint);
    if (at == names.size()) [[unlikely]] {
      others.push_back(member.key);
      Check inside = check_duplicates(member.value, Place(place, member.key));
      if (inside && !first) first = std::move(inside);
      continue;
    }
    const std::uint32_t bit = std::uint32_t{1} << at;
    if ((seen & bit) != 0) [[unlikely]] {
      if (!first) first = Place(place, member.key).fault(Reason::duplicate_name);
      present &= ~bit;
      continue;
    }
    seen |= bit;
    hint = at + 1;
    if (member.value.is_null()) continue;
    present |= bit;
    values_[at] = member.value;
  }
  present_ = present;
  seen_ = seen;
  unknown += others.size();
  if (!first && others.size() > 1) {
    if (const auto name = twice(others)) first = Place(place, *name).fault(Reason::duplicate_name);
  }
  return first;
}

Check Fields::fault(std::size_t at, Reason reason) const {
  return Place(*place_, names_[at]).fault(reason);
}

Check Fields::required_text(std::size_t at, std::string_view& out) const {
  if (Check wrong = optional_text(at, out)) return wrong;
  if (find(at) == nullptr || out.empty()) return fault(at, Reason::field_missing);
  return std::nullopt;
}

Check Fields::required_object(std::size_t at, dom::object& out) const {
  const dom::element* value = find(at);
  if (value == nullptr) return fault(at, Reason::field_missing);
  if (value->get(out) != simdjson::SUCCESS) return fault(at, Reason::wrong_type);
  return std::nullopt;
}

Check Fields::required_array(std::size_t at, dom::array& out) const {
  const dom::element* value = find(at);
  if (value == nullptr) return fault(at, Reason::field_missing);
  if (value->get(out) != simdjson::SUCCESS) return fault(at, Reason::wrong_type);
  return std::nullopt;
}

Check Fields::optional_flag(std::size_t at, bool& out) const {
  const dom::element* value = find(at);
  if (value == nullptr) return std::nullopt;
  if (value->get(out) != simdjson::SUCCESS) return fault(at, Reason::wrong_type);
  return std::nullopt;
}

Check Fields::required_flag(std::size_t at, bool& out) const {
  if (find(at) == nullptr) return fault(at, Reason::field_missing);
  return optional_flag(at, out);
}

std::string_view Fields::text_or_empty(std::size_t at) const {
  std::string_view text;
  const dom::element* value = find(at);
  if (value == nullptr || value->get(text) != simdjson::SUCCESS) return {};
  return text;
}

}  // namespace helsekontakter::json
