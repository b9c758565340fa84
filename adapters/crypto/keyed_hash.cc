#include "adapters/crypto/keyed_hash.h"

#include "worker/domain/ensure.h"

#include <algorithm>
#include <cstring>

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

namespace helsekontakter::crypto {
namespace {

constexpr std::string_view separator{"\x1f", 1};

/// SHA-256 as it stands after one whole block.
SHA256_CTX after_one_block(const std::array<std::uint32_t, 8>& words) {
  SHA256_CTX context{};
  std::copy(words.begin(), words.end(), context.h);
  context.Nl = SHA256_CBLOCK * 8;
  context.md_len = SHA256_DIGEST_LENGTH;
  return context;
}

/// The state after the key's block, xored with RFC 2104's inner or outer byte.
std::array<std::uint32_t, 8> absorb_key(const KeyedHash::Key& key, std::uint8_t pad) {
  std::array<std::uint8_t, SHA256_CBLOCK> block{};
  std::copy(key.begin(), key.end(), block.begin());
  for (std::uint8_t& byte : block) byte = static_cast<std::uint8_t>(byte ^ pad);
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, block.data(), block.size());
  std::array<std::uint32_t, 8> words{};
  std::copy(std::begin(context.h), std::end(context.h), words.begin());
  OPENSSL_cleanse(block.data(), block.size());
  OPENSSL_cleanse(&context, sizeof context);
  return words;
}

/// Hashes the parts, each followed by the separator.
void absorb(SHA256_CTX& context, std::initializer_list<std::string_view> parts) {
  for (const std::string_view part : parts) {
    SHA256_Update(&context, part.data(), part.size());
    SHA256_Update(&context, separator.data(), separator.size());
  }
}

/// Short texts are laid out in their blocks here, SHA's padding included, and hashed block by
/// block: the library's own bookkeeping costs as much as the hash of such a text.
class Blocks {
 public:
  static constexpr std::size_t block_bytes = 64;
  static constexpr std::size_t bytes_max = 4 * block_bytes;
  /// What the padding takes at least: one byte 0x80 and the length in bits.
  static constexpr std::size_t padding_min = 1 + 8;

  void add(const void* bytes, std::size_t size) {
    // Views of nothing may have no address, which memcpy must not be given.
    if (size != 0) std::memcpy(bytes_.data() + size_, bytes, size);
    size_ += size;
  }
  void add(std::string_view text) { add(text.data(), text.size()); }

  /// Pads to whole blocks and returns their number. `before`: bytes hashed before these.
  [[nodiscard]] std::size_t pad(std::size_t before) {
    const std::size_t blocks = (size_ + padding_min + block_bytes - 1) / block_bytes;
    const std::size_t end = blocks * block_bytes;
    const std::uint64_t bits = (before + size_) * 8;
    std::memset(bytes_.data() + size_, 0, end - size_);
    bytes_[size_] = 0x80;
    bytes_[end - 2] = static_cast<std::uint8_t>(bits >> 8);
    bytes_[end - 1] = static_cast<std::uint8_t>(bits);
    return blocks;
  }

  [[nodiscard]] const std::uint8_t* block(std::size_t at) const {
    return bytes_.data() + at * block_bytes;
  }

 private:
  std::array<std::uint8_t, bytes_max> bytes_;
  std::size_t size_ = 0;
};

/// Bytes of the parts with a separator after each.
std::size_t separated_bytes(std::initializer_list<std::string_view> parts) {
  std::size_t bytes = 0;
  for (const std::string_view part : parts) bytes += part.size() + separator.size();
  return bytes;
}

/// SHA's words as bytes, the highest first.
template <std::size_t words>
void write_words(const std::uint32_t* from, std::uint8_t* to) {
  for (std::size_t i = 0; i < words; ++i) {
    const std::uint32_t swapped = __builtin_bswap32(from[i]);
    std::memcpy(to + 4 * i, &swapped, sizeof swapped);
  }
}

/// The second half of an HMAC, and its first 16 bytes.
std::array<std::uint8_t, 16> finish(const std::array<std::uint32_t, 8>& outer,
                                    const std::uint8_t* inner_hash) {
  Blocks blocks;
  blocks.add(inner_hash, SHA256_DIGEST_LENGTH);
  static_cast<void>(blocks.pad(SHA256_CBLOCK));
  SHA256_CTX context;
  std::copy(outer.begin(), outer.end(), context.h);
  SHA256_Transform(&context, blocks.block(0));
  std::array<std::uint8_t, 16> first;
  write_words<4>(context.h, first.data());
  return first;
}

using Sha1Hash = std::array<std::uint8_t, SHA_DIGEST_LENGTH>;

/// SHA-1 of the namespace and the parts, joined by the separator.
Sha1Hash hash_name(const Uuid& name_space, std::initializer_list<std::string_view> parts) {
  SHA_CTX context;
  SHA1_Init(&context);
  Sha1Hash hash;
  const std::size_t bytes = name_space.bytes.size() + separated_bytes(parts);
  Blocks blocks;
  const bool is_short = bytes + Blocks::padding_min <= Blocks::bytes_max;
  const auto add = [&](const void* data, std::size_t size) {
    is_short ? blocks.add(data, size) : static_cast<void>(SHA1_Update(&context, data, size));
  };
  add(name_space.bytes.data(), name_space.bytes.size());
  bool first = true;
  for (const std::string_view part : parts) {
    if (!first) add(separator.data(), separator.size());
    add(part.data(), part.size());
    first = false;
  }
  if (!is_short) {
    SHA1_Final(hash.data(), &context);
    return hash;
  }
  const std::size_t count = blocks.pad(0);
  for (std::size_t i = 0; i < count; ++i) SHA1_Transform(&context, blocks.block(i));
  const std::array<std::uint32_t, 5> words{context.h0, context.h1, context.h2, context.h3,
                                           context.h4};
  write_words<words.size()>(words.data(), hash.data());
  return hash;
}

}  // namespace

