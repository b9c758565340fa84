#include "adapters/tools/event_records.h"

#include "adapters/crypto/keyed_hash.h"
#include "adapters/results/result_writer.h"

namespace helsekontakter::tools {

using Field = Texts::Field;

json::RawEvent raw_event(const kafka::TopicRecord& record, const std::string& topic, WallTime now) {
  return {.payload = record.value,
          .is_null = record.is_null,
          .key = record.key,
          .content_type = {},
          .headers = record.headers,
          .plain_source = topic,
          .position = record.position,
          .broker_time = record.time,
          .now = now};
}

json::DecoderSettings reading_settings(json::DecoderSettings settings) {
  settings.keep_payload = false;
  return settings;
}

Uuid terminal_result_id(std::string_view source, std::string_view id, std::string_view resend) {
  return crypto::uuid_v5(results::result_namespace, {source, id, resend});
}

Uuid terminal_result_id(const Delivery& delivery) {
  const Texts& texts = delivery.texts;
  if (const auto* finding = std::get_if<Finding>(&delivery.content)) {
    return crypto::uuid_v5(results::result_namespace, {finding->event.hex(), texts[Field::resend]});
  }
  return terminal_result_id(texts[Field::source], texts[Field::id], texts[Field::resend]);
}

}  // namespace helsekontakter::tools
