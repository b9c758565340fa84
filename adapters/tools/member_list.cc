#include "adapters/tools/member_list.h"

#include "adapters/json/flat_object.h"
#include "adapters/tools/csv_reader.h"
#include "worker/domain/national_id.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace helsekontakter::tools {
namespace {

constexpr std::string_view utf8_mark = "\xEF\xBB\xBF";
constexpr std::array<std::string_view, 5> fields{"member", "start", "end", "subject", "ended"};
constexpr std::string_view how_to_convert =
    "convert the list first: iconv -f latin1 -t utf-8 LIST > NEW (its encoding may be another one "
    "than latin1)";

std::string column_of(const ListOptions& options, std::string_view field) {
  const auto named = options.columns.find(std::string(field));
  return named == options.columns.end() ? std::string(field) : named->second;
}

std::size_t line_at(std::string_view text, std::size_t at) {
  return 1 + static_cast<std::size_t>(
                 std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

/// Encodings that are not UTF-8.
std::optional<ListFaults> refuse_encoding(std::string_view text) {
  ListFaults faults;
  const std::string_view start = text.substr(0, 2);
  if (start == "\xFF\xFE" || start == "\xFE\xFF") {
    faults.add(0, "the list is UTF-16; convert it first: iconv -f utf-16 -t utf-8 LIST > NEW");
    return faults;
  }
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (!json::is_valid_utf8(text.substr(at, end - at))) {
      faults.add(line_at(text, at), "not UTF-8; " + std::string(how_to_convert));
      return faults;
    }
    at = end + 1;
  }
  if (text.find('\0') != std::string_view::npos) {
    faults.add(line_at(text, text.find('\0')), "holds a null character: no text of this kind");
    return faults;
  }
  return std::nullopt;
}

/// Makes lines of named values, and notes what is wrong with them.
class Lines {
 public:
  Lines(const ListOptions& options, ListFaults& faults) : options_(options), faults_(faults) {
    for (std::size_t i = 0; i < fields.size(); ++i) columns_.at(i) = column_of(options, fields[i]);
  }

  using Values = std::vector<std::pair<std::string, std::string>>;
  void add(std::size_t line, const Values& values) {
    const auto find = [&](const std::string& column) -> std::string {
      const auto found = std::find_if(values.begin(), values.end(),
                                      [&](const auto& each) { return each.first == column; });
      return found == values.end() ? std::string() : found->second;
    };
    MemberLine out{.line = line,
                   .member = find(columns_[0]),
                   .start = find(columns_[1]),
                   .end = find(columns_[2]),
                   .subject = find(columns_[3]),
                   .key = {}};
    out.key = options_.key_column.empty() ? out.subject : find(options_.key_column);
    const std::string ended = find(columns_[4]);
    if (!ended.empty() && ended != "true" && ended != "false") {
      return faults_.add(line, columns_[4] + ": neither true nor false");
    }
    out.ended = ended == "true";
    if (check(out)) lines_.push_back(std::move(out));
  }

  std::vector<MemberLine> take() { return std::move(lines_); }
  [[nodiscard]] const std::array<std::string, 5>& columns() const { return columns_; }

 private:
  bool check(const MemberLine& line) {
    const std::string key = options_.key_column.empty() ? columns_[3] : options_.key_column;
    if (line.member.empty()) {
      faults_.add(line.line, columns_[0] + " is empty");
    } else if (options_.needs_key && line.key.empty()) {
      faults_.add(line.line, key + " is empty: it is the key, one opaque value a member for ever");
    } else if (is_number(line.key, line)) {
      faults_.add(line.line, key + " holds an identity number, which no key may");
    } else if (is_number(line.subject, line)) {
      faults_.add(line.line, columns_[3] + " holds an identity number, which no subject may");
    } else {
      return true;
    }
    return false;
  }
  /// Also a number that no rule accepts, when it stands for the member.
  static bool is_number(std::string_view text, const MemberLine& line) {
    return contains_national_id(text) || text.find(line.member) != std::string_view::npos;
  }

  const ListOptions& options_;
  ListFaults& faults_;
  std::array<std::string, 5> columns_;
  std::vector<MemberLine> lines_;
};

std::string in_words(char delimiter) {
  if (delimiter == '\t') return "tab";
  return {'"', delimiter, '"'};
}

/// What the header lacks.
void check_header(const std::vector<std::string>& header, const ListOptions& options,
                  const Lines& lines, ListFaults& faults, std::size_t line) {
  const auto has = [&](const std::string& name) {
    return std::find(header.begin(), header.end(), name) != header.end();
  };
  if (header.size() == 1) {
    for (const char other : {';', '\t', ',', '|'}) {
      if (other == options.delimiter || header[0].find(other) == std::string::npos) continue;
      return faults.add(line, "the header is one column when read with the delimiter " +
                                  in_words(options.delimiter) + ", and holds " + in_words(other) +
                                  "; say --delimiter '" +
                                  (other == '\t' ? "tab" : std::string{other}) + "'");
    }
  }
  // A list without a header has a person's line in its place, so no name of it is shown.
  for (std::size_t i = 0; i < header.size(); ++i) {
    const auto before =
        std::find(header.begin(), header.begin() + static_cast<std::ptrdiff_t>(i), header[i]);
    if (before - header.begin() < static_cast<std::ptrdiff_t>(i)) {
      faults.add(line, "the header has the same name twice, the second time in column " +
                           std::to_string(i + 1));
    }
    if (contains_national_id(header[i])) {
      faults.add(line, "the list has no header: its first line holds an identity number");
    }
  }
  const auto need = [&](const std::string& name, const std::string& why) {
    if (!has(name)) faults.add(line, "the header has no column " + name + why);
  };
  need(lines.columns()[0], "; say --column member=NAME if it is called otherwise");
  need(lines.columns()[1], "; say --column start=NAME if it is called otherwise");
  for (const auto& [field, name] : options.columns) need(name, ", which --column names");
  if (!options.key_column.empty()) need(options.key_column, ", which --key-column names");
  if (options.key_column.empty() && options.needs_key) {
    need(lines.columns()[3], ", which would be the key; say --key-column NAME");
  }
}

void read_csv(std::string_view text, const ListOptions& options, Lines& lines, ListFaults& faults) {
  CsvReader reader(text, options.delimiter);
  auto header = reader.next();
  if (header && !*header) return faults.add(0, "the list is empty: it has not even a header");
  if (header) check_header((*header)->fields, options, lines, faults, (*header)->line);
  if (!header) return faults.add(header.error().line, header.error().what);
  if (faults.total > 0) return;
  while (true) {
    auto record = reader.next();
    if (!record) return faults.add(record.error().line, record.error().what);
    if (!*record) return;
    auto& values = (*record)->fields;
    if (values.size() != (*header)->fields.size()) {
      faults.add((*record)->line, std::to_string(values.size()) + " fields, the header has " +
                                      std::to_string((*header)->fields.size()));
      continue;
    }
    Lines::Values named;
    for (std::size_t i = 0; i < values.size(); ++i) {
      named.emplace_back((*header)->fields[i], std::move(values[i]));
    }
    lines.add((*record)->line, named);
  }
}

void read_json(std::string_view text, Lines& lines, ListFaults& faults) {
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    ++number;
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    at = end + 1;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
    const auto object = json::read_flat_object(line);
    if (!object) {
      faults.add(number, object.error());
    } else {
      lines.add(number, *object);
    }
  }
}

}  // namespace

tl::expected<std::vector<MemberLine>, ListFaults> read_member_list(std::string_view text,
                                                                   const ListOptions& options) {
  ListFaults faults;
  if (!options.key_column.empty() && options.key_column == column_of(options, "member")) {
    faults.add(0,
               "--key-column names the column of identity numbers, and no key may hold one; "
               "choose an opaque value of the member's own");
    return tl::unexpected(std::move(faults));
  }
  if (text.starts_with(utf8_mark)) text.remove_prefix(utf8_mark.size());
  if (auto refused = refuse_encoding(text)) return tl::unexpected(std::move(*refused));
  Lines lines(options, faults);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] == '{') {
    read_json(text, lines, faults);
  } else {
    read_csv(text, options, lines, faults);
  }
  if (faults.total > 0) return tl::unexpected(std::move(faults));
  return lines.take();
}

}  // namespace helsekontakter::tools
