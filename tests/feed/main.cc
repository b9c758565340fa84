#include "tests/feed/produce.h"
#include "tests/feed/results.h"

#include <exception>
#include <fstream>
#include <iostream>

#include <CLI/CLI.hpp>

namespace {

using namespace helsekontakter::feed;  // NOLINT: this file is the program itself

constexpr int fault_status = 1;
constexpr int usage_status = 2;
constexpr int gaps_status = 3;

void add_place(CLI::App& command, Place& place) {
  command.add_option("--brokers", place.brokers, "host:port")->required();
  command.add_option("--topic", place.topic)->required();
}

void add_wishes(CLI::App& command, Wishes& wishes) {
  command.add_option("--organizations", wishes.organizations)
      ->check(CLI::Range(std::size_t{1}, organizations_max));
  command.add_option("--members", wishes.members)->check(CLI::Range(std::size_t{0}, members_max));
  command.add_flag("--offerings", wishes.offerings, "First one offering of each organisation");
  command.add_option("--changed-twice", wishes.changed_twice, "Share whose second change follows")
      ->check(CLI::Range(0.0, 1.0));
  command.add_option("--invalid", wishes.invalid, "Share with a wrong check digit")
      ->check(CLI::Range(0.0, 1.0));
  command.add_option("--inactive", wishes.inactive, "Share that --inactive-file lists")
      ->check(CLI::Range(0.0, 1.0));
  command.add_option("--seed", wishes.seed, "Of ids and chances");
  command.add_option("--version", wishes.version, "Of the first change of each member")
      ->check(CLI::Range(1, 30'000));
  command.add_option("--expect", wishes.expect_file, "Newest version of each member, NDJSON");
  command.add_option("--numbers", wishes.numbers_file, "Every identity number, one a line");
  command.add_option("--events", wishes.events_file, "Every event id, one a line");
  command.add_option("--inactive-file", wishes.inactive_file, "For the simulator's api.inactive");
}

void print_figures(const Fed& fed) {
  const Planned& planned = fed.planned;
  std::cout << "{\"events\":" << planned.events << ",\"offerings\":" << planned.offerings
            << ",\"invalid\":" << planned.invalid << ",\"inactive\":" << planned.inactive
            << ",\"changed_twice\":" << planned.changed_twice << ",\"delivered\":" << fed.delivered
            << ",\"failed\":" << fed.failed << ",\"seconds\":" << fed.seconds << "}\n";
}

struct Arguments {
  Place place;
  Wishes wishes;
  Pace pace;
  Judging judging;
  std::string lines_file;
  std::int64_t deadline = 0;
  bool values = false;
};

int list_organizations(const Arguments& arguments) {
  std::cout << "organizations:\n";
  for (const std::string& number : organization_numbers(arguments.wishes.organizations)) {
    std::cout << "  \"" << number << "\": {}\n";
  }
  return 0;
}

std::int64_t records_in(const Place& place) {
  std::int64_t sum = 0;
  for (const auto& [partition, range] : offsets(place)) sum += range.second;
  return sum;
}

using Action = int (*)(const Arguments&);

int feed_all(const Arguments& arguments) {
  const Fed fed = produce(arguments.place, arguments.wishes, arguments.pace);
  print_figures(fed);
  return fed.failed == 0 && fed.delivered == fed.planned.events ? 0 : fault_status;
}

int write_lists(const Arguments& arguments) {
  std::ofstream lines;
  if (!arguments.lines_file.empty()) lines.open(arguments.lines_file, std::ios::binary);
  const auto emit = [&](std::string_view, const std::string& value) {
    if (lines.is_open()) lines << value << '\n';
    return true;
  };
  print_figures({.planned = helsekontakter::feed::feed(arguments.wishes, emit)});
  if (arguments.lines_file.empty()) return 0;
  lines.close();
  if (lines) return 0;
  std::cerr << "helsekontakter-feed: " << arguments.lines_file << " cannot be written\n";
  return fault_status;
}

int judge_results(const Arguments& arguments) {
  return judge(arguments.place, arguments.judging) ? 0 : gaps_status;
}

int judge_file(const Arguments& arguments) {
  return judge_lines(arguments.judging) ? 0 : gaps_status;
}

int count_records(const Arguments& arguments) {
  std::cout << records_in(arguments.place) << "\n";
  return 0;
}

int dump_records(const Arguments& arguments) {
  dump(arguments.place, arguments.values);
  return 0;
}

void add_events(CLI::App& command, Judging& judging) {
  command.add_option("--events", judging.events_file, "Ids of the events fed")->required();
  command.add_flag("--table", judging.table, "Count verdicts and reasons");
}

void add_judging(CLI::App& command, Arguments& arguments) {
  Judging& judging = arguments.judging;
  add_events(command, judging);
  command.add_option("--deadline", arguments.deadline, "Wait so many seconds for what is missing");
  command.add_flag("--progress", judging.progress, "Say on standard error how many are missing");
}

int command(int argc, char** argv) {
  CLI::App app("Feeds synthetic change events to Kafka, and judges the results");
  app.require_subcommand(1);
  Arguments arguments;
  Action action = nullptr;
  const auto add = [&](const char* name, const char* text, Action does) {
    CLI::App* command = app.add_subcommand(name, text);
    command->callback([&action, does] { action = does; });
    return command;
  };
  CLI::App* feed = add("produce", "Feed change events", feed_all);
  feed->add_option("--rate", arguments.pace.rate, "Events per second; 0: as fast as can be");
  feed->add_option("--burst", arguments.pace.burst, "So many first, as fast as can be");
  feed->add_flag("--progress", arguments.pace.progress, "Say on standard error how far it is");
  CLI::App* lists = add("lists", "Write the lists of `produce`, feed nothing", write_lists);
  lists->add_option("--lines", arguments.lines_file, "The events, one a line, into this file");
  CLI::App* list = add("organizations", "Print them for worker.yaml", list_organizations);
  list->add_option("--organizations", arguments.wishes.organizations)
      ->check(CLI::Range(std::size_t{1}, organizations_max));
  CLI::App* judged = add("results", "Exactly one result for each event? Else 3", judge_results);
  add_judging(*judged, arguments);
  CLI::App* filed = add("judge-lines", "The same of a file of results, one a line", judge_file);
  add_events(*filed, arguments.judging);
  filed->add_option("--file", arguments.judging.lines_file, "The results")->required();
  filed->add_flag("--at-least-once", arguments.judging.at_least_once,
                  "A result may be repeated with the same id");
  CLI::App* count = add("count", "Print the sum of the end offsets", count_records);
  CLI::App* dumped = add("dump", "Print keys and headers of every record", dump_records);
  dumped->add_flag("--values", arguments.values, "And values");
  for (CLI::App* each : {feed, judged, count, dumped}) add_place(*each, arguments.place);
  for (CLI::App* each : {feed, lists}) add_wishes(*each, arguments.wishes);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& fault) {
    return app.exit(fault) == 0 ? 0 : usage_status;
  }
  if (arguments.deadline > 0) arguments.judging.deadline = std::chrono::seconds(arguments.deadline);
  return action(arguments);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return command(argc, argv);
  } catch (const std::exception& fault) {
    std::cerr << "helsekontakter-feed: " << fault.what() << '\n';
    return fault_status;
  }
}
