#pragma once

#include "adapters/crypto/keyed_hash.h"
#include "adapters/file/checkpoint.h"
#include "adapters/file/descriptor.h"
#include "worker/domain/result.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace helsekontakter::file {

/// A regular file that is read, by positions; const calls from any thread.
class InputFile {
 public:
  /// Nothing inside: the file is not there (yet). Refuses what is no regular file.
  [[nodiscard]] static Result<InputFile> open(const std::string& path,
                                              const crypto::KeyedHash& hash);

  /// Bytes from a position on; 0 at the file's end.
  [[nodiscard]] Result<std::size_t> read(std::span<char> into, std::int64_t from) const;
  [[nodiscard]] Result<std::int64_t> size() const;
  /// Whether the path still names this file: it may have been removed or replaced by another one.
  [[nodiscard]] bool is_at(const std::string& path) const;

  /// Of what stands before `byte`, and at the start as far as `read_to`.
  [[nodiscard]] Result<Fingerprint> fingerprint(std::int64_t byte, std::int64_t read_to) const;
  /// An error says why the checkpoint is not one of this file. Remedy: stop.
  [[nodiscard]] Result<void> matches(const Checkpoint& checkpoint) const;

  /// A name for the content: keyed hash of the first line, which must be there whole.
  [[nodiscard]] Result<std::string> name_of_content() const;

  /// Lines from `byte` on, at most `lines_max`; what stands after the last newline counts if
  /// `rest`.
  [[nodiscard]] Result<std::int64_t> count_lines(std::int64_t byte, std::int64_t to,
                                                 std::int64_t lines_max, bool rest) const;

 private:
  InputFile(std::string path, Descriptor descriptor, crypto::KeyedHash hash)
      : path_(std::move(path)), descriptor_(std::move(descriptor)), hash_(hash) {}
  [[nodiscard]] Result<std::string> text(std::int64_t from, std::int64_t bytes) const;
  [[nodiscard]] Result<std::string> hmac(std::int64_t from, std::int64_t bytes) const;

  std::string path_;
  Descriptor descriptor_;
  crypto::KeyedHash hash_;
};

/// The same name for what is read from standard input.
[[nodiscard]] std::string name_of_content(const crypto::KeyedHash& hash,
                                          std::string_view first_line);

}  // namespace helsekontakter::file
