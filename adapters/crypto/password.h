#pragma once

#include "adapters/crypto/secret_file.h"
#include "worker/domain/result.h"

#include <string>
#include <utility>

namespace helsekontakter::crypto {

/// The password of a connection. It is asked for each time one is made, and a file's is read each
/// time, so that one that was rotated is used without a restart.
class Password {
 public:
  Password() = default;
  // Implicit: a text is a password that stays as it is.
  Password(std::string text) : text_(std::move(text)) {}
  Password(const char* text) : text_(text) {}
  /// Refuses a file that cannot be read now. No path: no password.
  [[nodiscard]] static Result<Password> of_file(std::string path, ModeCheck mode_check) {
    Password password;
    password.path_ = std::move(path);
    password.mode_check_ = mode_check;
    if (const auto text = read_password(password.path_, mode_check); !text) {
      return tl::unexpected(text.error());
    }
    return password;
  }

  /// As it stands now. Remedy::retry: the file cannot be read, the message says why.
  [[nodiscard]] Result<std::string> read() const {
    if (path_.empty()) return text_;
    auto text = read_password(path_, mode_check_);
    if (!text) return fail(Remedy::retry, text.error().message);
    return text;
  }

 private:
  std::string text_;
  std::string path_;
  ModeCheck mode_check_ = ModeCheck::fail;
};

}  // namespace helsekontakter::crypto
