#include "worker/ordering/progress.h"

#include "worker/domain/ensure.h"

#include <algorithm>
#include <array>
#include <bit>
#include <span>

namespace helsekontakter {
namespace {

// The binary form: format, flags, committed, submitted_to - committed, then either pairs of
// (gap, length) or a bitmap from `committed` on; integers as LEB128.
constexpr std::uint8_t format = 1;
constexpr std::uint8_t flag_clean = 1;
constexpr std::uint8_t flag_unsettled = 2;
constexpr std::uint8_t flag_bitmap = 4;
constexpr std::size_t header_bytes_max = 2 + 10 + 10;
constexpr std::size_t run_bytes_max = 2 * 5;  // two integers below 2^35
constexpr Offset runs_reach = Offset{1} << 34;

using Bytes = std::vector<std::uint8_t>;

void put_integer(Bytes& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::uint8_t>(value | 0x80));
  out.push_back(static_cast<std::uint8_t>(value));
}

std::optional<std::uint64_t> take_integer(std::span<const std::uint8_t>& in) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 63 && !in.empty(); shift += 7) {
    const std::uint8_t byte = in.front();
    in = in.subspan(1);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return std::nullopt;
}

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string to_base64url(const Bytes& bytes) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const std::uint8_t byte : bytes) {
    bits = bits << 8 | byte;
    for (held += 8; held >= 6; held -= 6) text += alphabet[bits >> (held - 6) & 63];
  }
  if (held > 0) text += alphabet[bits << (6 - held) & 63];
  return text;
}

std::optional<Bytes> from_base64url(std::string_view text) {
  Bytes bytes;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const std::size_t value = alphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    if ((held += 6) >= 8) bytes.push_back(static_cast<std::uint8_t>(bits >> (held -= 8)));
  }
  return bytes;
}

Bytes runs_of(const ProgressMark& mark, Offset committed) {
  Bytes bytes;
  Offset at = committed;
  for (const auto& [from, to] : mark.concluded) {
    put_integer(bytes, static_cast<std::uint64_t>(from - at));
    put_integer(bytes, static_cast<std::uint64_t>(to - from));
    at = to;
  }
  return bytes;
}

Bytes bitmap_of(const ProgressMark& mark, Offset committed) {
  Bytes bytes;
  if (mark.concluded.empty()) return bytes;
  bytes.resize(static_cast<std::size_t>(mark.concluded.back().second - committed + 7) / 8);
  for (const auto& [from, to] : mark.concluded) {
    for (Offset offset = from; offset < to; ++offset) {
      const auto place = static_cast<std::size_t>(offset - committed);
      bytes[place / 8] = static_cast<std::uint8_t>(bytes[place / 8] | 1u << place % 8);
    }
  }
  return bytes;
}

bool read_runs(std::span<const std::uint8_t> in, Offset committed, ProgressMark& mark) {
  Offset at = committed;
  while (!in.empty()) {
    const auto gap = take_integer(in);
    const auto length = take_integer(in);
    if (!gap || !length || *gap == 0 || *length == 0) return false;
    if (*gap > static_cast<std::uint64_t>(runs_reach) ||
        *length > static_cast<std::uint64_t>(runs_reach)) {
      return false;
    }
    const Offset from = at + static_cast<Offset>(*gap);
    at = from + static_cast<Offset>(*length);
    mark.concluded.emplace_back(from, at);
  }
  return true;
}

void read_bitmap(std::span<const std::uint8_t> in, Offset committed, ProgressMark& mark) {
  for (std::size_t place = 0; place < in.size() * 8; ++place) {
    if ((in[place / 8] >> place % 8 & 1) == 0) continue;
    const Offset offset = committed + static_cast<Offset>(place);
    if (!mark.concluded.empty() && mark.concluded.back().second == offset) {
      ++mark.concluded.back().second;
    } else {
      mark.concluded.emplace_back(offset, offset + 1);
    }
  }
}

}  // namespace

std::string encode(const ProgressMark& mark, Offset committed) {
  ensure(mark.submitted_to >= committed);
  const Offset span = mark.concluded.empty() ? 0 : mark.concluded.back().second - committed;
  const Bytes runs = runs_of(mark, committed);
  const bool bitmap = runs.size() > static_cast<std::size_t>(span + 7) / 8;
  Bytes bytes{format, static_cast<std::uint8_t>((mark.clean ? flag_clean : 0) |
                                                (mark.unsettled ? flag_unsettled : 0) |
                                                (bitmap ? flag_bitmap : 0))};
  put_integer(bytes, static_cast<std::uint64_t>(committed));
  put_integer(bytes, static_cast<std::uint64_t>(mark.submitted_to - committed));
  const Bytes body = bitmap ? bitmap_of(mark, committed) : runs;
  bytes.insert(bytes.end(), body.begin(), body.end());
  return to_base64url(bytes);
}

