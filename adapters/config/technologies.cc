#include "adapters/config/sections.h"

#include <array>
#include <string>
#include <string_view>

namespace helsekontakter::config {
namespace {

constexpr std::array<std::string_view, 3> names{"kafka", "amqp", "file"};

std::string_view name(Technology technology) {
  return names.at(static_cast<std::size_t>(technology));
}

std::string below(std::string_view section, Technology technology) {
  return std::string(section) + "." + std::string(name(technology));
}

/// The one that was written; `otherwise` while none is, and the first of several.
Technology chosen(const Values& values, std::string_view section, Technology otherwise,
                  Errors& errors) {
  std::vector<Technology> written;
  for (const Technology each : {Technology::kafka, Technology::amqp, Technology::file}) {
    if (values.mentions(below(section, each))) written.push_back(each);
  }
  if (written.size() > 1) {
    errors.push_back({.key = std::string(section),
                      .message = "exactly one of kafka, amqp, file is allowed; keep one"});
  }
  return written.empty() ? otherwise : written.front();
}

}  // namespace

std::string_view technology_section(std::string_view path) {
  for (const std::string_view ledger : {"ledger.kafka", "ledger.sqlite"}) {
    if (path.starts_with(ledger)) return ledger;
  }
  for (const std::string_view above : {"source.", "results."}) {
    if (!path.starts_with(above)) continue;
    for (const std::string_view each : names) {
      const std::string_view rest = path.substr(above.size());
      if (rest.starts_with(each) && rest.substr(each.size()).starts_with('.')) {
        return path.substr(0, above.size() + each.size());
      }
    }
  }
  return {};
}

bool is_chosen(const Configuration& out, std::string_view section) {
  if (section == "ledger.kafka") return !out.ledger.is_sqlite;
  if (section == "ledger.sqlite") return out.ledger.is_sqlite;
  return section == below("source", out.source_technology) ||
         section == below("results", out.results_technology);
}

void choose_technologies(const Values& values, Configuration& out, Errors& errors) {
  out.source_technology = chosen(values, "source", Technology::kafka, errors);
  out.results_technology = chosen(values, "results", out.source_technology, errors);
  const bool has_both = values.mentions("ledger.kafka") && values.mentions("ledger.sqlite");
  if (has_both) {
    errors.push_back(
        {.key = "ledger", .message = "exactly one of kafka, sqlite is allowed; keep one"});
  }
  out.ledger.is_sqlite =
      values.mentions("ledger.sqlite") ||
      (out.source_technology != Technology::kafka && !values.mentions("ledger.kafka"));
  const bool wants_sqlite = out.source_technology != Technology::kafka;
  if (!has_both && values.mentions("source") && wants_sqlite != out.ledger.is_sqlite) {
    errors.push_back({.key = out.ledger.is_sqlite ? "ledger.sqlite" : "ledger.kafka",
                      .message = "with " + below("source", out.source_technology) + " say " +
                                 (wants_sqlite ? "ledger.sqlite" : "ledger.kafka")});
  }
  const bool mixed = values.mentions("source") && out.source_technology != out.results_technology;
  const bool has_file =
      out.source_technology == Technology::file || out.results_technology == Technology::file;
  if (!mixed || !has_file) return;
  errors.push_back({.key = below("results", out.results_technology),
                    .message = "with " + below("source", out.source_technology) +
                               ": not in this release; results of a file go to files, files take "
                               "results of files: say " +
                               below("results", out.source_technology)});
}

}  // namespace helsekontakter::config
