#pragma once

#include "worker/domain/verdict.h"
#include "worker/ports/commands.h"
#include "worker/submission/outcome.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <simdjson.h>

namespace helsekontakter::json {

struct UuidHash {
  std::size_t operator()(const Uuid& uuid) const noexcept {
    std::size_t value = 0;
    std::memcpy(&value, uuid.bytes.data(), sizeof value);
    return value;
  }
};

/// Finds out which entry of the batch a piece of an answer is about, by what stands in it.
class EntryMatcher {
 public:
  explicit EntryMatcher(const std::vector<EntryReference>& entries);

  enum class Kind : std::uint8_t {
    none,       ///< names no entry
    entry,      ///< names one
    ambiguous,  ///< names several
    stranger,   ///< names a person who is not in the batch
  };
  struct Match {
    Kind kind = Kind::none;
    std::size_t index = 0;
  };

  /// By identifier anywhere in it, then by fullUrl or location.
  [[nodiscard]] Match find(const simdjson::dom::element& item) const;
  /// By an identifier that its texts mention ("Patient?identifier=…").
  [[nodiscard]] Match find_mentioned(const simdjson::dom::element& item) const;
  [[nodiscard]] std::optional<std::size_t> by_identifier(std::string_view text) const;

 private:
  struct Seen;
  void collect(const simdjson::dom::element& value, bool mentions, std::size_t depth,
               Seen& seen) const;
  void collect_text(std::string_view text, Seen& seen) const;
  void collect_mentions(std::string_view text, Seen& seen) const;

  std::unordered_map<std::string_view, std::size_t> by_identifier_;
  std::unordered_map<Uuid, std::size_t, UuidHash> by_full_url_;
};

/// One piece of an answer, understood and attributed as far as it names its entry.
struct AnsweredItem {
  EntryAnswer answer;
  EntryMatcher::Match match;
};

[[nodiscard]] bool succeeded(const EntryAnswer& answer);

/// An answer for each entry of the batch, or nothing when that would be a guess. Members: each
/// entry needs its own item; by name, or by position where the counts agree and no name objects.
/// Offerings: an entry that no item names is accepted, as 200 promises, unless a fault names none.
[[nodiscard]] std::optional<std::vector<EntryAnswer>> attribute(std::vector<AnsweredItem> items,
                                                                std::size_t entries, Lane lane);

}  // namespace helsekontakter::json
