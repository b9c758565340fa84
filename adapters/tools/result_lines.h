#pragma once

#include "worker/domain/result.h"

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

namespace helsekontakter::tools {

/// Reads a file of result events, one a line, to the end that it has now, and calls visit() with
/// each. A line of more than a megabyte is none of ours and passed over. False: stopped. A file
/// that cannot be read is refused (Remedy::stop).
[[nodiscard]] Result<bool> read_result_lines(const std::string& path,
                                             const std::function<void(std::string_view)>& visit,
                                             const std::stop_token& stop);

}  // namespace helsekontakter::tools
