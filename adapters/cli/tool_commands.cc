#include "adapters/cli/tool_commands.h"

#include "adapters/tools/surroundings.h"

#include <iostream>

#include <CLI/CLI.hpp>

namespace helsekontakter::cli {
namespace {

const std::string marks =
    "a time (RFC 3339), earliest, latest, or PARTITION:OFFSET,PARTITION:OFFSET";

}  // namespace

ToolCommands::ToolCommands(CLI::App& app) {
  add_import(app);
  add_replay(app);
  add_audit(app);
  add_show(app);
  add_control(app);
}

CLI::App* ToolCommands::add(CLI::App& app, const std::string& name, const std::string& does) {
  CLI::App* command = app.add_subcommand(name, does);
  command->add_option("--config", config_, "The operator's YAML file")
      ->required()
      ->type_name("FILE");
  return command;
}

void ToolCommands::add_import(CLI::App& app) {
  import_ = add(app, "import",
                "Turn a member list into change events on the input topic, all of them or none");
  tools::ImportOptions& options = import_options_;
  import_->add_option("LIST", options.list, "CSV with a header, or one JSON object a line")
      ->required();
  import_->add_option("--organization", options.organization, "Whose members they are")->required();
  import_->add_option("--previous", options.previous,
                      "The list before: send the difference, and end who is missing now");
  import_->add_option("--key-column", options.key_column,
                      "Column of the Kafka key: opaque, one a member for ever [subject]");
  import_->add_option("--column", options.columns,
                      "FIELD NAME: what the list calls member, start, end, subject or ended");
  import_->add_option("--delimiter", options.delimiter, "Of CSV: one character, or tab")
      ->capture_default_str();
  import_
      ->add_option("--ends-share-max", options.ends_share_max,
                   "Refuse when a larger share of the list before would end")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  import_->add_option("--version-number", options.version,
                      "Version of every event [milliseconds since 1970]");
  import_->add_flag("!--librdkafka-partitioner", options.java_partitioner,
                    "Choose partitions as librdkafka does, not as Kafka's Java client");
  import_->add_flag("--dry-run", options.dry_run, "Check the list and count, send nothing");
}

void ToolCommands::add_replay(CLI::App& app) {
  replay_ = add(app, "replay",
                "Send the newest event of each member in a stretch of the input once more");
  tools::ReplayOptions& options = replay_options_;
  replay_->add_option("--from", options.from, "Where the stretch begins: " + marks)->required();
  replay_->add_option("--to", options.to, "Where it ends, exclusive: likewise")
      ->capture_default_str();
  replay_->add_option("--organization", options.organization, "Only events of this one");
  replay_
      ->add_option("--verdict", options.verdict,
                   "Only members whose last verdict was this: accepted, unchanged, inactive, "
                   "rejected, superseded, undecodable, expired")
      ->type_name("VERDICT");
  replay_
      ->add_option("--rate", options.rate, "Events a second; 0: as fast as the brokers take them")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  replay_->add_option("--resume", options.resume, "Go on with this replay, which was interrupted");
  replay_->add_flag("--dry-run", options.dry_run, "Say how many and how long, send nothing");
}

void ToolCommands::add_audit(CLI::App& app) {
  audit_ = add(app, "audit",
               "Prove that every settled change event has one terminal result, or waits in the "
               "ledger; exit status 3 when not");
  audit_->add_option("--from", audit_options_.from, "Where the stretch begins: " + marks)
      ->capture_default_str();
  audit_->add_option("--to", audit_options_.to, "Where it ends, exclusive: likewise")
      ->capture_default_str();
}

void ToolCommands::add_show(CLI::App& app) {
  show_ = add(app, "show", "What the ledger and the results say of one member");
  show_->add_option("--organization", show_options_.organization, "Whose member it is")->required();
  CLI::Option_group* which = show_->add_option_group("which", "one of these");
  which->add_option("--event-id", show_options_.event_id, "CloudEvents id of a change event");
  which->add_option("--subject", show_options_.subject, "The sender's own id of the membership");
  which->add_flag("--member-stdin", show_options_.member_stdin,
                  "Read the identity number from standard input; it is never shown");
  which->require_option(1);
}

void ToolCommands::add_control(CLI::App& app) {
  control_ = add(app, "control", "Tell all workers to hold, to go on, or to try again now");
  control_->add_option("ACTION", control_options_.action, "hold, resume, release-brake, retry-now")
      ->required()
      ->check(CLI::IsMember({"hold", "resume", "release-brake", "retry-now"}));
  control_->add_option("--organization", control_options_.organization,
                       "Only this one [the endpoint; release-brake: the source; retry-now: all]");
  control_->add_option("--why", control_options_.why, "Of a hold, for the log of the workers")
      ->capture_default_str();
}

std::optional<int> ToolCommands::run(const Load& load) const {
  const tools::Streams streams{.out = std::cout, .err = std::cerr};
  const auto with_configuration = [&](auto command, const auto& options) -> int {
    const auto configuration = load(config_);
    return configuration ? command(*configuration, options, streams) : tools::wrong_usage;
  };
  if (import_->parsed()) return with_configuration(tools::import_list, import_options_);
  if (replay_->parsed()) return with_configuration(tools::replay, replay_options_);
  if (audit_->parsed()) return with_configuration(tools::audit, audit_options_);
  if (show_->parsed()) {
    const auto from_stdin = [](const auto& configuration, const auto& options, const auto& to) {
      return tools::show(configuration, options, std::cin, to);
    };
    return with_configuration(from_stdin, show_options_);
  }
  if (control_->parsed()) return with_configuration(tools::control, control_options_);
  return std::nullopt;
}

}  // namespace helsekontakter::cli
