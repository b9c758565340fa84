#pragma once

#include "adapters/file/descriptor.h"
#include "worker/domain/result.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace helsekontakter::file {

/// A file that lines are appended to, or standard output. One thread.
class Output {
 public:
  /// `option` names it in errors.
  Output(std::string path, std::string option);

  /// Opens the file and locks it against a second process; a line that a crash left torn at its end
  /// is cut away. Standard output is taken as it is.
  [[nodiscard]] Result<void> open();

  /// Appends the lines and makes them durable: all or, after a fault, none of them. Of standard
  /// output, what was written before a fault is not written again by the next call with the same
  /// text. A file that was moved away is made anew.
  [[nodiscard]] Result<void> append(std::string_view lines);

 private:
  [[nodiscard]] Result<void> append_to_stream(std::string_view lines);
  [[nodiscard]] Result<void> repair();
  [[nodiscard]] bool is_in_place() const;
  [[nodiscard]] bool is_stream() const;
  [[nodiscard]] tl::unexpected<Error> fault(int number) const;

  const std::string path_;
  const std::string option_;
  Descriptor file_;
  std::size_t streamed_ = 0;  ///< of the text whose writing failed half way
};

}  // namespace helsekontakter::file
