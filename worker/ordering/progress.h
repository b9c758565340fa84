#pragma once

#include "worker/domain/delivery.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace helsekontakter {

/// What travels as the metadata of a committed offset (design: concluded out of order, newest
/// first after a crash). Text form: base64url, see encode().
struct ProgressMark {
  /// Offsets at or above the committed one that are concluded: half-open, ascending, not touching.
  std::vector<std::pair<Offset, Offset>> concluded;
  /// Nothing at or above this was ever submitted.
  Offset submitted_to = 0;
  /// The last owner let go in order: nothing of it is under way.
  bool clean = false;
  /// The last owner let go while a request with unknown outcome may still be executed.
  bool unsettled = false;
};

/// Writes a mark as base64url text for a commit of `committed`: the shorter of runs and bitmap.
[[nodiscard]] std::string encode(const ProgressMark& mark, Offset committed);

/// Reads a mark that was committed together with `committed`. Text of another format, of another
/// base, or damaged gives nothing: the owner then knows the offset only.
[[nodiscard]] std::optional<ProgressMark> decode(std::string_view text, Offset committed);

/// How far one partition is received and concluded. Offsets are received in ascending order and
/// concluded in any. Guarantees that mark() always fits the broker's limit: what would not is not
/// admitted.
class PartitionProgress {
 public:
  /// `characters_max`: the longest metadata that the broker takes.
  PartitionProgress(Offset committed, const ProgressMark& restored, std::size_t characters_max);

  /// True when one more offset can be taken without the metadata ever growing over its limit.
  [[nodiscard]] bool admits(Offset offset) const;
  /// Takes an offset; what lies between it and the last one does not exist and counts as concluded.
  /// Returns false when the offset was concluded before (it is in the restored mark) or received
  /// already: then it is to be dropped.
  [[nodiscard]] bool receive(Offset offset);
  /// Everything below `position` has been delivered. Taken as far as the metadata can hold it; to
  /// be said again when more is concluded.
  void reach(Offset position);
  void conclude(Offset offset);

  /// Everything below is concluded.
  [[nodiscard]] Offset committed() const { return base_; }
  /// Everything below is received.
  [[nodiscard]] Offset received() const { return received_; }
  [[nodiscard]] std::size_t unconcluded() const { return unconcluded_; }
  /// How far submissions may be promised: what is received, and up to `stride` more as far as its
  /// offsets fit, so that the next owner, who first reads all that was promised, can take it.
  [[nodiscard]] Offset promisable(Offset stride) const;
  /// The mark of this moment, without flags.
  [[nodiscard]] ProgressMark mark(Offset submitted_to) const;

 private:
  [[nodiscard]] bool bit(Offset offset) const;
  /// The end of the longest stretch whose bitmap fits.
  [[nodiscard]] Offset bitmap_end() const { return base_ + static_cast<Offset>(bytes_max_ * 8); }
  void set(Offset from, Offset to);
  void advance();

  Offset base_;   // committed
  Offset first_;  // the offset of bit 0 of words_, at most base_
  Offset received_;
  std::size_t bytes_max_;
  std::size_t unconcluded_ = 0;
  std::deque<std::uint64_t> words_;
};

/// The metadata for an owner who may begin before the last one's requests are over, because no
/// session had to end first: after an unclean end it says that they are unsettled, so that nothing
/// is submitted before the settle time has passed. Other metadata is left as it is.
[[nodiscard]] std::string with_quarantine(const std::string& metadata, Offset committed);

}  // namespace helsekontakter
