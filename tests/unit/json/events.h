#pragma once

#include "adapters/crypto/keyed_hash.h"
#include "adapters/json/event_decoder.h"
#include "worker/domain/delivery.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

// How the tests write an event: a valid one, and the one thing that differs.

namespace helsekontakter::json {

inline crypto::KeyedHash test_hash() {
  crypto::KeyedHash::Key key{};
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
  return crypto::KeyedHash(key);
}

/// NHN's fictive Line Danser; valid by today's rule and not synthetic.
inline constexpr std::string_view danser = "13116900216";

inline constexpr std::string_view membership_data =
    R"({"organization":"948554062","member":"13116900216",)"
    R"("period":{"start":"2026-01-01","end":"2026-06-30"},"version":7})";

inline constexpr std::string_view offering_data =
    R"({"organization":{"number":"948554062","name":"SiO","businessId":"8094866"},)"
    R"("service":{"id":"3F2504E0-4F89-41D3-9A0C-0305E82C3301","active":true,"name":"Helse",)"
    R"("comment":"For alle","herId":"129688"},)"
    R"("locations":[{"id":"a","line":["Gata 1"],"city":"Oslo","postalCode":"0371",)"
    R"("telecom":[{"system":"phone","value":"22000000"}]}],"version":3})";

inline std::string structured(std::string_view type, std::string_view data,
                              std::string_view extra = "") {
  return R"({"specversion":"1.0","id":"e-1","source":"/sio/crm","type":")" + std::string(type) +
         R"(","subject":"s-1","time":"2026-01-01T12:00:00Z",)" + std::string(extra) + R"("data":)" +
         std::string(data) + "}";
}

inline std::string membership_event(std::string_view data = membership_data,
                                    std::string_view extra = "") {
  return structured("no.helsekontakter.membership.changed.v1", data, extra);
}

inline std::string offering_event(std::string_view data = offering_data) {
  return structured("no.helsekontakter.offering.changed.v1", data);
}

/// `text` with its first `from` replaced.
inline std::string with(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  if (at == std::string::npos) throw std::invalid_argument("not in the text: " + std::string(from));
  return text.replace(at, from.size(), to);
}

/// A record of partition 2, offset 41, of the topic `changes`, read at noon, 2026-01-02.
struct Record {
  std::string payload;
  std::string key = "k-1";
  std::vector<std::pair<std::string, std::string>> headers;
  bool is_null = false;
  std::string content_type;

  [[nodiscard]] Delivery decode(EventDecoder& decoder) const {
    using namespace std::chrono;
    std::vector<std::pair<std::string_view, std::string_view>> views(headers.begin(),
                                                                     headers.end());
    RawEvent raw;
    raw.payload = payload;
    raw.is_null = is_null;
    raw.key = key;
    raw.content_type = content_type;
    raw.headers = views;
    raw.plain_source = "changes";
    raw.position = {Partition{2}, 41};
    raw.epoch = Epoch{5};
    raw.broker_time = sys_days{2026y / 1 / 2} + 10h;
    raw.now = sys_days{2026y / 1 / 2} + 12h;
    return decoder.decode(raw);
  }
};

inline Delivery decode(const Record& record, DecoderSettings settings = {}) {
  EventDecoder decoder(std::move(settings), test_hash());
  return record.decode(decoder);
}

inline Delivery decode(std::string payload, DecoderSettings settings = {}) {
  return decode(Record{.payload = std::move(payload)}, std::move(settings));
}

/// The findings' notation: "code detail"; "accepted" for a change.
inline std::string shape(const Delivery& delivery) {
  if (std::holds_alternative<Tombstone>(delivery.content)) return "tombstone";
  if (std::holds_alternative<Change>(delivery.content)) return "change";
  const auto& finding = std::get<Finding>(delivery.content);
  const std::string detail(delivery.texts[Texts::Field::detail]);
  return std::string(entry_of(finding.reason).code) + (detail.empty() ? "" : " ") + detail;
}

}  // namespace helsekontakter::json
