#pragma once

#include "worker/domain/bytes.h"
#include "worker/domain/delivery.h"
#include "worker/domain/organization_number.h"
#include "worker/domain/verdict.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace helsekontakter::json {

/// A result event, no.helsekontakter.result.v1, as one may have been published. The views live
/// until the next call; what is absent is empty.
struct ResultView {
  Uuid id;
  std::string_view time;
  std::string_view event_id;
  std::string_view event_source;
  std::string_view subject;
  std::optional<OrganizationNumber> organization;
  std::optional<std::int64_t> version;
  Verdict verdict = Verdict::accepted;
  std::string_view reason_code;
  std::string_view reason_text;
  std::uint32_t attempt = 0;
  std::string_view resend;
  std::string_view next_attempt_at;
  std::string_view answered_at;
  std::string_view origin_topic;
  Position origin;
};

/// Reads results back, for the tools. One per thread.
class ResultReader {
 public:
  ResultReader();
  ~ResultReader();
  ResultReader(const ResultReader&) = delete;
  ResultReader& operator=(const ResultReader&) = delete;

  /// Nothing: the text is no result of ours.
  [[nodiscard]] std::optional<ResultView> read(std::string_view text);

 private:
  class Parser;
  std::unique_ptr<Parser> parser_;
};

/// The verdict of this name.
[[nodiscard]] std::optional<Verdict> verdict_of(std::string_view name);

}  // namespace helsekontakter::json
