#include "adapters/crypto/secret_file.h"

#include <cerrno>
#include <cstdio>
#include <optional>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace helsekontakter::crypto {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

std::string reason(int error) {
  return std::generic_category().message(error);
}

[[nodiscard]] tl::unexpected<Error> refuse(const std::string& path, const std::string& why) {
  return fail(Remedy::stop, "secret file " + path + ": " + why);
}

std::string octal(mode_t mode) {
  char text[8];
  std::snprintf(text, sizeof text, "%04o", static_cast<unsigned>(mode & 07777));
  return text;
}

std::optional<std::string> loose_mode(const struct stat& about) {
  constexpr mode_t others = S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH;
  if ((about.st_mode & others) == 0) return std::nullopt;
  return "mode " + octal(about.st_mode) +
         " lets others than its owner read or write it; use chmod 600, or see secrets.mode_check";
}

}  // namespace

Result<std::string> read_secret_file(const std::string& path, ModeCheck mode_check,
                                     const std::function<void(const std::string&)>& warn) {
  // O_NONBLOCK: opening a pipe by mistake must not wait for its writer.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number() < 0) return refuse(path, "cannot be opened: " + reason(errno));
  struct stat about {};
  if (::fstat(file.number(), &about) != 0) return refuse(path, reason(errno));
  if (!S_ISREG(about.st_mode)) return refuse(path, "is not a regular file");
  if (mode_check != ModeCheck::off) {
    if (const auto loose = loose_mode(about)) {
      if (mode_check == ModeCheck::fail) return refuse(path, *loose);
      if (warn) warn("secret file " + path + ": " + *loose);
    }
  }
  std::string text(secret_bytes_max + 1, '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const ssize_t got = ::read(file.number(), text.data() + filled, text.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return refuse(path, "cannot be read: " + reason(errno));
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  if (filled > secret_bytes_max)
    return refuse(path, "is larger than 64 KiB; is it the right file?");
  text.resize(filled);
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  if (text.empty()) return refuse(path, "is empty");
  return text;
}

Result<std::string> read_password(const std::string& path, ModeCheck mode_check) {
  if (path.empty()) return std::string();
  return read_secret_file(path, mode_check, {});
}

}  // namespace helsekontakter::crypto
