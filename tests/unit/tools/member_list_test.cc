#include "adapters/tools/member_list.h"

#include <gmock/gmock.h>

namespace helsekontakter::tools {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr std::string_view ada = "21814497167";
constexpr std::string_view bob = "13116900216";

/// Lines as "line member start..end subject/key", a fault as "line! what".
std::string read(std::string_view text, const ListOptions& options = {}) {
  const auto lines = read_member_list(text, options);
  std::string all;
  if (!lines) {
    for (const auto& each : lines.error().first) {
      all += std::to_string(each.line) + "! " + each.what + "\n";
    }
    return all;
  }
  for (const MemberLine& each : *lines) {
    all += std::to_string(each.line) + " " + each.member + " " + each.start + ".." + each.end +
           " " + each.subject + "/" + each.key + (each.ended ? " ended" : "") + "\n";
  }
  return all;
}

const std::string good =
    "member,start,end,subject\n21814497167,2026-01-01,2026-06-30,m-1\n"
    "13116900216,2026-02-01,,m-2\n";
const std::string good_lines =
    "2 21814497167 2026-01-01..2026-06-30 m-1/m-1\n3 13116900216 2026-02-01.. m-2/m-2\n";

TEST(MemberList, IsReadFromCsv) {
  EXPECT_EQ(read(good), good_lines);
}

TEST(MemberList, MayHaveAByteOrderMarkAndWindowsLineEnds) {
  std::string text = "\xEF\xBB\xBF";
  for (const char c : good) text += c == '\n' ? "\r\n" : std::string(1, c);
  EXPECT_EQ(read(text), good_lines);
}

TEST(MemberList, MayCallItsColumnsOtherwiseInAnyOrderAndHaveMore) {
  const ListOptions options{.delimiter = ';',
                            .key_column = "Kunde",
                            .columns = {{"member", "Fødselsnummer"}, {"start", "Fra"}}};
  EXPECT_EQ(read("Navn;Kunde;Fra;Fødselsnummer\nÅse;k-1;2026-01-01;21814497167\n", options),
            "2 21814497167 2026-01-01.. /k-1\n");
}

TEST(MemberList, IsReadFromLinesOfJson) {
  EXPECT_EQ(read("{\"member\":\"21814497167\",\"start\":\"2026-01-01\",\"subject\":17,"
                 "\"ended\":true,\"end\":null}\r\n\n"),
            "1 21814497167 2026-01-01.. 17/17 ended\n");
}

struct Case {
  std::string name;
  std::string text;
  std::vector<std::string> said;
  ListOptions options{};
};

class BadList : public ::testing::TestWithParam<Case> {};

TEST_P(BadList, IsRefusedByLineWithoutItsContent) {
  const std::string said = read(GetParam().text, GetParam().options);
  EXPECT_THAT(said, HasSubstr("!")) << "it was accepted";
  for (const std::string& words : GetParam().said) EXPECT_THAT(said, HasSubstr(words));
  EXPECT_THAT(said, Not(HasSubstr(std::string(ada))));
  EXPECT_THAT(said, Not(HasSubstr(std::string(bob))));
}

const ListOptions key_is_member{.key_column = "member"};
const ListOptions key_is_absent{.key_column = "customer"};
const ListOptions column_is_absent{.columns = {{"member", "number"}}};

INSTANTIATE_TEST_SUITE_P(
    Faults, BadList,
    ::testing::Values(
        Case{"empty", "", {"0! the list is empty"}},
        Case{"wrong_delimiter",
             "member;start;subject\n21814497167;2026-01-01;m\n",
             {"1! ", "holds \";\"", "--delimiter ';'"}},
        Case{"tabs", "member\tstart\tsubject\n", {"1! ", "holds tab", "--delimiter 'tab'"}},
        Case{"latin1",
             "member,start,subject,name\n21814497167,2026-01-01,m,\xC5se\n",
             {"2! not UTF-8", "iconv -f latin1 -t utf-8"}},
        Case{"utf16", "\xFF\xFEm", {"0! ", "UTF-16", "iconv -f utf-16"}},
        Case{"null_character", std::string("member,start,subject\na\0b", 24), {"2! ", "null"}},
        Case{
            "missing_column", "member,end,subject\n", {"1! ", "no column start", "--column start"}},
        Case{"column_that_is_absent", good, {"1! ", "no column number"}, column_is_absent},
        Case{"key_column_that_is_absent", good, {"1! ", "no column customer"}, key_is_absent},
        Case{"no_subject_and_no_key", "member,start\n", {"1! ", "subject", "--key-column"}},
        Case{"key_is_the_number", good, {"0! ", "--key-column", "no key may"}, key_is_member},
        Case{"no_header",
             "21814497167,2026-01-01,2026-06-30,m-1\n",
             {"1! the list has no header", "1! the header has no column member"}},
        Case{"name_twice", "member,start,subject,start\n", {"1! ", "twice", "column 4"}},
        Case{"too_few_fields", "member,start,subject\n21814497167,2026-01-01\n", {"2! 2 fields"}},
        Case{"empty_member", "member,start,subject\n,2026-01-01,m\n", {"2! member is empty"}},
        Case{"empty_key",
             "member,start,subject\n21814497167,2026-01-01,\n",
             {"2! subject is empty"}},
        Case{"number_in_subject",
             "member,start,subject\n21814497167,2026-01-01,m/13116900216\n",
             {"2! subject holds an identity number"}},
        Case{"number_of_the_member_as_key",
             "member,start,subject\n21814497167,2026-01-01,x21814497167\n",
             {"2! subject holds an identity number"}},
        Case{"ended_neither",
             "member,start,subject,ended\n21814497167,2026-01-01,m,ja\n",
             {"2! ended: neither true nor false"}},
        Case{"open_quote", "member,start,subject\n\"21814497167\n", {"2! a quote is not closed"}},
        Case{"no_json", "{\"member\":\n", {"1! is not one JSON object"}},
        Case{"json_name_twice", "{\"a\":\"1\",\"a\":\"2\"}", {"1! has a name twice"}},
        Case{"json_nested", "{\"member\":{\"a\":1}}", {"1! has a value that is neither"}}),
    [](const auto& test) { return test.param.name; });

TEST(BadLists, TellTheFirstFaultsAndCountAll) {
  std::string text = "member,start,subject\n";
  for (int i = 0; i < 50; ++i) text += "21814497167,2026-01-01\n";
  const auto lines = read_member_list(text, {});
  ASSERT_FALSE(lines);
  EXPECT_EQ(lines.error().total, 50);
  EXPECT_THAT(lines.error().first, SizeIs(ListFaults::told_max));
}

}  // namespace
}  // namespace helsekontakter::tools
