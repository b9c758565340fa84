#pragma once

#include "adapters/config/configuration.h"
#include "adapters/tools/audit.h"
#include "adapters/tools/control.h"
#include "adapters/tools/import.h"
#include "adapters/tools/replay.h"
#include "adapters/tools/show.h"

#include <functional>
#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace helsekontakter::cli {

/// The subcommands that are no worker (adapters/tools), and what was said of them on the command
/// line. Outlives the parsing.
class ToolCommands {
 public:
  explicit ToolCommands(CLI::App& app);
  ToolCommands(const ToolCommands&) = delete;
  ToolCommands& operator=(const ToolCommands&) = delete;

  using Load = std::function<std::optional<config::Configuration>(const std::string& path)>;
  /// The exit status of the one that was asked for; nothing when it was none of them.
  [[nodiscard]] std::optional<int> run(const Load& load) const;

 private:
  void add_import(CLI::App& app);
  void add_replay(CLI::App& app);
  void add_audit(CLI::App& app);
  void add_show(CLI::App& app);
  void add_control(CLI::App& app);
  CLI::App* add(CLI::App& app, const std::string& name, const std::string& does);

  std::string config_;
  CLI::App* import_ = nullptr;
  tools::ImportOptions import_options_;
  CLI::App* replay_ = nullptr;
  tools::ReplayOptions replay_options_;
  CLI::App* audit_ = nullptr;
  tools::AuditOptions audit_options_;
  CLI::App* show_ = nullptr;
  tools::ShowOptions show_options_;
  CLI::App* control_ = nullptr;
  tools::ControlOptions control_options_;
};

}  // namespace helsekontakter::cli
