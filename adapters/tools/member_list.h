#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace helsekontakter::tools {

/// A line of a member list. Holds an identity number; never printed.
struct MemberLine {
  std::size_t line = 0;
  std::string member;
  std::string start;
  std::string end;
  std::string subject;
  std::string key;  ///< of the record: the key column, else the subject
  bool ended = false;
};

struct ListOptions {
  char delimiter = ',';
  std::string key_column;                      ///< empty: the subject is the key
  std::map<std::string, std::string> columns;  ///< field -> the list's name of it, where it differs
  bool needs_key = true;                       ///< false: there is no Kafka
};

/// What is wrong with a list, by number of line and without anything that stands there.
struct ListFaults {
  static constexpr std::size_t told_max = 20;
  struct Fault {
    std::size_t line = 0;  ///< 0: the list as a whole
    std::string what;
  };
  std::vector<Fault> first;  ///< at most told_max
  std::size_t total = 0;

  void add(std::size_t line, std::string what) {
    if (total++ < told_max) first.push_back({line, std::move(what)});
  }
};

/// Reads a list: JSON objects, one a line, when it begins with a brace; else CSV with a header.
/// Fields: member and start, and where there are such end, subject, ended (true or false). UTF-8,
/// with or without a byte order mark. Refuses the whole list for any fault.
[[nodiscard]] tl::expected<std::vector<MemberLine>, ListFaults> read_member_list(
    std::string_view text, const ListOptions& options);

}  // namespace helsekontakter::tools
