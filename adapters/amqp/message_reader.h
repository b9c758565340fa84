#pragma once

#include "adapters/json/event_decoder.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace proton {
class message;
}

namespace helsekontakter::amqp {

/// Reads an AMQP message as an event: the body (Data, or a String value), the group-id as its key,
/// the application properties as headers (`cloudEvents:*` and `cloudEvents_*` are the decoder's
/// business), content-type and content-encoding as headers too, so that a dead letter has them.
/// Any other body is said to be unreadable. Keeps its buffers; one per thread.
class MessageReader {
 public:
  /// `address` is where the messages come from: the source of plain JSON.
  explicit MessageReader(std::string address) : address_(std::move(address)) {}

  /// The views in what is returned live until the next call.
  [[nodiscard]] json::RawEvent read(const proton::message& message, Position position, Epoch epoch,
                                    WallTime now);
  /// Of the message read last: body, key and headers.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  void read_body(const proton::message& message);
  void read_headers(const proton::message& message);
  void add_header(std::string name, std::string value);
  [[nodiscard]] std::string identity(const proton::message& message) const;

  const std::string address_;
  std::string payload_;
  std::string unreadable_;
  std::string key_;
  std::string id_;
  std::vector<std::pair<std::string, std::string>> headers_;
  std::vector<std::pair<std::string_view, std::string_view>> views_;
  std::size_t bytes_ = 0;
};

}  // namespace helsekontakter::amqp
