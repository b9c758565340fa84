#include "adapters/file/system_call.h"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace helsekontakter::file {
namespace {

constexpr mode_t owner_alone = 0600;

std::string_view advice(int number) {
  switch (number) {
    case ENOSPC:
    case EDQUOT:
      return "make room on the disk; it goes on by itself";
    case EFBIG:
      return "the file has reached the size that ulimit -f or the file system allows; move it away "
             "or raise the limit";
    case ENOENT:
    case ENOTDIR:
      return "make the folder, or mend the path; it goes on by itself";
    case EACCES:
    case EPERM:
    case EROFS:
      return "give this user the right to it";
    case EPIPE:
      return "whoever read it has ended; start both again";
    default:
      return "mend the disk or the path";
  }
}

}  // namespace

tl::unexpected<Error> system_fault(std::string what, int number) {
  return fail(number == EPIPE ? Remedy::stop : Remedy::retry,
              "cannot " + std::move(what) + ": " + std::generic_category().message(number) + "; " +
                  std::string(advice(number)));
}

std::size_t write_all(int descriptor, std::string_view text, int& number) {
  number = 0;
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t count = ::write(descriptor, text.data() + written, text.size() - written);
    if (count >= 0) {
      written += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      number = errno;
      break;
    }
  }
  return written;
}

Result<void> sync_folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor descriptor = open_file(folder, O_RDONLY | O_DIRECTORY);
  if (!descriptor.is_open() || ::fsync(descriptor.number()) != 0) {
    return system_fault("make the folder of " + path + " durable", errno);
  }
  return {};
}

Descriptor open_file(const std::string& path, int flags) {
  return Descriptor(::open(path.c_str(), flags | O_CLOEXEC, owner_alone));
}

}  // namespace helsekontakter::file
