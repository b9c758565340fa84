#pragma once

#include "worker/domain/ensure.h"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace helsekontakter::results {

/// Room for one JSON text, written from its begin to its end. Whoever writes says first how much it
/// can be at most, so no single write checks: a third of what appending to a string costs. Kept
/// from text to text.
class Room {
 public:
  /// Forgets what was written; `bytes_max` bytes have room now.
  void clear(std::size_t bytes_max) {
    if (bytes_max > capacity_) {
      begin_ = std::make_unique_for_overwrite<char[]>(2 * bytes_max);
      capacity_ = 2 * bytes_max;
    }
    end_ = begin_.get();
  }

  [[nodiscard]] std::string_view text() const {
    const auto size = static_cast<std::size_t>(end_ - begin_.get());
    ensure(size <= capacity_);
    return {begin_.get(), size};
  }

  void put(std::string_view plain) {
    std::memcpy(end_, plain.data(), plain.size());
    end_ += plain.size();
  }
  void put(char c) { *end_++ = c; }
  void put_number(std::int64_t number) { end_ = std::to_chars(end_, end_ + 20, number).ptr; }

  /// The characters of a JSON string's inside. They take six times the text's bytes at most.
  void put_escaped(std::string_view text) {
    std::size_t at = 0;
    while (at + 8 <= text.size() && put_eight(text.data() + at, end_)) {
      at += 8;
      end_ += 8;
    }
    // The last few together with those before them, which are written once more.
    const std::size_t rest = text.size() - at;
    if (at > 0 && rest < 8 && put_eight(text.data() + text.size() - 8, end_ + rest - 8)) {
      end_ += rest;
      return;
    }
    for (; at < text.size(); ++at) put_escaped(text[at]);
  }

 private:
  /// Copies eight characters, unless one of them needs an escape.
  static bool put_eight(const char* from, char* to) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, from, sizeof eight);
    if (needs_escape(eight)) return false;
    std::memcpy(to, &eight, sizeof eight);
    return true;
  }

  /// True when one of eight characters is a quote, a backslash or below a space.
  static bool needs_escape(std::uint64_t eight) {
    constexpr std::uint64_t ones = 0x0101'0101'0101'0101;
    constexpr std::uint64_t highs = ones << 7;
    const std::uint64_t quote = eight ^ (ones * '"');
    const std::uint64_t backslash = eight ^ (ones * '\\');
    const std::uint64_t below = (eight - ones * ' ') & ~eight;
    return (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) | below) & highs;
  }

  void put_escaped(char c) {
    static constexpr char digits[] = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20) {
      if (c == '"' || c == '\\') put('\\');
      return put(c);
    }
    put("\\u00");
    put(digits[byte >> 4]);
    put(digits[byte & 0xf]);
  }

  std::unique_ptr<char[]> begin_;
  char* end_ = nullptr;
  std::size_t capacity_ = 0;
};

}  // namespace helsekontakter::results
