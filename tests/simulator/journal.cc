#include "tests/simulator/journal.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace helsekontakter::simulator {
namespace {

constexpr std::size_t gathered_max = 256 * 1024;

void append_hex(std::string& out, const MemberHash::Digest& digest) {
  static constexpr std::string_view digits = "0123456789abcdef";
  for (const std::uint8_t byte : digest) {
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
}

}  // namespace

std::size_t DigestOrder::operator()(const MemberHash::Digest& digest) const noexcept {
  std::size_t value = 0;
  std::memcpy(&value, digest.data(), sizeof value);
  return value;
}

Landing land(Member& member, std::int32_t version) {
  const bool was_applied = member.is_applied;
  const std::int32_t newest = member.newest;
  member.is_applied = true;
  member.last = version;
  member.newest = was_applied ? std::max(newest, version) : version;
  if (!was_applied) return Landing::first;
  if (version < newest) return Landing::older_over_newer;
  return version == newest ? Landing::repeated : Landing::newer;
}

Result<Journal> Journal::open(const std::string& file) {
  if (file.empty()) return Journal(-1);
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor < 0) {
    return fail(Remedy::stop, "journal.file " + file + ": " + std::strerror(errno));
  }
  return Journal(descriptor);
}

Journal::Journal(Journal&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      sequence_(other.sequence_),
      is_whole_(other.is_whole_),
      buffer_(std::move(other.buffer_)) {}

Journal::~Journal() {
  if (descriptor_ < 0) return;
  flush();
  ::close(descriptor_);
}

bool Journal::flush() {
  std::size_t written = 0;
  while (is_whole_ && written < buffer_.size()) {
    const ssize_t count = ::write(descriptor_, buffer_.data() + written, buffer_.size() - written);
    if (count > 0) {
      written += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      is_whole_ = false;
    }
  }
  buffer_.clear();
  return is_whole_;
}

void Journal::append_head(std::string_view organization, bool is_late, std::uint64_t request) {
  buffer_.append("{\"seq\":").append(std::to_string(++sequence_));
  buffer_.append(",\"request\":").append(std::to_string(request));
  buffer_.append(",\"late\":").append(is_late ? "true" : "false");
  buffer_.append(",\"organization\":\"").append(organization);
}

void Journal::member(const Bundle& bundle, const MemberEntry& entry, bool is_late,
                     std::uint64_t request) {
  if (descriptor_ < 0) return;
  append_head(bundle.organization, is_late, request);
  buffer_ += "\",\"member\":\"";
  append_hex(buffer_, entry.key);
  buffer_ += "\",\"start\":\"";
  append_date(buffer_, entry.start);
  buffer_ += "\",\"end\":\"";
  append_date(buffer_, entry.end);
  buffer_.append("\",\"version\":").append(std::to_string(entry.version()));
  buffer_.append(",\"fullUrl\":\"").append(bundle.full_url(entry)).append("\"}\n");
  if (buffer_.size() >= gathered_max) flush();
}

void Journal::offering(const Bundle& bundle, const OfferingEntry& entry, bool is_late,
                       std::uint64_t request) {
  if (descriptor_ < 0) return;
  append_head(bundle.organization, is_late, request);
  buffer_.append("\",\"service\":\"").append(entry.service_id);
  buffer_.append("\",\"active\":").append(entry.active ? "true" : "false");
  buffer_.append(",\"fullUrl\":\"").append(entry.full_url).append("\"}\n");
  if (buffer_.size() >= gathered_max) flush();
}

Result<std::string> journal_key(const std::string& file, bool may_create) {
  if (std::ifstream stream(file); stream) {
    std::string text;
    stream >> text;
    const auto key = from_base64url(text);
    if (!key || key->size() < 16) {
      return fail(Remedy::stop, file + ": not a key (at least 16 bytes in base64url)");
    }
    return *key;
  }
  if (!may_create) return fail(Remedy::stop, file + " cannot be read; name it with --key-file");
  const std::string key = random_octets(32);
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const std::string text = base64url(key) + "\n";
  const bool is_written = descriptor >= 0 && ::write(descriptor, text.data(), text.size()) ==
                                                 static_cast<ssize_t>(text.size());
  if (descriptor >= 0) ::close(descriptor);
  if (!is_written) return fail(Remedy::stop, file + ": " + std::strerror(errno));
  return key;
}

}  // namespace helsekontakter::simulator