KeyedHash::KeyedHash(const Key& key)
    : inner_{absorb_key(key, 0x36)}, outer_{absorb_key(key, 0x5c)} {}

std::array<std::uint8_t, 16> KeyedHash::compute(
    std::initializer_list<std::string_view> parts) const {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> hash;
  if (separated_bytes(parts) + Blocks::padding_min > Blocks::bytes_max) {
    SHA256_CTX context = after_one_block(inner_.words);
    absorb(context, parts);
    SHA256_Final(hash.data(), &context);
    return finish(outer_.words, hash.data());
  }
  Blocks blocks;
  for (const std::string_view part : parts) {
    blocks.add(part);
    blocks.add(separator);
  }
  const std::size_t count = blocks.pad(SHA256_CBLOCK);
  SHA256_CTX context;
  std::copy(inner_.words.begin(), inner_.words.end(), context.h);
  for (std::size_t i = 0; i < count; ++i) SHA256_Transform(&context, blocks.block(i));
  write_words<8>(context.h, hash.data());
  return finish(outer_.words, hash.data());
}

Uuid uuid_v5(const Uuid& name_space, std::initializer_list<std::string_view> parts) {
  const Sha1Hash hash = hash_name(name_space, parts);
  Uuid uuid;
  std::copy_n(hash.begin(), uuid.bytes.size(), uuid.bytes.begin());
  uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0f) | 0x50);
  uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3f) | 0x80);
  return uuid;
}

Uuid uuid_v4() {
  Uuid uuid;
  // Fails only when the operating system has no randomness to give; nothing can go on then.
  ensure(RAND_bytes(uuid.bytes.data(), static_cast<int>(uuid.bytes.size())) == 1);
  uuid.bytes[6] = static_cast<std::uint8_t>((uuid.bytes[6] & 0x0f) | 0x40);
  uuid.bytes[8] = static_cast<std::uint8_t>((uuid.bytes[8] & 0x3f) | 0x80);
  return uuid;
}

Result<KeyedHash::Key> parse_key(std::string_view base64) {
  static constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto refuse = [] {
    return fail(Remedy::stop,
                "ledger.hmac_key_file does not hold 32 bytes in base64 (44 characters); make one "
                "with: openssl rand -base64 32");
  };
  const auto last = base64.find_last_not_of(" \t\r\n");
  base64 = base64.substr(0, last == std::string_view::npos ? 0 : last + 1);
  base64 = base64.substr(std::min(base64.find_first_not_of(" \t\r\n"), base64.size()));
  if (base64.size() == 44 && base64.back() == '=') base64.remove_suffix(1);
  if (base64.size() != 43) return refuse();
  KeyedHash::Key key{};
  std::uint32_t bits = 0;
  std::size_t held = 0;
  std::size_t filled = 0;
  for (const char c : base64) {
    const auto value = alphabet.find(c);
    if (value == std::string_view::npos) return refuse();
    bits = (bits << 6 | static_cast<std::uint32_t>(value)) & 0xffff;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    key[filled++] = static_cast<std::uint8_t>(bits >> held);
  }
  // 43 characters carry two bits more than 32 bytes; other than zero means a mistyped key.
  if ((bits & 3) != 0) return refuse();
  return key;
}

}  // namespace helsekontakter::crypto
