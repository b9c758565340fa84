#include "adapters/file/line_splitter.h"

#include "worker/domain/ensure.h"

#include <cstring>

namespace helsekontakter::file {
namespace {

constexpr std::size_t chunk_bytes = 256 * 1024;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
/// Of a line that is too long: the mark, the CR before its LF, and one byte that says so.
constexpr std::size_t slack = byte_order_mark.size() + 2;

}  // namespace

LineSplitter::LineSplitter(std::size_t line_bytes_max, Offset number, std::int64_t byte)
    : line_bytes_max_(line_bytes_max),
      buffer_(line_bytes_max + slack + chunk_bytes),
      number_(number),
      byte_(byte) {}

std::span<char> LineSplitter::room() {
  ensure(scanned_ == end_);  // whoever wants more has had every line
  const std::size_t keep = line_bytes_max_ + slack;
  if (end_ - begin_ > keep) {
    dropped_ += static_cast<std::int64_t>(end_ - begin_ - keep);
    end_ = begin_ + keep;
    scanned_ = end_;
  }
  if (begin_ > 0 && buffer_.size() - end_ < chunk_bytes) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    scanned_ -= begin_;
    begin_ = 0;
  }
  return std::span(buffer_).subspan(end_);
}

std::optional<Line> LineSplitter::next() {
  const void* found = std::memchr(buffer_.data() + scanned_, '\n', end_ - scanned_);
  if (found == nullptr) {
    scanned_ = end_;
    return std::nullopt;
  }
  return cut(static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data()), 1);
}

std::optional<Line> LineSplitter::rest() {
  if (end_ == begin_) return std::nullopt;
  return cut(end_, 0);
}

Line LineSplitter::cut(std::size_t text_end, std::size_t newline_bytes) {
  std::string_view text(buffer_.data() + begin_, text_end - begin_);
  const std::int64_t begins = byte_;
  byte_ += static_cast<std::int64_t>(text.size() + newline_bytes) + dropped_;
  if (begins == 0 && text.starts_with(byte_order_mark)) {
    text.remove_prefix(byte_order_mark.size());
  }
  if (dropped_ == 0 && text.ends_with('\r')) text.remove_suffix(1);
  Line line{.number = number_, .text = text.substr(0, line_bytes_max_ + 1), .end = byte_};
  line.too_large = dropped_ > 0 || text.size() > line_bytes_max_;
  ++number_;
  begin_ = text_end + newline_bytes;
  scanned_ = begin_;
  dropped_ = 0;
  return line;
}

}  // namespace helsekontakter::file
