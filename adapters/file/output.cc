#include "adapters/file/output.h"

#include "adapters/file/settings.h"
#include "adapters/file/system_call.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace helsekontakter::file {
namespace {

constexpr off_t tail_bytes = 64 * 1024;

/// Where the last complete line ends, or -1 with errno set.
off_t end_of_lines(int descriptor, off_t size) {
  char buffer[tail_bytes];
  for (off_t end = size; end > 0;) {
    const off_t begin = std::max<off_t>(0, end - tail_bytes);
    const ssize_t count = ::pread(descriptor, buffer, static_cast<std::size_t>(end - begin), begin);
    if (count < 0) return -1;
    const std::string_view text(buffer, static_cast<std::size_t>(count));
    if (const std::size_t newline = text.rfind('\n'); newline != text.npos) {
      return begin + static_cast<off_t>(newline) + 1;
    }
    end = begin;
  }
  return 0;
}

}  // namespace

Output::Output(std::string path, std::string option)
    : path_(std::move(path)), option_(std::move(option)) {}

bool Output::is_stream() const {
  return path_ == standard_stream;
}

tl::unexpected<Error> Output::fault(int number) const {
  return system_fault("write " + (is_stream() ? "standard output" : path_) + " (" + option_ + ")",
                      number);
}

Result<void> Output::open() {
  if (is_stream() || file_.is_open()) return {};
  Descriptor opened = open_file(path_, O_RDWR | O_CREAT | O_APPEND);
  if (!opened.is_open()) return fault(errno);
  struct stat about {};
  if (::fstat(opened.number(), &about) != 0) return fault(errno);
  if (!S_ISREG(about.st_mode)) {
    return fail(Remedy::stop, path_ + " (" + option_ +
                                  ") is no regular file; for a pipe use \"-\" "
                                  "and the shell");
  }
  if (::flock(opened.number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fault(errno);
    return fail(Remedy::stop, "another process writes " + path_ + " (" + option_ +
                                  "); stop it, or give each worker a file of its own");
  }
  file_ = std::move(opened);
  if (auto repaired = repair(); !repaired) {
    file_.reset();
    return repaired;
  }
  return sync_folder_of(path_);
}

Result<void> Output::repair() {
  struct stat about {};
  if (::fstat(file_.number(), &about) != 0) return fault(errno);
  const off_t whole = end_of_lines(file_.number(), about.st_size);
  if (whole < 0) return fault(errno);
  if (whole < about.st_size && ::ftruncate(file_.number(), whole) != 0) return fault(errno);
  return {};
}

bool Output::is_in_place() const {
  struct stat here {};
  struct stat there {};
  return file_.is_open() && ::fstat(file_.number(), &here) == 0 &&
         ::stat(path_.c_str(), &there) == 0 && here.st_dev == there.st_dev &&
         here.st_ino == there.st_ino;
}

Result<void> Output::append(std::string_view lines) {
  if (lines.empty()) return {};
  if (is_stream()) return append_to_stream(lines);
  if (!is_in_place()) file_.reset();
  if (auto opened = open(); !opened) return opened;
  struct stat before {};
  if (::fstat(file_.number(), &before) != 0) return fault(errno);
  int number = 0;
  (void)write_all(file_.number(), lines, number);
  if (number == 0 && ::fdatasync(file_.number()) != 0) number = errno;
  if (number == 0) return {};
  // After a failed sync nobody knows what of it is on the disk, so all of it is written again. If
  // it cannot be taken back, opening cuts at the last whole line, and what is whole is repeated.
  if (::ftruncate(file_.number(), before.st_size) != 0) file_.reset();
  return fault(number);
}

Result<void> Output::append_to_stream(std::string_view lines) {
  int number = 0;
  streamed_ += write_all(STDOUT_FILENO, lines.substr(streamed_), number);
  if (number != 0) return fault(number);
  streamed_ = 0;
  // A pipe cannot be made durable, and says so by EINVAL; a file behind the shell's > can.
  if (::fdatasync(STDOUT_FILENO) != 0 && errno != EINVAL && errno != EROFS) return fault(errno);
  return {};
}

}  // namespace helsekontakter::file
