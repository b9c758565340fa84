#include "adapters/file/line_track.h"

#include "worker/domain/ensure.h"

#include <algorithm>
#include <utility>

namespace helsekontakter::file {

Result<void> LineTrack::lock() {
  return checkpoint_ ? checkpoint_->lock() : Result<void>();
}

Result<std::optional<Checkpoint>> LineTrack::read() const {
  if (!checkpoint_) return std::optional<Checkpoint>();
  return checkpoint_->read();
}

void LineTrack::begin(Epoch epoch, const Checkpoint& at, std::shared_ptr<const InputFile> input) {
  const std::lock_guard lock(mutex_);
  epoch_ = epoch;
  input_ = std::move(input);
  durable_ = at;
  durable_line_ = at.line;
  first_ = at.line;
  first_byte_ = at.byte;
  ends_.clear();
}

void LineTrack::add(std::span<const std::int64_t> line_ends) {
  const std::lock_guard lock(mutex_);
  ends_.insert(ends_.end(), line_ends.begin(), line_ends.end());
}

bool LineTrack::is_full() const {
  const std::lock_guard lock(mutex_);
  return ends_.size() >= lines_max;
}

Checkpoint LineTrack::durable() const {
  const std::lock_guard lock(mutex_);
  return durable_;
}

bool LineTrack::is_current(const Record& record) const {
  const std::lock_guard lock(mutex_);
  return std::all_of(record.progress.begin(), record.progress.end(),
                     [this](const Progress& progress) { return progress.epoch == epoch_; });
}

std::int64_t LineTrack::byte_of(Offset line) const {
  if (line == first_) return first_byte_;
  const auto before = static_cast<std::size_t>(line - first_ - 1);
  ensure(line > first_ && before < ends_.size());
  return ends_[before];
}

Result<void> LineTrack::keep(const Progress& progress) {
  Checkpoint fresh{.line = progress.committed, .metadata = progress.metadata};
  std::shared_ptr<const InputFile> input;
  std::int64_t read_to = 0;
  {
    const std::lock_guard lock(mutex_);
    fresh.byte = byte_of(fresh.line);
    read_to = ends_.empty() ? first_byte_ : ends_.back();
    input = input_;
  }
  if (checkpoint_ && input) {
    auto print = input->fingerprint(fresh.byte, read_to);
    if (!print) return tl::unexpected(print.error());
    fresh.fingerprint = std::move(*print);
    if (auto written = checkpoint_->write(fresh); !written) return written;
  }
  const std::lock_guard lock(mutex_);
  if (progress.epoch != epoch_) return {};
  ends_.erase(ends_.begin(), ends_.begin() + (fresh.line - first_));
  first_ = fresh.line;
  first_byte_ = fresh.byte;
  durable_line_ = fresh.line;
  durable_ = std::move(fresh);
  return {};
}

}  // namespace helsekontakter::file
