#pragma once

#include "adapters/crypto/keyed_hash.h"
#include "adapters/json/event_decoder.h"
#include "adapters/tools/member_list.h"
#include "worker/domain/bytes.h"
#include "worker/domain/organization_number.h"
#include "worker/domain/time.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace helsekontakter::tools {

/// What is the same for all events of one import.
struct ImportFacts {
  OrganizationNumber organization;
  WallTime time{};           ///< when it began: CloudEvents time, and part of each id
  std::int64_t version = 0;  ///< of every event
  std::string source;        ///< CloudEvents source
};

/// Makes the change events of member lines, and holds each against the very rules that the worker
/// applies (json::EventDecoder). One thread.
class ImportEvents {
 public:
  ImportEvents(json::DecoderSettings settings, const crypto::KeyedHash& hash, ImportFacts facts);

  /// The event of a line in CloudEvents' structured mode; `number` tells it from the others.
  [[nodiscard]] std::string text(const MemberLine& line, std::size_t number) const;

  struct Checked {
    MemberKey key;
    ContentDigest content;
  };
  /// An error says what the worker would say, without any value.
  [[nodiscard]] tl::expected<Checked, std::string> check(const MemberLine& line);

 private:
  json::EventDecoder decoder_;
  ImportFacts facts_;
};

/// A list whose every line makes a change, each of another member.
struct CheckedList {
  std::vector<MemberLine> lines;
  std::vector<ImportEvents::Checked> checked;  ///< of each line
};
[[nodiscard]] tl::expected<CheckedList, ListFaults> check_list(std::vector<MemberLine> lines,
                                                               ImportEvents& events);

/// What an import sends, and what it leaves out.
struct ImportPlan {
  std::vector<MemberLine> sent;  ///< new and changed ones in the list's order, then the ended
  std::size_t added = 0;
  std::size_t changed = 0;
  std::size_t unchanged = 0;
  std::size_t ended = 0;  ///< missing now: their end becomes the day of the import
  std::size_t over = 0;   ///< missing now, and over before that day: nothing to send
  std::size_t previous = 0;

  [[nodiscard]] double ends_share() const {
    return previous == 0 ? 0 : static_cast<double>(ended) / static_cast<double>(previous);
  }
};

/// The difference of two lists. A member that is missing now ends today, or, where the old list
/// says an earlier end, is over already. A membership that had not begun gets today as its only
/// day: an end before its start would be no period.
[[nodiscard]] ImportPlan plan_import(CheckedList now, CheckedList before,
                                     std::chrono::sys_days today);

}  // namespace helsekontakter::tools
