#include "adapters/json/resent_event.h"

#include "adapters/json/calendar.h"
#include "adapters/json/event_envelope.h"
#include "adapters/json/json_text.h"

namespace helsekontakter::json {
namespace {

using Field = Texts::Field;

constexpr std::string_view white_space = " \t\r\n";

Mode mode_of(const RawEvent& raw) {
  const Packing packing = packing_of(raw);
  if (packing.mode) return *packing.mode;
  JsonText json;
  simdjson::dom::object object;
  if (json.parse(raw.payload).get(object) != simdjson::SUCCESS) return Mode::plain;
  const bool structured = object["specversion"].error() == simdjson::SUCCESS;
  return structured ? Mode::structured : Mode::plain;
}

class Making {
 public:
  Making(const RawEvent& raw, std::string_view replay, std::int64_t version)
      : replay_(replay), version_(std::to_string(version)) {
    out_.payload = raw.payload;
    out_.headers.assign(raw.headers.begin(), raw.headers.end());
  }

  /// Nothing before the first brace but white space, and no byte order mark: it was decoded.
  std::optional<ResentEvent> structured() {
    const std::size_t brace = out_.payload.find_first_not_of(white_space);
    if (brace == std::string::npos || out_.payload[brace] != '{') return std::nullopt;
    out_.payload.insert(brace + 1, R"("resend":")" + std::string(replay_) +
                                       R"(","resendversion":")" + version_ + R"(",)");
    return std::move(out_);
  }

  std::optional<ResentEvent> binary() {
    add({{"ce_resend", std::string(replay_)}, {"ce_resendversion", version_}});
    return std::move(out_);
  }

  std::optional<ResentEvent> plain(const Delivery& delivery, WallTime time) {
    std::vector<std::pair<std::string_view, std::string>> attributes{
        {"ce_specversion", "1.0"},
        {"ce_id", std::string(delivery.texts[Field::id])},
        {"ce_source", std::string(delivery.texts[Field::source])},
        {"ce_type", std::string(delivery.texts[Field::type])},
        {"ce_resend", std::string(replay_)},
        {"ce_resendversion", version_}};
    if (time != WallTime{}) attributes.emplace_back("ce_time", time_text(time));
    add(std::move(attributes));
    return std::move(out_);
  }

 private:
  void add(std::vector<std::pair<std::string_view, std::string>> headers) {
    out_.texts.reserve(headers.size());  // the views must stay where they are
    for (auto& [name, text] : headers) {
      out_.texts.push_back(std::move(text));
      out_.headers.emplace_back(name, out_.texts.back());
    }
  }

  std::string_view replay_;
  std::string version_;
  ResentEvent out_;
};

}  // namespace

std::optional<ResentEvent> make_resent(const RawEvent& raw, const Delivery& delivery,
                                       std::string_view replay) {
  const auto* change = std::get_if<Change>(&delivery.content);
  if (change == nullptr) return std::nullopt;
  Making making(raw, replay, change->version);
  switch (mode_of(raw)) {
    case Mode::structured:
      return making.structured();
    case Mode::binary:
      return making.binary();
    case Mode::plain:
      return making.plain(delivery, raw.broker_time);
  }
  return std::nullopt;
}

}  // namespace helsekontakter::json
