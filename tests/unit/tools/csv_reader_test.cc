#include "adapters/tools/csv_reader.h"

#include <gmock/gmock.h>

namespace helsekontakter::tools {
namespace {

/// Records as "line:[field|field]", a fault as "line! what"; one after the other.
std::string read(std::string_view text, char delimiter = ',') {
  CsvReader reader(text, delimiter);
  std::string all;
  while (true) {
    const auto record = reader.next();
    if (!record) return all + std::to_string(record.error().line) + "! " + record.error().what;
    if (!*record) return all;
    all += std::to_string((*record)->line) + ":[";
    for (std::size_t i = 0; i < (*record)->fields.size(); ++i) {
      all += (i == 0 ? "" : "|") + (*record)->fields[i];
    }
    all += "]";
  }
}

struct Case {
  std::string name;
  std::string text;
  std::string records;
  char delimiter = ',';
};

class Csv : public ::testing::TestWithParam<Case> {};

TEST_P(Csv, IsReadAsRfc4180HasIt) {
  EXPECT_EQ(read(GetParam().text, GetParam().delimiter), GetParam().records);
}

INSTANTIATE_TEST_SUITE_P(
    Forms, Csv,
    ::testing::Values(Case{"nothing", "", ""}, Case{"one_line", "a,b\n", "1:[a|b]"},
                      Case{"no_line_end", "a,b\nc,d", "1:[a|b]2:[c|d]"},
                      Case{"windows_line_ends", "a,b\r\nc,d\r\n", "1:[a|b]2:[c|d]"},
                      Case{"empty_lines", "a\n\r\n\nb\n", "1:[a]4:[b]"},
                      Case{"empty_fields", ",a,\n", "1:[|a|]"},
                      Case{"semicolons", "a;b,c\n", "1:[a|b,c]", ';'},
                      Case{"tabs", "a\tb\n", "1:[a|b]", '\t'},
                      Case{"quotes", "\"a,b\",\"c \"\"d\"\"\"\n", "1:[a,b|c \"d\"]"},
                      Case{"line_ends_in_quotes", "\"a\nb\",c\nd,e\n", "1:[a\nb|c]3:[d|e]"},
                      Case{"quoted_nothing", "\"\",\"\"\n", "1:[|]"},
                      Case{"open_quote", "a\n\"b\nc\n", "1:[a]2! a quote is not closed"},
                      Case{"text_after_quote", "\"a\"b\n", "1! text follows a closing quote"},
                      Case{"quote_within", "a\nb\"c\n",
                           "1:[a]2! a quote stands within a field that does not begin with one"},
                      Case{"old_macintosh", "a\rb\r", "1! a carriage return without a line feed"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace helsekontakter::tools
