#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace helsekontakter::tools {

/// Reads CSV as RFC 4180 has it, strictly: fields in quotes may hold the delimiter, line ends and
/// doubled quotes; a quote elsewhere, or text after a closing one, is a fault. Line ends are LF or
/// CR LF. Empty lines are passed over. The text must outlive the reader.
class CsvReader {
 public:
  CsvReader(std::string_view text, char delimiter) : text_(text), delimiter_(delimiter) {}

  struct Record {
    std::size_t line = 0;  ///< the first of its lines, from 1
    std::vector<std::string> fields;
  };
  struct Fault {
    std::size_t line = 0;
    std::string what;  ///< without anything of the text
  };
  /// Nothing: the end. After a fault reading is over.
  [[nodiscard]] tl::expected<std::optional<Record>, Fault> next();

 private:
  [[nodiscard]] bool at_line_end() const;
  void skip_line_end();
  [[nodiscard]] tl::expected<std::string, Fault> quoted_field();
  [[nodiscard]] tl::expected<std::string, Fault> bare_field();

  std::string_view text_;
  char delimiter_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

}  // namespace helsekontakter::tools
