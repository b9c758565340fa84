#pragma once

#include "worker/domain/delivery.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace helsekontakter::file {

/// One line of a file.
struct Line {
  Offset number = 0;       ///< the file's first line is 0
  std::string_view text;   ///< without line end and byte order mark; lives until the next room()
  std::int64_t end = 0;    ///< byte after its newline: where the next line begins
  bool too_large = false;  ///< the text is its beginning only, one byte over the limit

  /// Nothing but spaces and tabs: counted, but no event.
  [[nodiscard]] bool is_blank() const { return text.find_first_not_of(" \t\r") == text.npos; }
};

/// Cuts a stream of bytes into lines at LF, or CR LF. Holds a line of at most `line_bytes_max`
/// bytes and one chunk: of a longer line only the beginning is kept, the rest is dropped as it
/// comes. Pure but for its buffer, one per thread.
class LineSplitter {
 public:
  /// What comes next is the line `number`, which begins at this byte of the file. At byte 0 a byte
  /// order mark is passed over.
  LineSplitter(std::size_t line_bytes_max, Offset number, std::int64_t byte);

  /// Where the next bytes are to be written; never empty. Ends the life of texts handed out.
  [[nodiscard]] std::span<char> room();
  /// So many of them were written.
  void filled(std::size_t bytes) { end_ += bytes; }

  /// The next complete line, if there is one.
  [[nodiscard]] std::optional<Line> next();
  /// What stands after the last newline, as a line: for the end of the input.
  [[nodiscard]] std::optional<Line> rest();

  /// The number of the line that comes next, and the byte it begins at.
  [[nodiscard]] Offset number() const { return number_; }
  [[nodiscard]] std::int64_t byte() const { return byte_; }
  /// Bytes that were taken in, complete lines or not.
  [[nodiscard]] std::int64_t taken_to() const {
    return byte_ + dropped_ + static_cast<std::int64_t>(end_ - begin_);
  }

 private:
  [[nodiscard]] Line cut(std::size_t text_end, std::size_t newline_bytes);

  const std::size_t line_bytes_max_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;     ///< of the present line
  std::size_t scanned_ = 0;   ///< no newline before it
  std::size_t end_ = 0;       ///< of what was filled
  std::int64_t dropped_ = 0;  ///< bytes of the present line that are not in the buffer
  Offset number_;
  std::int64_t byte_;
};

}  // namespace helsekontakter::file
