#pragma once

#include "adapters/tools/spill_file.h"
#include "worker/domain/result.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace helsekontakter::tools {

/// Sorts any number of rows in bounded memory: what does not fit is kept as sorted runs in a
/// temporary file and merged when it is read. Rows are plain bytes, smallest first by operator<.
template <class Row>
class ExternalSort {
  static_assert(std::is_trivially_copyable_v<Row>);

 public:
  static constexpr std::size_t bytes_by_default = 48 << 20;

  explicit ExternalSort(std::size_t bytes_max = bytes_by_default)
      : rows_max_(std::max<std::size_t>(bytes_max / sizeof(Row), 2)) {}

  [[nodiscard]] Result<void> add(const Row& row) {
    if (rows_.size() == rows_max_) {
      if (auto spilled = spill(); !spilled) return spilled;
    }
    rows_.push_back(row);
    ++size_;
    return {};
  }

  [[nodiscard]] std::uint64_t size() const { return size_; }

  /// visit(const Row&) for each row in order, which returns Result<void>. May be called again.
  template <class Visit>
  [[nodiscard]] Result<void> for_each(Visit visit) {
    if (!runs_.empty()) {
      if (auto spilled = spill(); !spilled) return spilled;
      return merge(visit);
    }
    std::sort(rows_.begin(), rows_.end());
    for (const Row& row : rows_) {
      if (Result<void> seen = visit(row); !seen) return seen;
    }
    return {};
  }

  /// The first row of each group in order; `same(a, b)` tells that they are of one group.
  template <class Same, class Visit>
  [[nodiscard]] Result<void> for_first_of_each(Same same, Visit visit) {
    std::optional<Row> last;
    return for_each([&](const Row& row) -> Result<void> {
      if (last && same(*last, row)) return {};
      last = row;
      return visit(row);
    });
  }

 private:
  /// A sorted stretch of the file, read a piece at a time.
  struct Run {
    std::uint64_t next = 0;  ///< byte to read next
    std::uint64_t end = 0;
    std::vector<Row> piece;
    std::size_t at = 0;
  };

  [[nodiscard]] Result<void> spill() {
    if (rows_.empty()) return {};
    if (!file_) {
      auto file = SpillFile::make();
      if (!file) return tl::unexpected(file.error());
      file_.emplace(std::move(*file));
    }
    std::sort(rows_.begin(), rows_.end());
    const std::uint64_t from = file_->size();
    if (auto written = file_->append(std::as_bytes(std::span(rows_))); !written) return written;
    runs_.emplace_back(from, file_->size());
    rows_.clear();
    return {};
  }

  [[nodiscard]] Result<bool> refill(Run& run, std::size_t rows) {
    const std::uint64_t left = (run.end - run.next) / sizeof(Row);
    run.piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(left, rows)));
    run.at = 0;
    if (run.piece.empty()) return false;
    if (auto got = file_->read(run.next, std::as_writable_bytes(std::span(run.piece))); !got) {
      return tl::unexpected(got.error());
    }
    run.next += run.piece.size() * sizeof(Row);
    return true;
  }

  template <class Visit>
  [[nodiscard]] Result<void> merge(Visit& visit) {
    const std::size_t piece_rows = std::max<std::size_t>(rows_max_ / runs_.size() / 4, 64);
    std::vector<Run> runs;
    runs.reserve(runs_.size());
    for (const auto& [from, end] : runs_) runs.push_back({.next = from, .end = end, .piece = {}});
    for (Run& run : runs) {
      if (auto filled = refill(run, piece_rows); !filled) return tl::unexpected(filled.error());
    }
    const auto later = [](const Run& a, const Run& b) { return b.piece[b.at] < a.piece[a.at]; };
    std::make_heap(runs.begin(), runs.end(), later);
    while (!runs.empty()) {
      std::pop_heap(runs.begin(), runs.end(), later);
      Run& run = runs.back();
      if (Result<void> seen = visit(std::as_const(run.piece[run.at])); !seen) return seen;
      if (++run.at == run.piece.size()) {
        const auto filled = refill(run, piece_rows);
        if (!filled) return tl::unexpected(filled.error());
        if (!*filled) {
          runs.pop_back();
          continue;
        }
      }
      std::push_heap(runs.begin(), runs.end(), later);
    }
    return {};
  }

  std::size_t rows_max_;
  std::uint64_t size_ = 0;
  std::vector<Row> rows_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> runs_;
  std::optional<SpillFile> file_;
};

}  // namespace helsekontakter::tools
