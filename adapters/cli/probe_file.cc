#include "adapters/cli/probe_file.h"

#include <cerrno>
#include <system_error>

#include <unistd.h>

namespace helsekontakter::cli {
namespace {

/// A file of this name can be made or replaced.
Result<void> folder_takes(const std::string& path, const std::string& option) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  if (::access(folder.c_str(), W_OK | X_OK) == 0) return {};
  return fail(Remedy::stop, "the folder of " + path + " (" + option +
                                ") cannot be written: " + std::generic_category().message(errno) +
                                "; make it, or give this user the right to it");
}

}  // namespace

Result<std::string> FileProbe::input() const {
  const file::SourceSettings& source = configuration_.file_source;
  if (source.path == file::standard_stream) return std::string("standard input");
  if (::access(source.path.c_str(), R_OK) != 0) {
    return fail(Remedy::retry, source.path + " (source.file.path) cannot be read: " +
                                   std::generic_category().message(errno));
  }
  if (const auto takes = folder_takes(source.checkpoint, "source.file.checkpoint"); !takes) {
    return tl::unexpected(takes.error());
  }
  return source.path + " can be read, its checkpoint can be kept";
}

Result<std::string> FileProbe::output() const {
  const file::ResultSettings& results = configuration_.file_results;
  std::string found = "standard output";
  if (results.path != file::standard_stream) {
    found = results.path;
    if (const auto takes = folder_takes(results.path, "results.file.path"); !takes) {
      return tl::unexpected(takes.error());
    }
  }
  if (results.dead_letter_path.empty()) return found + " takes results";
  if (const auto takes = folder_takes(results.dead_letter_path, "results.file.dead_letter_path");
      !takes) {
    return tl::unexpected(takes.error());
  }
  return found + " takes results, " + results.dead_letter_path + " dead letters";
}

Result<std::string> FileProbe::ledger() const {
  const std::string& path = configuration_.ledger.sqlite_path;
  if (const auto takes = folder_takes(path, "ledger.sqlite.path"); !takes) {
    return tl::unexpected(takes.error());
  }
  return path + " can be kept";
}

}  // namespace helsekontakter::cli
