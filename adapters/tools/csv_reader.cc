#include "adapters/tools/csv_reader.h"

namespace helsekontakter::tools {

bool CsvReader::at_line_end() const {
  if (at_ >= text_.size()) return true;
  return text_[at_] == '\n' || text_.substr(at_, 2) == "\r\n";
}

void CsvReader::skip_line_end() {
  if (at_ >= text_.size()) return;
  at_ += text_[at_] == '\r' ? 2 : 1;
  ++line_;
}

tl::expected<std::string, CsvReader::Fault> CsvReader::quoted_field() {
  const std::size_t first_line = line_;
  std::string field;
  for (++at_; at_ < text_.size(); ++at_) {
    if (text_[at_] != '"') {
      if (text_[at_] == '\n') ++line_;
      field += text_[at_];
    } else if (text_.substr(at_, 2) == "\"\"") {
      field += text_[at_++];
    } else {
      ++at_;
      if (at_line_end() || text_[at_] == delimiter_) return field;
      return tl::unexpected(Fault{line_, "text follows a closing quote"});
    }
  }
  return tl::unexpected(Fault{first_line, "a quote is not closed"});
}

tl::expected<std::string, CsvReader::Fault> CsvReader::bare_field() {
  const std::size_t from = at_;
  for (; !at_line_end() && text_[at_] != delimiter_; ++at_) {
    if (text_[at_] == '"') {
      return tl::unexpected(Fault{line_,
                                  "a quote stands within a field that does not begin with "
                                  "one"});
    }
    if (text_[at_] == '\r') {
      return tl::unexpected(Fault{line_, "a carriage return without a line feed"});
    }
  }
  return std::string(text_.substr(from, at_ - from));
}

tl::expected<std::optional<CsvReader::Record>, CsvReader::Fault> CsvReader::next() {
  while (at_ < text_.size() && at_line_end()) skip_line_end();
  if (at_ >= text_.size()) return std::nullopt;
  Record record{.line = line_, .fields = {}};
  while (true) {
    const bool is_quoted = at_ < text_.size() && text_[at_] == '"';
    auto field = is_quoted ? quoted_field() : bare_field();
    if (!field) {
      at_ = text_.size();
      return tl::unexpected(std::move(field.error()));
    }
    record.fields.push_back(std::move(*field));
    if (at_line_end()) break;
    ++at_;  // the delimiter
  }
  skip_line_end();
  return record;
}

}  // namespace helsekontakter::tools
