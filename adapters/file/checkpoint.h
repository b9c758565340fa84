#pragma once

#include "adapters/file/descriptor.h"
#include "worker/domain/delivery.h"
#include "worker/domain/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace helsekontakter::file {

/// Keyed hashes of two stretches of the input: enough to notice that it was replaced or cut short.
struct Fingerprint {
  std::int64_t head_bytes = 0;  ///< from the file's start
  std::string head;             ///< hexadecimal; empty: of nothing
  std::int64_t tail_bytes = 0;  ///< right before the checkpoint's byte
  std::string tail;
};

/// How far a file is concluded: what a committed offset is in Kafka. Durable by itself.
struct Checkpoint {
  Offset line = 0;        ///< every line below is concluded
  std::int64_t byte = 0;  ///< where that line begins
  std::string metadata;   ///< worker/ordering/progress.h
  Fingerprint fingerprint;
};

/// One JSON object and a line break. `file` is shown to people only.
[[nodiscard]] std::string encode(const Checkpoint& checkpoint, std::string_view file);
/// Remedy: stop.
[[nodiscard]] Result<Checkpoint> decode(std::string_view text);

/// The file that holds it.
class CheckpointFile {
 public:
  /// `input` is the name that stands in the checkpoint for people.
  CheckpointFile(std::string path, std::string input);

  /// Takes the lock that keeps a second process away, for as long as this lives. It lies beside the
  /// checkpoint, which is replaced at each write, and is never removed.
  [[nodiscard]] Result<void> lock();
  /// Nothing: there is none yet. What cannot be read as a checkpoint is an error, never a start.
  [[nodiscard]] Result<std::optional<Checkpoint>> read() const;
  /// Replaces it: a temporary file made durable, a rename, the folder made durable. After a crash
  /// the old or the new one stands there, whole.
  [[nodiscard]] Result<void> write(const Checkpoint& checkpoint) const;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  const std::string path_;
  const std::string input_;
  Descriptor lock_;
};

}  // namespace helsekontakter::file
