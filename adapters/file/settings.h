#pragma once

#include "worker/domain/time.h"

#include <cstddef>
#include <string>

namespace helsekontakter::file {

/// The path that stands for standard input or output.
inline constexpr const char* standard_stream = "-";

/// How results and the checkpoint call the input of this path: its last part, or "stdin".
[[nodiscard]] std::string name_of(const std::string& path);

struct SourceSettings {
  std::string path;        ///< "-": standard input
  std::string checkpoint;  ///< empty for standard input, which cannot be read again
  std::size_t event_bytes_max = 1'048'576;
  /// The file is read to the end that it had at the start; a last line counts without its newline.
  bool drain = false;
};

struct ResultSettings {
  std::string path;              ///< "-": standard output
  std::string dead_letter_path;  ///< empty: none
  std::string source;            ///< CloudEvents source of the result events
  std::string environment;
};

}  // namespace helsekontakter::file
