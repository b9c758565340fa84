#include "tests/unit/worker/notation.h"

#include <charconv>
#include <cstring>
#include <stdexcept>

namespace helsekontakter::test {
namespace {

using Field = Texts::Field;

/// FNV-1a twice: digests of texts that are as good as random.
template <class D>
D digest_of(std::string_view text) {
  D digest;
  std::uint64_t hash = 0xcbf29ce484222325;
  for (std::size_t half = 0; half < 2; ++half) {
    for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3;
    hash ^= hash >> 29;
    std::memcpy(digest.bytes.data() + half * 8, &hash, sizeof hash);
  }
  return digest;
}

/// The end of `text` from `mark` on, taken off; empty where the mark does not stand.
std::string take_off(std::string& text, char mark) {
  const auto at = text.find(mark);
  if (at == std::string::npos) return {};
  std::string rest = text.substr(at + 1);
  text.resize(at);
  return rest;
}

std::int64_t number(const std::string& text) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  if (std::from_chars(text.data(), end, value).ptr != end || text.empty()) {
    throw std::invalid_argument("no number: " + text);
  }
  return value;
}

Event event(std::string text) {
  Event event;
  if (const auto partition = take_off(text, '/'); !partition.empty()) {
    event.partition = static_cast<std::int32_t>(number(partition));
  }
  if (const auto bytes = take_off(text, '*'); !bytes.empty()) {
    event.bytes = static_cast<std::size_t>(number(bytes));
  }
  event.text = text;
  if (const auto colon = text.find(':'); colon != std::string::npos) {
    event.organization = text.substr(0, colon);
    text.erase(0, colon + 1);
  }
  if (text == "?" || text == "-") {
    if (event.organization == "sio" && event.text == text) event.organization.clear();
    event.name = text;
    return event;
  }
  event.offering = text.starts_with('#');
  if (event.offering) text.erase(0, 1);
  event.resend = text.ends_with('~');
  if (event.resend) text.pop_back();
  event.is_over = text.ends_with('^');
  if (event.is_over) text.pop_back();
  event.content = take_off(text, '=');
  event.version = number(take_off(text, '@'));
  event.name = text;
  return event;
}

/// The `index`th of the numbers whose check digit is right.
OrganizationNumber nth_organization(std::int64_t index) {
  static constexpr int weights[] = {3, 2, 7, 6, 5, 4, 3, 2};
  for (std::int64_t eight = 80'000'000;; ++eight) {
    const std::string digits = std::to_string(eight);
    int sum = 0;
    for (std::size_t i = 0; i < 8; ++i) sum += weights[i] * (digits[i] - '0');
    const int check = (11 - sum % 11) % 11;
    if (check == 10 || index-- > 0) continue;
    return *OrganizationNumber::parse(digits + static_cast<char>('0' + check));
  }
}

}  // namespace

OrganizationNumber organization(std::string_view name) {
  if (name == "sio") return *OrganizationNumber::parse("948554062");
  if (name == "sit") return *OrganizationNumber::parse("993467049");
  if (name == "sammen") return *OrganizationNumber::parse("310911186");
  if (!name.starts_with('o')) throw std::invalid_argument("no organisation: " + std::string(name));
  return nth_organization(number(std::string(name.substr(1))));
}

std::vector<Event> events(std::string_view text) {
  std::vector<Event> events;
  std::string word;
  for (const char c : std::string(text) + ' ') {
    if (c != ' ') {
      word += c;
    } else if (!word.empty()) {
      events.push_back(event(std::move(word)));
      word.clear();
    }
  }
  return events;
}

Delivery delivery(const Event& event, Offset offset, Epoch epoch) {
  Delivery delivery;
  delivery.position = {Partition{event.partition}, offset};
  delivery.epoch = epoch;
  if (event.name == "-") return delivery;
  if (event.name == "?") {
    Finding finding{.reason = Reason::wrong_type,
                    .organization = std::nullopt,
                    .version = std::nullopt,
                    .event = {}};
    if (!event.organization.empty()) finding.organization = organization(event.organization);
    delivery.content = finding;
    return delivery;
  }
  const std::string lane = event.offering ? "#" : "";
  const std::string key = event.organization + ":" + lane + event.name;
  const std::string version = "@" + std::to_string(event.version);
  const std::string data = key + "=" + (event.content.empty() ? version : event.content);
  Change change{.lane = event.offering ? Lane::offerings : Lane::members,
                .organization = organization(event.organization),
                .key = digest_of<MemberKey>(key),
                .event = digest_of<EventDigest>(data + version + (event.resend ? "~" : "")),
                .content = digest_of<ContentDigest>(data),
                .version = event.version,
                .full_url = {},
                .head = digest_of<decltype(Change::head)>(event.organization),
                .resend = event.resend,
                .last_day = event.is_over ? 1 : 0};
  std::memcpy(change.full_url.bytes.data(), &event.partition, sizeof event.partition);
  std::memcpy(change.full_url.bytes.data() + 8, &offset, sizeof offset);
  std::string entry = "{" + event.text + "}";
  if (event.bytes > 0) entry.resize(event.bytes, ' ');
  delivery.texts.append(Field::id, event.text);
  delivery.texts.append(Field::identifier, event.name);
  delivery.texts.append(Field::entry, entry);
  if (event.offering) delivery.texts.append(Field::head, "{" + event.organization + "}");
  delivery.content = change;
  return delivery;
}

}  // namespace helsekontakter::test
