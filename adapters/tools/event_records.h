#pragma once

#include "adapters/json/event_decoder.h"
#include "adapters/kafka/topic_log.h"
#include "worker/domain/bytes.h"
#include "worker/domain/delivery.h"

#include <string>

namespace helsekontakter::tools {

/// A record of the input as its decoder takes it. The views live as long as the record.
[[nodiscard]] json::RawEvent raw_event(const kafka::TopicRecord& record, const std::string& topic,
                                       WallTime now);

/// The decoder's settings for reading what was there before: as the worker has them, payloads left
/// out.
[[nodiscard]] json::DecoderSettings reading_settings(json::DecoderSettings settings);

/// Id of the terminal result of a change event: the same however often it is told.
[[nodiscard]] Uuid terminal_result_id(std::string_view source, std::string_view id,
                                      std::string_view resend);
/// Of a change or a finding.
[[nodiscard]] Uuid terminal_result_id(const Delivery& delivery);

}  // namespace helsekontakter::tools
