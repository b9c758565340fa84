#include "adapters/kafka/message.h"

#include <cstdint>

namespace helsekontakter::kafka {

void read_headers(const rd_kafka_message_t& message, HeaderViews& headers) {
  headers.clear();
  rd_kafka_headers_t* all = nullptr;
  if (rd_kafka_message_headers(&message, &all) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(all, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    headers.emplace_back(name, std::string_view(static_cast<const char*>(value), size));
  }
}

WallTime time_of(const rd_kafka_message_t& message) {
  rd_kafka_timestamp_type_t kind{};
  const std::int64_t time = rd_kafka_message_timestamp(&message, &kind);
  return WallTime{Milliseconds{kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? 0 : time}};
}

void add_header(rd_kafka_headers_t* headers, std::string_view name, std::string_view value) {
  rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                      static_cast<ssize_t>(value.size()));
}

}  // namespace helsekontakter::kafka
