#include "tests/feed/results.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <map>
#include <stdexcept>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <simdjson.h>

namespace helsekontakter::feed {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t shown_max = 5;

std::string_view text_of(const void* data, std::size_t size) {
  return {static_cast<const char*>(data), data == nullptr ? 0 : size};
}

/// What the results say of the events.
class Tally {
 public:
  explicit Tally(const Judging& judging) : at_least_once_(judging.at_least_once) {
    std::ifstream stream(judging.events_file);
    if (!stream) throw std::runtime_error(judging.events_file + " cannot be read");
    for (std::string id; std::getline(stream, id);) {
      if (!id.empty()) results_of_.emplace(std::move(id), Counts{});
    }
    without_ = results_of_.size();
  }

  void add(std::string_view value) {
    simdjson::dom::element result;
    std::string_view id;
    std::string_view verdict;
    std::string_view event;
    if (parser_.parse(value.data(), value.size()).get(result) != simdjson::SUCCESS ||
        result["id"].get(id) != simdjson::SUCCESS ||
        result["data"]["verdict"].get(verdict) != simdjson::SUCCESS ||
        result["data"]["event"]["id"].get(event) != simdjson::SUCCESS) {
      ++unreadable_;
      return;
    }
    if (at_least_once_ && ids_.contains(std::string(id))) {
      ++told_again_;
      return;
    }
    ++results_;
    std::string_view reason;
    if (result["data"]["reason"]["code"].get(reason) != simdjson::SUCCESS) reason = "";
    ++table_[{std::string(verdict), std::string(reason)}];
    if (!ids_.emplace(id).second) note(repeated_, id);
    const auto found = results_of_.find(std::string(event));
    if (found == results_of_.end()) {
      note(strangers_, event);
      return;
    }
    Counts& counts = found->second;
    without_ -= counts.inactive + counts.terminal == 0 ? 1 : 0;
    // An inactive member waits; what ends the change comes later.
    std::uint32_t& kind = verdict == "inactive" ? counts.inactive : counts.terminal;
    if (++kind == 2) note(several_, event);
  }

  [[nodiscard]] std::size_t without() const { return without_; }

  void print_table() const {
    for (const auto& [what, count] : table_) {
      std::cout << std::setw(12) << count << "  " << what.first;
      if (!what.second.empty()) std::cout << " (" << what.second << ")";
      std::cout << "\n";
    }
  }

  [[nodiscard]] bool report() const {
    std::cout << results_ << " results for " << results_of_.size() << " events\n";
    if (told_again_ > 0) std::cout << told_again_ << " of them were told again, same id\n";
    Listed without;
    for (const auto& [id, counts] : results_of_) {
      if (counts.inactive + counts.terminal == 0) note(without, id);
    }
    print(without, "events have no result");
    print(several_, "events have more than one result that ends them");
    print(repeated_, "results repeat the id of another one");
    print(strangers_, "results are of events that were not fed");
    if (unreadable_ > 0) std::cout << unreadable_ << " results cannot be read\n";
    return without.count + several_.count + repeated_.count + strangers_.count + unreadable_ == 0;
  }

 private:
  struct Listed {
    std::size_t count = 0;
    std::vector<std::string> first;
  };

  static void note(Listed& listed, std::string_view id) {
    ++listed.count;
    if (listed.first.size() < shown_max) listed.first.emplace_back(id);
  }

  static void print(const Listed& listed, std::string_view what) {
    if (listed.count == 0) return;
    std::cout << listed.count << " " << what << ":";
    for (const std::string& id : listed.first) std::cout << " " << id;
    std::cout << "\n";
  }

  struct Counts {
    std::uint32_t inactive = 0;
    std::uint32_t terminal = 0;
  };

  simdjson::dom::parser parser_;
  std::unordered_map<std::string, Counts> results_of_;
  std::unordered_set<std::string> ids_;
  std::map<std::pair<std::string, std::string>, std::uint64_t> table_;
  const bool at_least_once_;
  std::uint64_t results_ = 0;
  std::uint64_t told_again_ = 0;
  std::uint64_t unreadable_ = 0;
  std::size_t without_ = 0;
  Listed several_;
  Listed repeated_;
  Listed strangers_;
};

}  // namespace

bool judge_lines(const Judging& judging) {
  Tally tally(judging);
  std::ifstream stream(judging.lines_file);
  if (!stream) throw std::runtime_error(judging.lines_file + " cannot be read");
  for (std::string line; std::getline(stream, line);) tally.add(line);
  if (judging.table) tally.print_table();
  return tally.report();
}

bool judge(const Place& place, const Judging& judging) {
  Tally tally(judging);
  const auto start = Steady::now();
  auto told = start;
  read(
      place,
      [&](const rd_kafka_message_t& message) { tally.add(text_of(message.payload, message.len)); },
      [&] {
        const auto now = Steady::now();
        if (judging.progress && now - told > std::chrono::seconds(5)) {
          told = now;
          std::cerr << tally.without() << " events have no result yet\n";
        }
        const bool late = !judging.deadline || now - start >= *judging.deadline;
        return tally.without() == 0 || late ? Reading::end : Reading::on;
      });
  if (judging.table) tally.print_table();
  return tally.report();
}

void dump(const Place& place, bool values) {
  read(
      place,
      [&](const rd_kafka_message_t& message) {
        std::cout << message.partition << " " << message.offset << " "
                  << text_of(message.key, message.key_len);
        rd_kafka_headers_t* headers = nullptr;
        if (rd_kafka_message_headers(&message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
          const char* name = nullptr;
          const void* value = nullptr;
          std::size_t size = 0;
          for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) ==
                                  RD_KAFKA_RESP_ERR_NO_ERROR;
               ++i) {
            std::cout << " " << name << "=" << text_of(value, size);
          }
        }
        if (values) std::cout << " " << text_of(message.payload, message.len);
        std::cout << "\n";
      },
      [] { return Reading::end; });
}

}  // namespace helsekontakter::feed
