#include "adapters/cli/check.h"
#include "adapters/cli/probes.h"
#include "adapters/cli/run.h"
#include "adapters/cli/tool_commands.h"
#include "adapters/config/configuration.h"
#include "adapters/config/describe.h"
#include "adapters/config/secrets.h"
#include "worker/domain/national_id.h"

#include <cstdlib>
#include <exception>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace helsekontakter::cli {
namespace {

// Exit statuses of design 14; 3 belongs to `audit`.
constexpr int well = 0;
constexpr int fault = 1;
constexpr int wrong_usage = 2;

struct Arguments {
  std::string config;
  RunOptions run;
  CheckOptions check;
  std::string format = "table";
};

/// The configuration with its files looked at, or std::nullopt after every error was printed.
std::optional<config::Configuration> load(const std::string& path) {
  config::Loaded loaded = config::load(path, config::process_environment());
  std::vector<config::ConfigurationError> errors;
  if (loaded) {
    errors = config::check_secrets(*loaded, loaded->warnings);
  } else {
    errors = std::move(loaded.error());
  }
  for (const config::ConfigurationError& error : errors)
    std::cerr << scrub_national_ids(error.text()) << "\n";
  if (!errors.empty()) {
    std::cerr << errors.size() << (errors.size() == 1 ? " error" : " errors") << " in "
              << scrub_national_ids(path) << "; `helsekontakter options` lists every key\n";
    return std::nullopt;
  }
  return std::move(*loaded);
}

int run_command(const Arguments& arguments) {
  const auto configuration = load(arguments.config);
  return configuration ? run(*configuration, arguments.run) : wrong_usage;
}

int check_command(const Arguments& arguments) {
  const auto configuration = load(arguments.config);
  if (!configuration) return wrong_usage;
  const Probes probes =
      arguments.check.connect ? real_probes(*configuration, arguments.check) : Probes{};
  return check(*configuration, arguments.check, probes, std::cout);
}

int options_command(const Arguments& arguments) {
  const auto format = config::options_format(arguments.format);
  if (!format) return wrong_usage;
  std::cout << config::describe_options(*format);
  return well;
}

/// What the parser says of arguments it refuses quotes them, and one may be a number.
int say_usage(const CLI::App& app, const CLI::ParseError& refusal) {
  std::ostringstream said;
  const int status = app.exit(refusal, std::cout, said);
  std::cerr << scrub_national_ids(said.str());
  return status == 0 ? well : wrong_usage;
}

void add_config(CLI::App& command, Arguments& arguments) {
  command.add_option("--config", arguments.config, "The operator's YAML file")
      ->required()
      ->type_name("FILE");
}

int dispatch(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Submits changes of memberships to Helsenorge's Helsekontakter.", "helsekontakter");
  app.set_version_flag("--version", "helsekontakter " HELSEKONTAKTER_VERSION);
  app.require_subcommand(1);
  CLI::App* run = app.add_subcommand("run", "Work until SIGTERM");
  add_config(*run, arguments);
  run->add_flag("--drain", arguments.run.drain,
                "Stop when each partition has reached the end it had at the start; with AMQP, when "
                "all is settled and the broker says that it has nothing more, or does not answer "
                "and nothing came for 10 minutes");
  CLI::App* check =
      app.add_subcommand("check", "Say every error of the configuration, and what it promises");
  add_config(*check, arguments);
  CLI::Option* connect = check->add_flag("--connect", arguments.check.connect,
                                         "Also ask broker, HelseID and endpoint");
  CLI::Option* create =
      check->add_flag("--create", arguments.check.create, "Make missing topics")->needs(connect);
  check
      ->add_option("--partitions", arguments.check.partitions,
                   "Of an input topic that --create makes; its results get as many")
      ->check(CLI::Range(1, 10'000))
      ->needs(create)
      ->capture_default_str();
  CLI::App* options = app.add_subcommand("options", "List every option");
  options->add_option("--format", arguments.format, "table, yaml or json-schema")
      ->check(CLI::IsMember({"table", "yaml", "json-schema"}))
      ->capture_default_str();
  const ToolCommands tool_commands(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return say_usage(app, e);
  }
  if (run->parsed()) return run_command(arguments);
  if (check->parsed()) return check_command(arguments);
  if (options->parsed()) return options_command(arguments);
  return tool_commands.run(load).value_or(wrong_usage);
}

}  // namespace
}  // namespace helsekontakter::cli

int main(int argc, char** argv) {
  int status = helsekontakter::cli::fault;
  try {
    status = helsekontakter::cli::dispatch(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << "helsekontakter: " << helsekontakter::scrub_national_ids(std::string(e.what()))
              << "\n";
  }
  // Threads that nobody waits for may still be closing Kafka's clients and their TLS connections.
  // What OpenSSL frees at exit would be pulled from under them, and a crash hide the status.
  std::cout.flush();
  std::cerr.flush();
  std::quick_exit(status);
}
