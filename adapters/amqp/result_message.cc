#include "adapters/amqp/result_message.h"

#include "adapters/json/packed_headers.h"
#include "adapters/results/dead_letter_reason.h"
#include "adapters/results/result_writer.h"

#include <proton/binary.hpp>
#include <proton/message_id.hpp>
#include <proton/timestamp.hpp>
#include <proton/uuid.hpp>
#include <proton/value.hpp>

namespace helsekontakter::amqp {
namespace {

using Field = Texts::Field;

constexpr std::size_t key_bytes_max = 1024;
constexpr const char* attribute_prefix = "cloudEvents:";

/// AMQP strings are UTF-8; other brokers' keys may be any bytes.
bool is_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const std::size_t more = lead < 0x80             ? 0
                             : (lead & 0xe0) == 0xc0 ? 1
                             : (lead & 0xf0) == 0xe0 ? 2
                             : (lead & 0xf8) == 0xf0 ? 3
                                                     : 4;
    if (more == 4 || at + more >= text.size()) return false;
    for (std::size_t i = 1; i <= more; ++i) {
      if ((static_cast<unsigned char>(text[at + i]) & 0xc0) != 0x80) return false;
    }
    at += more + 1;
  }
  return true;
}

proton::message durable_message(std::string_view body, const std::string& address, WallTime now) {
  proton::message message;
  message.durable(true);
  message.to(address);
  message.creation_time(proton::timestamp(now.time_since_epoch().count()));
  // Without it Proton would write an AMQP value of type binary, not a Data section.
  message.inferred(true);
  message.body(proton::binary(body.begin(), body.end()));
  return message;
}

void set_key(const Texts& texts, proton::message& message) {
  const std::string_view key = texts[Field::key];
  if (!key.empty() && key.size() <= key_bytes_max && is_utf8(key)) {
    message.group_id(std::string(key));
  }
}

}  // namespace

proton::message result_message(const Conclusion& conclusion, const ResultText& text, EventMode mode,
                               const std::string& address, WallTime now) {
  const bool binary = mode == EventMode::binary;
  const Texts& texts = conclusion.delivery->texts;
  std::string body;
  (binary ? text.append_data : text.append)(conclusion, body);
  proton::message message = durable_message(body, address, now);
  message.id(text.id(conclusion).text());
  message.content_type(
      std::string(binary ? results::data_content_type : results::result_content_type));
  if (binary) {
    text.put_attributes(conclusion, [&](std::string_view name, std::string_view value) {
      if (is_utf8(value)) {
        message.properties().put(attribute_prefix + std::string(name), std::string(value));
      }
    });
  }
  set_key(texts, message);
  for (const auto& [field, property] :
       {std::pair{Field::traceparent, "traceparent"}, std::pair{Field::tracestate, "tracestate"}}) {
    const std::string_view value = texts[field];
    if (!value.empty() && is_utf8(value)) message.properties().put(property, std::string(value));
  }
  return message;
}

proton::message dead_letter(const Conclusion& conclusion, const std::string& address,
                            const std::string& origin, WallTime now) {
  const Texts& texts = conclusion.delivery->texts;
  const std::string_view payload = texts[Field::payload];
  const std::string error = results::dead_letter_reason(conclusion, origin);
  const bool kept = !payload.empty() || conclusion.reason != Reason::event_too_large;
  proton::message message = durable_message(kept ? payload : error, address, now);
  set_key(texts, message);
  if (kept) {
    const auto headers = json::unpack_headers(texts[Field::headers]);
    for (const auto& [name, value] : headers.value_or(std::vector<json::HeaderView>{})) {
      if (name == results::error_header) continue;
      const std::string text(value);
      if (name == "content-type" && is_utf8(value)) {
        message.content_type(text);
      } else if (name == "content-encoding" && is_utf8(value)) {
        message.content_encoding(text);
      } else if (is_utf8(value) && is_utf8(name)) {
        message.properties().put(std::string(name), text);
      } else if (is_utf8(name)) {
        message.properties().put(std::string(name), proton::binary(text));
      }
    }
  } else {
    message.content_type(std::string(results::reference_content_type));
  }
  message.properties().put(std::string(results::error_header), error);
  return message;
}

}  // namespace helsekontakter::amqp
