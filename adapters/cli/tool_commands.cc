#include "adapters/cli/tool_commands.h"

#include "adapters/tools/surroundings.h"

#include <iostream>

#include <CLI/CLI.hpp>

namespace helsekontakter::cli {

ToolCommands::ToolCommands(CLI::App& app) {
  add_import(app);
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

std::optional<int> ToolCommands::run(const Load& load) const {
  if (!import_->parsed()) return std::nullopt;
  const auto configuration = load(config_);
  if (!configuration) return tools::wrong_usage;
  const tools::Streams streams{.out = std::cout, .err = std::cerr};
  return tools::import_list(*configuration, import_options_, streams);
}

}  // namespace helsekontakter::cli
