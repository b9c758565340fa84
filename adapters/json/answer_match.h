#pragma once

#include "worker/domain/verdict.h"
#include "worker/ports/commands.h"
#include "worker/submission/outcome.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <simdjson.h>

namespace helsekontakter::json {

/// Finds out which entry of the batch a piece of an answer is about, by what stands in it. The
/// entries must outlive it.
class EntryMatcher {
 public:
  explicit EntryMatcher(const std::vector<EntryReference>& entries) : entries_(entries) {}

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

  /// Places of entries by a hash of one of their parts: open addressing, one allocation.
  class Index {
   public:
    [[nodiscard]] bool empty() const { return places_.empty(); }
    void reserve(std::size_t entries);
    /// The place of the first entry of that hash for which `equal`; where to put one if there is
    /// none.
    template <class Equal>
    [[nodiscard]] std::size_t slot(std::size_t hash, Equal equal) const;
    /// The entry at a slot, or nothing.
    [[nodiscard]] std::optional<std::size_t> at(std::size_t slot) const;
    void put(std::size_t slot, std::size_t entry);

   private:
    std::vector<std::uint32_t> places_;  ///< entry + 1; 0: free
  };
  [[nodiscard]] std::optional<std::size_t> by_full_url(const Uuid& uuid) const;
  void index_identifiers() const;
  void index_full_urls() const;

  const std::vector<EntryReference>& entries_;
  // Made when first asked for: most answers name nobody.
  mutable Index identifiers_;
  mutable Index full_urls_;
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
