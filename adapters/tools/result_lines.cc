#include "adapters/tools/result_lines.h"

#include "adapters/file/line_splitter.h"

#include <fstream>

namespace helsekontakter::tools {
namespace {

constexpr std::size_t line_bytes_max = 1 << 20;

}  // namespace

Result<bool> read_result_lines(const std::string& path,
                               const std::function<void(std::string_view)>& visit,
                               const std::stop_token& stop) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return fail(Remedy::stop, "results.file.path: " + path +
                                  " cannot be read; name the file that the worker writes");
  }
  file::LineSplitter lines(line_bytes_max, 0, 0);
  while (in && !stop.stop_requested()) {
    const auto room = lines.room();
    in.read(room.data(), static_cast<std::streamsize>(room.size()));
    lines.filled(static_cast<std::size_t>(in.gcount()));
    while (const auto line = lines.next()) {
      if (!line->too_large) visit(line->text);
    }
  }
  if (in.bad()) return fail(Remedy::retry, "results.file.path: " + path + ": reading failed");
  return !stop.stop_requested();
}

}  // namespace helsekontakter::tools
