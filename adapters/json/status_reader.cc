#include "adapters/json/status_reader.h"

#include "adapters/json/answer_reader.h"
#include "adapters/json/answer_shape.h"
#include "adapters/json/json_text.h"

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <variant>

namespace helsekontakter::json {
namespace {

namespace dom = simdjson::dom;
constexpr std::string_view active_names[] = {"erDigitaltAktivSelv", "erDigitaltAktivViaAndre",
                                             "tildeltFullmakt", "erAktivSelv", "erAktivViaAndre"};

StatusReading failed(StatusFailure::Kind kind, std::string text,
                     std::optional<Milliseconds> retry_after) {
  return tl::unexpected(StatusFailure{kind, std::move(text), retry_after});
}

StatusReading refused(int http_status, std::string_view body,
                      std::optional<Milliseconds> retry_after) {
  const bool for_its_list =
      http_status == 400 || http_status == 413 || http_status == 414 || http_status == 422;
  const auto read = read_answer(http_status, body, Lane::members, {}, retry_after);
  const EntryAnswer& reason = std::get<Refused>(read).reason;
  return failed(for_its_list ? StatusFailure::Kind::refused_list : StatusFailure::Kind::refused,
                "the status API answers HTTP " + std::to_string(http_status) + " " + reason.code +
                    " " + reason.text,
                retry_after);
}

DigitalStatus status_of(const dom::element& said) {
  dom::object object;
  if (said.get(object) != simdjson::SUCCESS) return DigitalStatus::unknown;
  DigitalStatus status = DigitalStatus::unknown;
  for (const dom::key_value_pair member : object) {
    bool value = false;
    if (std::find(std::begin(active_names), std::end(active_names), member.key) ==
            std::end(active_names) ||
        member.value.get(value) != simdjson::SUCCESS) {
      continue;
    }
    if (value) return DigitalStatus::active;
    status = DigitalStatus::inactive;
  }
  return status;
}

}  // namespace

StatusReading read_statuses(int http_status, std::string_view body,
                            const std::vector<std::string>& identifiers,
                            std::optional<Milliseconds> retry_after) {
  if (http_status < 200 || http_status >= 300) return refused(http_status, body, retry_after);
  JsonText text;  // a call speaks of a thousand members: its buffers are not worth keeping
  const auto parsed = text.parse(body);
  const auto unreadable = [](const std::string& shape) {
    return failed(StatusFailure::Kind::unreadable,
                  "the status API's answer cannot be read: " + shape +
                      ". Compare with digital_status.path and the API's release",
                  std::nullopt);
  };
  if (parsed.error() != simdjson::SUCCESS) return unreadable(shape_of_text(body));
  dom::object list;
  if (parsed.value_unsafe()["erAktivListe"].get(list) != simdjson::SUCCESS) {
    return unreadable(shape_of(parsed.value_unsafe()));
  }
  std::unordered_map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < identifiers.size(); ++i) places.emplace(identifiers[i], i);
  std::vector<DigitalStatus> statuses(identifiers.size(), DigitalStatus::unknown);
  bool any = identifiers.empty();
  for (const dom::key_value_pair member : list) {
    const auto place = places.find(member.key);
    if (place == places.end()) continue;
    statuses[place->second] = status_of(member.value);
    any = any || statuses[place->second] != DigitalStatus::unknown;
  }
  if (!any) return unreadable(shape_of(parsed.value_unsafe()));
  return statuses;
}

}  // namespace helsekontakter::json
