#pragma once

#include "worker/domain/result.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace helsekontakter::crypto {

/// What to do about a secret that others than its owner may read or write: secrets.mode_check.
enum class ModeCheck : std::uint8_t { off, warn, fail };

/// A secret is a key or a password: what is larger is the wrong file.
inline constexpr std::size_t secret_bytes_max = 64 * 1024;

/// Reads a secret's file and drops one newline at its end. A symbolic link is followed (that is
/// how Kubernetes mounts secrets), a device or a pipe is refused. Messages name the file, never
/// what is in it. `warn` may be empty.
[[nodiscard]] Result<std::string> read_secret_file(
    const std::string& path, ModeCheck mode_check,
    const std::function<void(const std::string&)>& warn);

/// The password that a file holds; none where no file is named.
[[nodiscard]] Result<std::string> read_password(const std::string& path, ModeCheck mode_check);

}  // namespace helsekontakter::crypto
