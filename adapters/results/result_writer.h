#pragma once

#include "adapters/results/room.h"
#include "worker/domain/bytes.h"
#include "worker/domain/time.h"
#include "worker/ports/commands.h"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace helsekontakter::results {

/// Namespace of the ids of result events; schemas/README.md says what the names are.
inline constexpr Uuid result_namespace{{0x6f, 0x6c, 0x1d, 0x0e, 0x6a, 0x55, 0x5d, 0x0c, 0x9a, 0x2e,
                                        0x3f, 0x0a, 0x6d, 0x3c, 0x5b, 0x11}};

/// The media types of what ResultWriter writes: a whole event, and the data of one.
inline constexpr std::string_view result_content_type = "application/cloudevents+json";
inline constexpr std::string_view data_content_type = "application/json";

/// Takes a CloudEvents attribute.
using PutAttribute = std::function<void(std::string_view name, std::string_view value)>;

/// Id of a result event: UUIDv5 of (source, event id, resend id), so that the same verdict told
/// twice has the same id. A finding may have neither source nor id that can be told, so its name is
/// (digest of the event, resend id); an inactive result is one of many, so its round goes in too.
[[nodiscard]] Uuid result_id(const Conclusion& conclusion);

/// Serialises result events, `no.helsekontakter.result.v1`: a CloudEvent in structured mode, or its
/// attributes and its data apart for the binary mode. What is the same for a whole record is
/// serialised once. No allocation per result in structured mode once its buffers have grown. One
/// per thread.
class ResultWriter {
 public:
  struct Options {
    std::string source;  ///< of the result events
    std::string environment;
    std::string origin_topic;  ///< where the change events were read
  };
  explicit ResultWriter(Options options);

  /// The record whose conclusions are written next; it must outlive the calls to append.
  void begin(const Record& record, WallTime now);

  /// Appends the result of one conclusion of that record. Text that came from outside is cut to
  /// `text_max` bytes each, at a character's start.
  void append(const Conclusion& conclusion, std::string& out, std::size_t text_max);

  /// Appends its data alone, cut likewise.
  void append_data(const Conclusion& conclusion, std::string& out, std::size_t text_max);

  /// Its attributes, cut likewise; but for datacontenttype, which is data_content_type.
  void put_each_attribute(const Conclusion& conclusion, std::size_t text_max,
                          const PutAttribute& put) const;

  /// At most so many bytes, whatever the characters, if texts are cut to `text_max`.
  [[nodiscard]] std::size_t bytes_max(const Conclusion& conclusion, std::size_t text_max) const;

 private:
  void put_attributes(const Conclusion& conclusion, std::size_t text_max);
  void put_data(const Conclusion& conclusion, std::size_t text_max);
  void put_event(const Texts& texts, std::size_t text_max);
  void put_verdict(const Conclusion& conclusion);
  void put_reason(const Conclusion& conclusion);
  void put_rest(const Conclusion& conclusion, std::size_t text_max);
  /// name, which holds the opening quote, text and closing quote.
  void put_text(std::string_view name, std::string_view text);

  std::string source_;
  std::string opening_;      ///< up to the id's value
  std::string before_time_;  ///< source and type
  std::string before_origin_;
  std::string closing_;
  std::string head_;  ///< up to the time; where its id goes, it has any other
  WallTime time_of_{};
  std::string next_;  ///< the text of a time
  std::vector<std::string> batches_;
  const Record* record_ = nullptr;
  Room room_;
};

}  // namespace helsekontakter::results
