#pragma once

#include "worker/domain/result.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace helsekontakter::tools {

/// A temporary file without a name: gone when this is, or the process. In the folder of TMPDIR, or
/// /tmp. One thread.
class SpillFile {
 public:
  [[nodiscard]] static Result<SpillFile> make();
  SpillFile(SpillFile&& other) noexcept;
  SpillFile& operator=(SpillFile&& other) noexcept;
  ~SpillFile();

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] Result<void> append(std::span<const std::byte> bytes);
  /// Reads all of `bytes`, which must lie within the file.
  [[nodiscard]] Result<void> read(std::uint64_t at, std::span<std::byte> bytes) const;

 private:
  explicit SpillFile(int descriptor) : descriptor_(descriptor) {}

  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace helsekontakter::tools
