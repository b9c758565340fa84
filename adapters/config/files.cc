#include "adapters/config/sections.h"
#include "worker/domain/national_id.h"

#include <string>
#include <string_view>

namespace helsekontakter::config {
namespace {

constexpr std::string_view source_path = "source.file.path";
constexpr std::string_view checkpoint_path = "source.file.checkpoint";
constexpr std::string_view results_path = "results.file.path";
constexpr std::string_view letters_path = "results.file.dead_letter_path";

/// The name of the input stands in every result.
void check_name(const Values& values, const std::string& path, Errors& errors) {
  const std::string name = path.substr(path.rfind('/') + 1);
  if (!contains_national_id(name)) return;
  ConfigurationError error =
      values.error(source_path, "its name, which results repeat, holds an identity number; rename");
  error.value.clear();
  errors.push_back(std::move(error));
}

void check_streams(const Values& values, const Configuration& out, Errors& errors) {
  if (out.file_source.path == file::standard_stream && values.given(checkpoint_path)) {
    errors.push_back(values.error(
        checkpoint_path,
        "standard input cannot be read again from a place; leave it out, or name a file in "
        "source.file.path"));
  }
  for (const std::string_view path : {checkpoint_path, letters_path}) {
    if (values.given(path) && values.text(path) == file::standard_stream) {
      errors.push_back(values.error(path, "must be a file"));
    }
  }
}

/// Each file has one purpose; two names of one file are found out when it is locked.
void check_distinct(const Values& values, const Configuration& out, Errors& errors) {
  const std::pair<std::string_view, std::string> files[]{
      {source_path, out.file_source.path},
      {checkpoint_path, out.file_source.checkpoint},
      {results_path, out.file_results.path},
      {letters_path, out.file_results.dead_letter_path}};
  for (const auto& [path, name] : files) {
    if (name.empty() || name == file::standard_stream) continue;
    for (const auto& [other, its_name] : files) {
      if (other == path) break;
      if (its_name != name) continue;
      errors.push_back(values.error(
          path, "is the same file as " + std::string(other) + "; each needs one of its own"));
    }
  }
}

/// Lines are counted anew in each file, and come without a time.
void check_version(const Values& values, Errors& errors) {
  constexpr std::string_view path = "version.from";
  if (values.text(path) != "broker") return;
  errors.push_back(values.error(
      path,
      "with a file each new file would begin at 0 again and be taken as older; data or time "
      "is allowed"));
}

}  // namespace

void read_files(const Values& values, Configuration& out, Errors& errors) {
  if (out.source_technology == Technology::file) {
    file::SourceSettings& source = out.file_source;
    source.path = values.text(source_path);
    source.event_bytes_max = values.size("source.file.event_bytes_max");
    if (source.path != file::standard_stream) {
      source.checkpoint = values.given(checkpoint_path) ? values.text(checkpoint_path)
                                                        : source.path + ".checkpoint";
    }
    check_name(values, source.path, errors);
    check_version(values, errors);
  }
  if (out.results_technology == Technology::file) {
    file::ResultSettings& results = out.file_results;
    results.path = values.given(results_path) ? values.text(results_path) : file::standard_stream;
    results.dead_letter_path = values.text(letters_path);
    results.source = values.text("results.source");
    results.environment = out.environment;
  }
  check_streams(values, out, errors);
  check_distinct(values, out, errors);
}

}  // namespace helsekontakter::config
