#include "tests/feed/amqp_broker.h"

#include <exception>
#include <fstream>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <unordered_set>

#include <CLI/CLI.hpp>
#include <simdjson.h>

// Lines of a file to AMQP queues, and results from a queue to lines of a file. What the lines say
// is made and judged by helsekontakter-feed.

namespace {

using namespace helsekontakter::feed;  // NOLINT: this file is the program itself

constexpr int fault_status = 1;
constexpr int usage_status = 2;
constexpr int gaps_status = 3;

struct Arguments {
  Queue queue;
  std::vector<std::string> addresses;
  std::string address;
  std::string lines_file;
  std::string events_file;
  std::int64_t deadline = 60;
  bool binary = false;
};

/// The structured event taken apart; all its attributes are texts.
void make_binary(simdjson::dom::element event, Letter& letter) {
  letter.attributes.clear();
  for (const auto [name, value] : simdjson::dom::object(event)) {
    if (name == "data") {
      letter.body = simdjson::minify(value);
    } else if (name != "datacontenttype") {
      letter.attributes.emplace_back(name, std::string_view(value));
    }
  }
}

/// Each line goes to the address that its subject's hash names: all of a member to one.
int send(const Arguments& arguments) {
  std::ifstream lines(arguments.lines_file);
  if (!lines) throw std::runtime_error(arguments.lines_file + " cannot be read");
  simdjson::dom::parser parser;
  const auto next = [&](Letter& letter) {
    if (!std::getline(lines, letter.body)) return false;
    std::string_view subject;
    auto event = parser.parse(letter.body);
    if (event["subject"].get(subject) != simdjson::SUCCESS) subject = {};
    letter.subject = subject;
    letter.address = std::hash<std::string_view>()(subject) % arguments.addresses.size();
    if (arguments.binary) make_binary(event.value(), letter);
    return true;
  };
  std::cout << send_all(arguments.queue, arguments.addresses, next) << "\n";
  return 0;
}

/// Appends results until every event has one.
int collect(const Arguments& arguments) {
  std::unordered_set<std::string> missing;
  std::ifstream events(arguments.events_file);
  if (!events) throw std::runtime_error(arguments.events_file + " cannot be read");
  for (std::string id; std::getline(events, id);) missing.insert(id);
  std::ofstream lines(arguments.lines_file, std::ios::app | std::ios::binary);
  simdjson::dom::parser parser;
  const auto each = [&](std::string_view body) {
    lines << body << '\n' << std::flush;
    std::string_view event;
    if (parser.parse(body.data(), body.size())["data"]["event"]["id"].get(event) ==
        simdjson::SUCCESS) {
      missing.erase(std::string(event));
    }
    return !missing.empty();
  };
  if (!missing.empty()) {
    receive_all(arguments.queue, arguments.address,
                std::chrono::steady_clock::now() + std::chrono::seconds(arguments.deadline), each);
  }
  std::cout << missing.size() << " events have no result\n";
  return missing.empty() ? 0 : gaps_status;
}

/// Appends what lies there and comes within the deadline.
int take(const Arguments& arguments) {
  std::ofstream lines(arguments.lines_file, std::ios::app | std::ios::binary);
  receive_all(arguments.queue, arguments.address,
              std::chrono::steady_clock::now() + std::chrono::seconds(arguments.deadline),
              [&](std::string_view body) {
                lines << body << '\n' << std::flush;
                return true;
              });
  return 0;
}

int command(int argc, char** argv) {
  CLI::App app("Change events to AMQP queues, and their results back");
  app.require_subcommand(1);
  Arguments arguments;
  int (*action)(const Arguments&) = nullptr;
  const auto add = [&](const char* name, const char* text, int (*does)(const Arguments&)) {
    CLI::App* made = app.add_subcommand(name, text);
    made->callback([&action, does] { action = does; });
    made->add_option("--url", arguments.queue.url, "amqp://host:port")->required();
    made->add_option("--user", arguments.queue.user);
    made->add_option("--password", arguments.queue.password);
    made->add_option("--lines", arguments.lines_file, "One event or result a line")->required();
    return made;
  };
  CLI::App* sent = add("send", "Send the lines of a file", send);
  sent->add_option("--address", arguments.addresses, "Several: by the subject's hash")->required();
  sent->add_flag("--binary", arguments.binary, "CloudEvents in binary mode");
  CLI::App* collected = add("collect", "Append results until each event has one", collect);
  collected->add_option("--events", arguments.events_file, "Ids of the events fed")->required();
  CLI::App* taken = add("take", "Append what lies there, for so many seconds", take);
  for (CLI::App* each : {collected, taken}) {
    each->add_option("--address", arguments.address)->required();
    each->add_option("--deadline", arguments.deadline, "Seconds");
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& fault) {
    return app.exit(fault) == 0 ? 0 : usage_status;
  }
  return action(arguments);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return command(argc, argv);
  } catch (const std::exception& fault) {
    std::cerr << "helsekontakter-amqp-feed: " << fault.what() << '\n';
    return fault_status;
  }
}