std::optional<ProgressMark> decode(std::string_view text, Offset committed) {
  const auto bytes = from_base64url(text);
  if (!bytes || bytes->size() < 4 || (*bytes)[0] != format) return std::nullopt;
  const std::uint8_t flags = (*bytes)[1];
  std::span<const std::uint8_t> in(*bytes);
  in = in.subspan(2);
  const auto base = take_integer(in);
  const auto ahead = take_integer(in);
  if (!base || !ahead || *base != static_cast<std::uint64_t>(committed)) return std::nullopt;
  if (*ahead > static_cast<std::uint64_t>(runs_reach)) return std::nullopt;
  ProgressMark mark;
  mark.submitted_to = committed + static_cast<Offset>(*ahead);
  mark.clean = (flags & flag_clean) != 0;
  mark.unsettled = (flags & flag_unsettled) != 0;
  if ((flags & flag_bitmap) != 0) {
    read_bitmap(in, committed, mark);
  } else if (!read_runs(in, committed, mark)) {
    return std::nullopt;
  }
  return mark;
}

PartitionProgress::PartitionProgress(Offset committed, const ProgressMark& restored,
                                     std::size_t characters_max)
    : base_(committed),
      first_(committed),
      received_(committed),
      bytes_max_(characters_max * 3 / 4 - header_bytes_max) {
  ensure(characters_max * 3 / 4 > header_bytes_max + 2 * run_bytes_max);
  for (const auto& [from, to] : restored.concluded) set(from, to);
}

bool PartitionProgress::bit(Offset offset) const {
  const auto place = static_cast<std::size_t>(offset - first_);
  return place / 64 < words_.size() && (words_[place / 64] >> place % 64 & 1) != 0;
}

void PartitionProgress::set(Offset from, Offset to) {
  const auto last = static_cast<std::size_t>(to - first_ + 63) / 64;
  if (words_.size() < last) words_.resize(last);
  for (Offset offset = from; offset < to;) {
    const auto place = static_cast<std::size_t>(offset - first_);
    if (place % 64 == 0 && to - offset >= 64) {
      words_[place / 64] = ~std::uint64_t{0};
      offset += 64;
    } else {
      words_[place / 64] |= std::uint64_t{1} << place % 64;
      ++offset;
    }
  }
}

void PartitionProgress::advance() {
  for (;;) {
    const auto place = static_cast<std::size_t>(base_ - first_);
    if (place / 64 >= words_.size()) break;
    const auto ones = std::countr_one(words_[place / 64] >> place % 64);
    if (ones == 0) break;
    base_ += ones;
    while (base_ - first_ >= 64 && !words_.empty()) {
      words_.pop_front();
      first_ += 64;
    }
  }
  if (words_.empty()) first_ = base_;
  // What the restored mark says is concluded need not be delivered again.
  received_ = std::max(received_, base_);
}

bool PartitionProgress::admits(Offset offset) const {
  if (offset < received_ || bit(offset)) return true;
  if (offset < bitmap_end()) return true;
  return offset - base_ < runs_reach && (unconcluded_ + 2) * run_bytes_max <= bytes_max_;
}

bool PartitionProgress::receive(Offset offset) {
  if (offset < received_) return false;
  set(received_, offset);
  const bool concluded = bit(offset);
  if (!concluded) ++unconcluded_;
  received_ = offset + 1;
  advance();
  return !concluded;
}

void PartitionProgress::reach(Offset position) {
  if ((unconcluded_ + 1) * run_bytes_max > bytes_max_) position = std::min(position, bitmap_end());
  if (position <= received_) return;
  set(received_, position);
  received_ = position;
  advance();
}

void PartitionProgress::conclude(Offset offset) {
  ensure(offset >= base_ && offset < received_ && !bit(offset));
  set(offset, offset + 1);
  --unconcluded_;
  advance();
}

Offset PartitionProgress::promisable(Offset stride) const {
  return std::max(received_, std::min(received_ + stride, bitmap_end()));
}

ProgressMark PartitionProgress::mark(Offset submitted_to) const {
  ProgressMark mark;
  mark.submitted_to = std::max(submitted_to, base_);
  const Offset end = first_ + static_cast<Offset>(words_.size() * 64);
  Offset at = base_;
  const auto next = [&](Offset from, bool wanted) {
    while (from < end) {
      const auto place = static_cast<std::size_t>(from - first_);
      std::uint64_t word = words_[place / 64] >> place % 64;
      if (!wanted) word = ~word;
      const auto skip = static_cast<Offset>(std::countr_zero(word));
      const auto left = static_cast<Offset>(64 - place % 64);
      if (skip < left) return from + skip;
      from += left;
    }
    return end;
  };
  while ((at = next(at, true)) < end) {
    const Offset to = next(at, false);
    mark.concluded.emplace_back(at, to);
    at = to;
  }
  return mark;
}

std::string with_quarantine(const std::string& metadata, Offset committed) {
  auto mark = decode(metadata, committed);
  if (!mark || mark->clean || mark->submitted_to <= committed) return metadata;
  mark->unsettled = true;
  return encode(*mark, committed);
}

}  // namespace helsekontakter
