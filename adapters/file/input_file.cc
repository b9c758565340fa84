#include "adapters/file/input_file.h"

#include "adapters/file/system_call.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace helsekontakter::file {
namespace {

constexpr std::int64_t stretch = 4096;
constexpr std::size_t read_bytes = 1 << 20;

}  // namespace

std::string name_of_content(const crypto::KeyedHash& hash, std::string_view first_line) {
  first_line = first_line.substr(0, stretch);
  if (first_line.ends_with('\r')) first_line.remove_suffix(1);
  return hash.digest<struct ContentNameTag>({"file", first_line}).hex().substr(0, 16);
}

Result<InputFile> InputFile::open(const std::string& path, const crypto::KeyedHash& hash) {
  // Opening a pipe for reading would wait for its writer.
  Descriptor descriptor = open_file(path, O_RDONLY | O_NONBLOCK);
  if (!descriptor.is_open()) return system_fault("read " + path + " (source.file.path)", errno);
  struct stat about {};
  if (::fstat(descriptor.number(), &about) != 0) return system_fault("read " + path, errno);
  if (!S_ISREG(about.st_mode)) {
    return fail(Remedy::stop, path +
                                  " (source.file.path) is no regular file; a pipe is read as "
                                  "standard input: path \"-\"");
  }
  return InputFile(path, std::move(descriptor), hash);
}

Result<std::size_t> InputFile::read(std::span<char> into, std::int64_t from) const {
  while (true) {
    const ssize_t count = ::pread(descriptor_.number(), into.data(), into.size(), from);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return system_fault("read " + path_ + " (source.file.path)", errno);
  }
}

Result<std::int64_t> InputFile::size() const {
  struct stat about {};
  if (::fstat(descriptor_.number(), &about) != 0) return system_fault("read " + path_, errno);
  return about.st_size;
}

bool InputFile::is_at(const std::string& path) const {
  struct stat here {};
  struct stat there {};
  return ::fstat(descriptor_.number(), &here) == 0 && ::stat(path.c_str(), &there) == 0 &&
         here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/// Exactly these bytes, or fewer where the file ends before.
Result<std::string> InputFile::text(std::int64_t from, std::int64_t bytes) const {
  std::string out(static_cast<std::size_t>(bytes), '\0');
  std::size_t taken = 0;
  while (taken < out.size()) {
    const auto count = read(std::span(out).subspan(taken), from + static_cast<std::int64_t>(taken));
    if (!count) return tl::unexpected(count.error());
    if (*count == 0) break;
    taken += *count;
  }
  out.resize(taken);
  return out;
}

Result<std::string> InputFile::hmac(std::int64_t from, std::int64_t bytes) const {
  if (bytes == 0) return std::string();
  const auto read = text(from, bytes);
  if (!read) return tl::unexpected(read.error());
  return hash_.digest<struct FingerprintTag>({"fingerprint", *read}).hex();
}

Result<Fingerprint> InputFile::fingerprint(std::int64_t byte, std::int64_t read_to) const {
  Fingerprint out{.head_bytes = std::min(std::max(byte, read_to), stretch),
                  .head = {},
                  .tail_bytes = std::min(byte, stretch),
                  .tail = {}};
  auto head = hmac(0, out.head_bytes);
  if (!head) return tl::unexpected(head.error());
  auto tail = hmac(byte - out.tail_bytes, out.tail_bytes);
  if (!tail) return tl::unexpected(tail.error());
  out.head = std::move(*head);
  out.tail = std::move(*tail);
  return out;
}

Result<void> InputFile::matches(const Checkpoint& checkpoint) const {
  const auto bytes = size();
  if (!bytes) return tl::unexpected(bytes.error());
  const std::string advice =
      "; nothing of it is read. Put the file back, or, when it is another one and all of it shall "
      "be read, stop the worker and remove the checkpoint (source.file.checkpoint)";
  const Fingerprint& print = checkpoint.fingerprint;
  if (*bytes < std::max(checkpoint.byte, print.head_bytes)) {
    return fail(Remedy::stop, path_ + " was cut short: it ends before line " +
                                  std::to_string(checkpoint.line) +
                                  ", up to which it is concluded" + advice);
  }
  const auto head = hmac(0, print.head_bytes);
  if (!head) return tl::unexpected(head.error());
  const auto tail = hmac(checkpoint.byte - print.tail_bytes, print.tail_bytes);
  if (!tail) return tl::unexpected(tail.error());
  if (*head != print.head || *tail != print.tail) {
    return fail(Remedy::stop, path_ +
                                  " is not the file that the checkpoint was written for (or "
                                  "ledger.hmac_key_file is another one)" +
                                  advice);
  }
  return {};
}

Result<std::string> InputFile::name_of_content() const {
  const auto start = text(0, stretch);
  if (!start) return tl::unexpected(start.error());
  return file::name_of_content(hash_, std::string_view(*start).substr(0, start->find('\n')));
}

Result<std::int64_t> InputFile::count_lines(std::int64_t byte, std::int64_t to,
                                            std::int64_t lines_max, bool rest) const {
  std::vector<char> buffer(read_bytes);
  std::int64_t lines = 0;
  bool ended = true;  // by a newline
  while (byte < to && lines < lines_max) {
    const auto wanted = std::min<std::int64_t>(to - byte, read_bytes);
    const auto count = read(std::span(buffer).first(static_cast<std::size_t>(wanted)), byte);
    if (!count) return tl::unexpected(count.error());
    if (*count == 0) break;
    lines += std::count(buffer.data(), buffer.data() + *count, '\n');
    ended = buffer[*count - 1] == '\n';
    byte += static_cast<std::int64_t>(*count);
  }
  return lines + (rest && !ended ? 1 : 0);
}

}  // namespace helsekontakter::file
