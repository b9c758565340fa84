#include "adapters/file/checkpoint.h"

#include "adapters/file/system_call.h"

#include <cerrno>
#include <limits>

#include <fcntl.h>
#include <simdjson.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace helsekontakter::file {
namespace {

constexpr std::int64_t format_known = 1;
/// Far more than any metadata; what is larger is another file.
constexpr off_t bytes_max = 4 << 20;

/// Names of files may hold anything; the rest of a checkpoint needs no escapes.
std::string json_string(std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (code < 0x20) {
      out += "\\u00";
      out += digits[code >> 4];
      out += digits[code & 0xf];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

Result<std::string> read_whole(const std::string& path, int descriptor) {
  struct stat about {};
  if (::fstat(descriptor, &about) != 0) return system_fault("read " + path, errno);
  if (!S_ISREG(about.st_mode) || about.st_size > bytes_max) {
    return fail(Remedy::stop, path +
                                  " is no checkpoint; name another file in "
                                  "source.file.checkpoint");
  }
  std::string text(static_cast<std::size_t>(about.st_size), '\0');
  std::size_t taken = 0;
  while (taken < text.size()) {
    const ssize_t count = ::read(descriptor, text.data() + taken, text.size() - taken);
    if (count == 0) break;
    if (count > 0) {
      taken += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      return system_fault("read " + path, errno);
    }
  }
  text.resize(taken);
  return text;
}

}  // namespace

std::string encode(const Checkpoint& checkpoint, std::string_view file) {
  const Fingerprint& print = checkpoint.fingerprint;
  return R"({"format":)" + std::to_string(format_known) + R"(,"file":)" + json_string(file) +
         R"(,"line":)" + std::to_string(checkpoint.line) + R"(,"byte":)" +
         std::to_string(checkpoint.byte) + R"(,"metadata":)" + json_string(checkpoint.metadata) +
         R"(,"head":{"bytes":)" + std::to_string(print.head_bytes) + R"(,"hmac":)" +
         json_string(print.head) + R"(},"tail":{"bytes":)" + std::to_string(print.tail_bytes) +
         R"(,"hmac":)" + json_string(print.tail) + "}}\n";
}

Result<Checkpoint> decode(std::string_view text) {
  const auto damaged = [] {
    return fail(
        Remedy::stop,
        "is damaged: no object with format, line, byte, metadata, head and tail. Put back a "
        "copy, or remove it to read the input from its start");
  };
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  std::int64_t format = 0;
  if (parser.parse(text.data(), text.size()).get(document) != simdjson::SUCCESS ||
      document["format"].get(format) != simdjson::SUCCESS) {
    return damaged();
  }
  if (format != format_known) {
    return fail(Remedy::stop, "has format " + std::to_string(format) +
                                  ", which this release does not know; run the release that wrote "
                                  "it, or a newer one");
  }
  Checkpoint out;
  std::string_view metadata;
  std::string_view head;
  std::string_view tail;
  Fingerprint& print = out.fingerprint;
  const bool whole = document["line"].get(out.line) == simdjson::SUCCESS && out.line >= 0 &&
                     document["byte"].get(out.byte) == simdjson::SUCCESS && out.byte >= 0 &&
                     document["metadata"].get(metadata) == simdjson::SUCCESS &&
                     document["head"]["bytes"].get(print.head_bytes) == simdjson::SUCCESS &&
                     document["head"]["hmac"].get(head) == simdjson::SUCCESS &&
                     document["tail"]["bytes"].get(print.tail_bytes) == simdjson::SUCCESS &&
                     document["tail"]["hmac"].get(tail) == simdjson::SUCCESS &&
                     print.head_bytes >= 0 && print.tail_bytes >= 0 && print.tail_bytes <= out.byte;
  if (!whole) return damaged();
  out.metadata = metadata;
  print.head = head;
  print.tail = tail;
  return out;
}

CheckpointFile::CheckpointFile(std::string path, std::string input)
    : path_(std::move(path)), input_(std::move(input)) {}

Result<void> CheckpointFile::lock() {
  const std::string path = path_ + ".lock";
  lock_ = open_file(path, O_RDWR | O_CREAT);
  if (!lock_.is_open()) return system_fault("open " + path + " (source.file.checkpoint)", errno);
  if (::flock(lock_.number(), LOCK_EX | LOCK_NB) == 0) return {};
  const int number = errno;
  lock_.reset();
  if (number != EWOULDBLOCK) return system_fault("lock " + path, number);
  return fail(Remedy::stop, "another process works with the checkpoint " + path_ +
                                " (source.file.checkpoint); stop it, or give each worker a file "
                                "and a checkpoint of its own");
}

Result<std::optional<Checkpoint>> CheckpointFile::read() const {
  const Descriptor descriptor = open_file(path_, O_RDONLY);
  if (!descriptor.is_open()) {
    if (errno == ENOENT) return std::optional<Checkpoint>();
    return system_fault("read the checkpoint " + path_, errno);
  }
  const auto text = read_whole(path_, descriptor.number());
  if (!text) return tl::unexpected(text.error());
  auto checkpoint = decode(*text);
  if (!checkpoint) {
    return fail(checkpoint.error().remedy,
                "the checkpoint " + path_ + " " + checkpoint.error().message);
  }
  return std::optional<Checkpoint>(std::move(*checkpoint));
}

Result<void> CheckpointFile::write(const Checkpoint& checkpoint) const {
  const std::string fresh = path_ + ".new";
  const auto fault = [&](int number) {
    return system_fault("write the checkpoint " + path_, number);
  };
  const Descriptor descriptor = open_file(fresh, O_WRONLY | O_CREAT | O_TRUNC);
  if (!descriptor.is_open()) return fault(errno);
  int number = 0;
  (void)write_all(descriptor.number(), encode(checkpoint, input_), number);
  if (number != 0) return fault(number);
  if (::fsync(descriptor.number()) != 0) return fault(errno);
  if (::rename(fresh.c_str(), path_.c_str()) != 0) return fault(errno);
  return sync_folder_of(path_);
}

}  // namespace helsekontakter::file
