#pragma once

#include "adapters/json/event_decoder.h"
#include "adapters/json/event_fields.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <simdjson.h>

namespace helsekontakter::json {

/// How the event is packed.
enum class Mode : std::uint8_t { structured, binary, plain };

/// CloudEvents attributes as they came, views into the record or its parsed document; empty:
/// absent.
struct Envelope {
  std::string_view specversion;
  std::string_view id;
  std::string_view source;
  std::string_view type;
  std::string_view subject;
  std::string_view time;
  std::string_view data_content_type;
  std::string_view traceparent;
  std::string_view tracestate;
  std::string_view resend;
  std::string_view resend_version;
};

/// What the headers and the content type say. A fault means that the payload is not read.
struct Packing {
  std::optional<Mode> mode;  ///< nothing: structured when the JSON has a specversion, else plain
  Envelope attributes;       ///< binary mode; else traceparent and tracestate only
  Check fault;
};

/// Source: CloudEvents 1.0, Kafka and AMQP protocol bindings.
[[nodiscard]] Packing packing_of(const RawEvent& raw);

/// The attributes of the structured mode. Also after a fault what could be read is there.
class StructuredAttributes {
 public:
  /// Leaves a trace context that came in headers where the event has none.
  [[nodiscard]] Check read(const simdjson::dom::object& event, Envelope& envelope,
                           std::uint64_t& unknown);
  /// Nothing when absent.
  [[nodiscard]] const simdjson::dom::element* data() const;
  /// Faults of `data`: absent, in base64, or not JSON by its datacontenttype.
  [[nodiscard]] Check check_data(const Envelope& envelope) const;

 private:
  [[nodiscard]] Check read_resend_version(Envelope& envelope);

  Place root_;
  Fields fields_;
  std::string resend_version_;
};

/// The name of an attribute's place in a fault: a header's, or a JSON pointer.
[[nodiscard]] Fault attribute_fault(Mode mode, Reason reason, std::string_view name);

/// True for a content type (datacontenttype) that is JSON in UTF-8; an absent one counts.
[[nodiscard]] bool is_json(std::string_view content_type);

}  // namespace helsekontakter::json
