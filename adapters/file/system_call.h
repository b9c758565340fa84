#pragma once

#include "adapters/file/descriptor.h"
#include "worker/domain/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace helsekontakter::file {

/// "cannot write out.ndjson (option): No space left on device; make room, …". `what` is an act and
/// the file it is done to; the advice follows from the error number.
[[nodiscard]] tl::unexpected<Error> system_fault(std::string what, int number);

/// Writes all of it; returns how much was written before a fault. Any fault is in `number`, else 0.
[[nodiscard]] std::size_t write_all(int descriptor, std::string_view text, int& number);

/// Makes the entries of the folder that holds `path` durable.
[[nodiscard]] Result<void> sync_folder_of(const std::string& path);

/// Opens; `flags` as for open(2), O_CLOEXEC added; a new file is its owner's alone.
[[nodiscard]] Descriptor open_file(const std::string& path, int flags);

}  // namespace helsekontakter::file
