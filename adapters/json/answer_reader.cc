#include "adapters/json/answer_reader.h"

#include "adapters/json/answer_item.h"
#include "adapters/json/answer_match.h"
#include "adapters/json/answer_shape.h"
#include "adapters/json/json_text.h"
#include "adapters/json/plain_text.h"

#include <string>
#include <utility>

namespace helsekontakter::json {
namespace {

namespace dom = simdjson::dom;

using Items = std::optional<std::vector<AnsweredItem>>;
using Kind = EntryMatcher::Kind;

bool is_success(int http_status) {
  return http_status >= 200 && http_status < 300;
}

bool is_blank(std::string_view body) {
  return body.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

/// A plain-text refusal: its first words, on one line.
std::string words_of(std::string_view body) {
  std::string text(body.substr(0, 4096));
  if (!simdjson::validate_utf8(text.data(), text.size())) {
    for (char& c : text) {
      if (static_cast<unsigned char>(c) >= 0x80) c = '?';
    }
  }
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return shown(std::move(text));
}

/// Collects the pieces of an answer that speak of one entry each.
class Collector {
 public:
  Collector(const EntryMatcher& matcher, std::size_t entries)
      : matcher_(matcher), entries_(entries) {}

  /// Nothing when a piece, or the whole, is of no form that we know.
  [[nodiscard]] Items collect(const dom::element& body);
  /// Only the pieces that report a fault, wherever they stand, whatever surrounds them.
  [[nodiscard]] Items collect_faults(const dom::element& body);

 private:
  void add_faults(const dom::element& value, std::size_t depth);
  [[nodiscard]] bool add(const dom::element& item, EntryMatcher::Match named);
  [[nodiscard]] bool add_all(const dom::array& array);
  [[nodiscard]] bool add_bundle(const dom::object& bundle);
  [[nodiscard]] bool add_map(const dom::object& map);
  [[nodiscard]] bool add_object(const dom::element& body, const dom::object& object);
  [[nodiscard]] bool add_inner(const dom::object& object);
  [[nodiscard]] bool is_map(const dom::object& object) const;

  const EntryMatcher& matcher_;
  std::size_t entries_;
  std::vector<AnsweredItem> items_;
};

Items Collector::collect(const dom::element& body) {
  items_.reserve(entries_);
  dom::array array;
  dom::object object;
  bool known = false;
  if (body.get(array) == simdjson::SUCCESS) {
    known = add_all(array);
  } else if (body.get(object) == simdjson::SUCCESS) {
    known = add_object(body, object);
  }
  if (!known) return std::nullopt;
  return std::move(items_);
}

Items Collector::collect_faults(const dom::element& body) {
  items_.clear();
  add_faults(body, 0);
  return std::move(items_);
}

void Collector::add_faults(const dom::element& value, std::size_t depth) {
  static constexpr std::size_t depth_max = 16;
  if (depth > depth_max) return;
  const auto answer = read_item(value);
  if (answer && !succeeded(*answer)) {
    static_cast<void>(add(value, {}));
    return;
  }
  dom::object object;
  dom::array array;
  if (value.get(object) == simdjson::SUCCESS) {
    for (const dom::key_value_pair member : object) add_faults(member.value, depth + 1);
  } else if (value.get(array) == simdjson::SUCCESS) {
    for (const dom::element element : array) add_faults(element, depth + 1);
  }
}

bool Collector::add(const dom::element& item, EntryMatcher::Match named) {
  auto answer = read_item(item);
  if (!answer) return false;
  if (named.kind == Kind::none) named = matcher_.find(item);
  if (named.kind == Kind::none && !succeeded(*answer)) named = matcher_.find_mentioned(item);
  items_.push_back({std::move(*answer), named});
  return true;
}

bool Collector::add_all(const dom::array& array) {
  for (const dom::element element : array) {
    if (!add(element, {})) return false;
  }
  return true;
}

bool Collector::add_bundle(const dom::object& bundle) {
  const std::string_view type = text_at(bundle, "type");
  // A Bundle of requests is our own question sent back, not an answer to it.
  if (type == "batch" || type == "transaction") return false;
  dom::array entries;
  if (bundle["entry"].get(entries) != simdjson::SUCCESS) return false;
  return add_all(entries);
}

bool Collector::is_map(const dom::object& object) const {
  for (const dom::key_value_pair member : object) {
    if (matcher_.by_identifier(member.key)) return true;
  }
  return false;
}

bool Collector::add_map(const dom::object& map) {
  for (const dom::key_value_pair member : map) {
    const auto index = matcher_.by_identifier(member.key);
    if (!index) return false;
    if (!add(member.value, {Kind::entry, *index})) return false;
  }
  return true;
}

/// An envelope of the endpoint's own: {"results": […]} or {"results": {"<identifier>": …}}, with
/// nothing else in it that could be a list.
bool Collector::add_inner(const dom::object& object) {
  std::optional<dom::element> inner;
  for (const dom::key_value_pair member : object) {
    if (!member.value.is_object() && !member.value.is_array()) continue;
    if (inner) return false;
    inner = member.value;
  }
  if (!inner) return false;
  dom::array array;
  if (inner->get(array) == simdjson::SUCCESS) return add_all(array);
  dom::object map;
  return inner->get(map) == simdjson::SUCCESS && is_map(map) && add_map(map);
}

bool Collector::add_object(const dom::element& body, const dom::object& object) {
  if (text_at(object, "resourceType") == "Bundle") return add_bundle(object);
  if (is_map(object)) return add_map(object);
  if (object["resourceType"].error() != simdjson::SUCCESS &&
      object["issue"].error() != simdjson::SUCCESS && add_inner(object)) {
    return true;
  }
  items_.clear();
  return add(body, {});
}

std::string count_and_shape(std::size_t answered, std::size_t sent, const dom::element& body) {
  return std::to_string(answered) + " answered of " + std::to_string(sent) + ": " + shape_of(body);
}

SubmissionOutcome read_success(int http_status, const dom::element& body, Lane lane,
                               const std::vector<EntryReference>& entries) {
  const EntryMatcher matcher(entries);
  Collector collector(matcher, entries.size());
  Items items = collector.collect(body);
  // The form of an answer to offerings is not published: 200 accepts them, but for faults.
  if (!items && lane == Lane::offerings) items = collector.collect_faults(body);
  if (!items) return Unreadable{http_status, shape_of(body)};
  const std::size_t answered = items->size();
  auto answers = attribute(std::move(*items), entries.size(), lane);
  if (!answers) return Unreadable{http_status, count_and_shape(answered, entries.size(), body)};
  return Answered{http_status, std::move(*answers)};
}

}  // namespace

SubmissionOutcome read_answer(int http_status, std::string_view body, Lane lane,
                              const std::vector<EntryReference>& entries,
                              std::optional<Milliseconds> retry_after) {
  // The parser's buffers are kept, unless the answer is unusually large: getting them from the
  // operating system anew costs as much as reading the answer.
  constexpr std::size_t kept_bytes_max = 256 * 1024;
  thread_local JsonText kept;
  std::optional<JsonText> own;
  JsonText& text = body.size() <= kept_bytes_max ? kept : own.emplace();
  const auto parsed = text.parse(body);
  if (!is_success(http_status)) {
    Refused refused{http_status, {}, retry_after};
    if (parsed.error() == simdjson::SUCCESS) {
      refused.reason = read_refusal(parsed.value_unsafe());
    } else {
      refused.reason.text = words_of(body);
    }
    refused.reason.status = http_status;
    return refused;
  }
  if (is_blank(body) && lane == Lane::offerings) {
    return Answered{http_status, std::vector<EntryAnswer>(entries.size())};
  }
  if (parsed.error() != simdjson::SUCCESS) return Unreadable{http_status, shape_of_text(body)};
  return read_success(http_status, parsed.value_unsafe(), lane, entries);
}

}  // namespace helsekontakter::json
