#include "tests/simulator/encoding.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include <openssl/rand.h>
#include <openssl/sha.h>

namespace helsekontakter::simulator {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::optional<std::uint32_t> hex_digit(char character) {
  if (character >= '0' && character <= '9') return static_cast<std::uint32_t>(character - '0');
  if (character >= 'a' && character <= 'f') return static_cast<std::uint32_t>(character - 'a' + 10);
  if (character >= 'A' && character <= 'F') return static_cast<std::uint32_t>(character - 'A' + 10);
  return std::nullopt;
}

bool is_digit(char character) {
  return character >= '0' && character <= '9';
}

SHA256_CTX context_after_block(const std::array<std::uint32_t, 8>& words) {
  SHA256_CTX context;
  SHA256_Init(&context);
  std::memcpy(context.h, words.data(), sizeof context.h);
  context.Nl = SHA256_CBLOCK * 8;
  return context;
}

}  // namespace

std::string base64url(std::string_view octets) {
  std::string out;
  out.reserve((octets.size() * 4 + 2) / 3);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char octet : octets) {
    bits = (bits << 8) | static_cast<std::uint8_t>(octet);
    held += 8;
    while (held >= 6) {
      held -= 6;
      out += alphabet[(bits >> held) & 63];
    }
  }
  if (held > 0) out += alphabet[(bits << (6 - held)) & 63];
  return out;
}

std::optional<Octets> from_base64url(std::string_view text) {
  static constexpr auto values = [] {
    std::array<std::int8_t, 256> table{};
    for (auto& value : table) value = -1;
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
      table[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::int8_t>(i);
    }
    return table;
  }();
  if (text.size() % 4 == 1) return std::nullopt;
  Octets out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char character : text) {
    const std::int8_t value = values[static_cast<std::uint8_t>(character)];
    if (value < 0) return std::nullopt;
    bits = (bits << 6) | static_cast<std::uint32_t>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      out += static_cast<char>((bits >> held) & 0xff);
    }
  }
  if ((bits & ((1u << held) - 1)) != 0) return std::nullopt;
  return out;
}

Octets sha256(std::string_view octets) {
  Octets out(SHA256_DIGEST_LENGTH, '\0');
  SHA256(bytes(octets), octets.size(), reinterpret_cast<std::uint8_t*>(out.data()));
  return out;
}

Octets random_octets(std::size_t count) {
  Octets out(count, '\0');
  if (RAND_bytes(reinterpret_cast<std::uint8_t*>(out.data()), static_cast<int>(count)) != 1) {
    throw std::runtime_error("the system's random generator gave nothing");
  }
  return out;
}

void append_json(std::string& out, std::string_view text) {
  static constexpr std::string_view digits = "0123456789abcdef";
  out += '"';
  for (const char character : text) {
    const auto code = static_cast<std::uint8_t>(character);
    if (character == '"' || character == '\\') {
      out += '\\';
      out += character;
    } else if (code < 0x20) {
      out.append("\\u00").append(1, digits[code >> 4]).append(1, digits[code & 15]);
    } else {
      out += character;
    }
  }
  out += '"';
}

std::optional<std::string> from_form(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const auto high = hex_digit(text[i + 1]);
      const auto low = hex_digit(text[i + 2]);
      if (!high || !low) return std::nullopt;
      out += static_cast<char>(*high * 16 + *low);
      i += 2;
    }
  }
  return out;
}

std::string scrubbed(std::string_view text) {
  std::string out;
  text = text.substr(0, 4096);  // far beyond what is kept, so that no run is cut in two
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && is_digit(text[end])) ++end;
    if (end - i == 11) {
      out += "[number]";
    } else if (end > i) {
      out += text.substr(i, end - i);
    } else {
      if (static_cast<std::uint8_t>(text[i]) >= 0x20) out += text[i];
      end = i + 1;
    }
    i = end;
  }
  return out.substr(0, 300);
}

MemberHash::MemberHash(std::string_view key) {
  const Octets hashed = key.size() > SHA256_CBLOCK ? sha256(key) : Octets(key);
  const auto half = [&](std::uint8_t pad) {
    std::array<std::uint8_t, SHA256_CBLOCK> block{};
    std::copy(hashed.begin(), hashed.end(), block.begin());
    for (std::uint8_t& byte : block) byte = static_cast<std::uint8_t>(byte ^ pad);
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Transform(&context, block.data());
    State state;
    std::memcpy(state.words.data(), context.h, sizeof context.h);
    return state;
  };
  inner_ = half(0x36);
  outer_ = half(0x5c);
}

MemberHash::Digest MemberHash::operator()(std::string_view organization,
                                          std::string_view member) const {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256_CTX context = context_after_block(inner_.words);
  SHA256_Update(&context, organization.data(), organization.size());
  SHA256_Update(&context, "\x1f", 1);
  SHA256_Update(&context, member.data(), member.size());
  SHA256_Final(digest.data(), &context);
  context = context_after_block(outer_.words);
  SHA256_Update(&context, digest.data(), digest.size());
  SHA256_Final(digest.data(), &context);
  Digest out;
  std::copy_n(digest.begin(), out.size(), out.begin());
  return out;
}

}  // namespace helsekontakter::simulator
