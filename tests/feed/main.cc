#include "tests/feed/produce.h"
#include "tests/feed/results.h"

#include <exception>
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

int list_organizations(std::size_t count) {
  std::cout << "organizations:\n";
  for (const std::string& number : organization_numbers(count)) {
    std::cout << "  \"" << number << "\": {}\n";
  }
  return 0;
}

std::int64_t records_in(const Place& place) {
  std::int64_t sum = 0;
  for (const auto& [partition, range] : offsets(place)) sum += range.second;
  return sum;
}

int command(int argc, char** argv) {
  CLI::App app("Feeds synthetic change events to Kafka, and judges the results");
  app.require_subcommand(1);
  Place place;
  Wishes wishes;
  Pace pace;
  CLI::App* feed = app.add_subcommand("produce", "Feed change events");
  add_place(*feed, place);
  add_wishes(*feed, wishes);
  feed->add_option("--rate", pace.rate, "Events per second; 0: as fast as can be");
  feed->add_flag("--progress", pace.progress, "Say on standard error how far it is");
  CLI::App* lists = app.add_subcommand("lists", "Write the lists of `produce`, feed nothing");
  add_wishes(*lists, wishes);
  CLI::App* list = app.add_subcommand("organizations", "Print the organisations for worker.yaml");
  list->add_option("--organizations", wishes.organizations)
      ->check(CLI::Range(std::size_t{1}, organizations_max));
  Judging judging;
  std::int64_t deadline = 0;
  CLI::App* judged = app.add_subcommand("results", "Exactly one result for each event? Else 3");
  add_place(*judged, place);
  judged->add_option("--events", judging.events_file, "Ids of the events fed")->required();
  judged->add_flag("--table", judging.table, "Count verdicts and reasons");
  judged->add_option("--deadline", deadline, "Wait so many seconds for what is missing");
  judged->add_flag("--progress", judging.progress, "Say on standard error how many are missing");
  CLI::App* count = app.add_subcommand("count", "Print the sum of the end offsets");
  add_place(*count, place);
  bool values = false;
  CLI::App* dumped = app.add_subcommand("dump", "Print keys and headers of every record");
  add_place(*dumped, place);
  dumped->add_flag("--values", values, "And values");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& fault) {
    return app.exit(fault) == 0 ? 0 : usage_status;
  }
  if (deadline > 0) judging.deadline = std::chrono::seconds(deadline);
  if (list->parsed()) return list_organizations(wishes.organizations);
  if (lists->parsed()) {
    print_figures({.planned = helsekontakter::feed::feed(
                       wishes, [](std::string_view, const std::string&) { return true; })});
    return 0;
  }
  if (judged->parsed()) return judge(place, judging) ? 0 : gaps_status;
  if (count->parsed()) {
    std::cout << records_in(place) << "\n";
    return 0;
  }
  if (dumped->parsed()) {
    dump(place, values);
    return 0;
  }
  const Fed fed = produce(place, wishes, pace);
  print_figures(fed);
  return fed.failed == 0 && fed.delivered == fed.planned.events ? 0 : fault_status;
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
