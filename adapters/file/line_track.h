#pragma once

#include "adapters/file/checkpoint.h"
#include "adapters/file/input_file.h"
#include "worker/ports/commands.h"

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>

namespace helsekontakter::file {

/// What source and recorder know together: at which byte each line begins that was read and is not
/// durably concluded, under which epoch, and how far the file is concluded. Any thread.
class LineTrack {
 public:
  /// Lines that are remembered; at the limit nothing more is read.
  static constexpr std::size_t lines_max = 4'000'000;

  /// Without a checkpoint's file, for standard input, nothing is kept beyond this process.
  explicit LineTrack(std::optional<CheckpointFile> checkpoint)
      : checkpoint_(std::move(checkpoint)) {}

  /// The lock and the content of the checkpoint's file.
  [[nodiscard]] Result<void> lock();
  [[nodiscard]] Result<std::optional<Checkpoint>> read() const;

  /// Source: reading begins at this line, under this epoch. `input` is null for standard input.
  void begin(Epoch epoch, const Checkpoint& at, std::shared_ptr<const InputFile> input);
  /// Source: these lines follow; each ends before this byte.
  void add(std::span<const std::int64_t> line_ends);
  [[nodiscard]] bool is_full() const;
  /// Where to read again after a failed record.
  [[nodiscard]] Checkpoint durable() const;
  [[nodiscard]] Offset durable_line() const { return durable_line_; }

  /// Whether the record belongs to the present epoch.
  [[nodiscard]] bool is_current(const Record& record) const;
  /// Recorder: makes the progress durable. An error of the file; the same call may succeed later.
  [[nodiscard]] Result<void> keep(const Progress& progress);

 private:
  [[nodiscard]] std::int64_t byte_of(Offset line) const;

  std::optional<CheckpointFile> checkpoint_;
  mutable std::mutex mutex_;  ///< guards all below; not held while files are touched
  Epoch epoch_{};
  std::shared_ptr<const InputFile> input_;
  Checkpoint durable_;
  Offset first_ = 0;  ///< the lowest line that is remembered
  std::int64_t first_byte_ = 0;
  std::deque<std::int64_t> ends_;  ///< of first_ and the lines after it
  std::atomic<Offset> durable_line_{0};
};

}  // namespace helsekontakter::file
