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

/// Hashes the parts, each followed by the separator. Gathered first: one call for a few dozen bytes
/// costs less than half of what a call for each part does.
void absorb(SHA256_CTX& context, std::initializer_list<std::string_view> parts) {
  std::array<char, 256> gathered;
  std::size_t held = 0;
  for (const std::string_view part : parts) {
    if (part.size() + 1 > gathered.size() - held) {
      SHA256_Update(&context, gathered.data(), held);
      held = 0;
    }
    if (part.size() + 1 > gathered.size()) {
      SHA256_Update(&context, part.data(), part.size());
    } else {
      std::copy(part.begin(), part.end(), gathered.data() + held);
      held += part.size();
    }
    gathered[held++] = separator[0];
  }
  SHA256_Update(&context, gathered.data(), held);
}

}  // namespace

KeyedHash::KeyedHash(const Key& key)
    : inner_{absorb_key(key, 0x36)}, outer_{absorb_key(key, 0x5c)} {}

std::array<std::uint8_t, 16> KeyedHash::compute(
    std::initializer_list<std::string_view> parts) const {
  SHA256_CTX context = after_one_block(inner_.words);
  absorb(context, parts);
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> hash;
  SHA256_Final(hash.data(), &context);
  context = after_one_block(outer_.words);
  SHA256_Update(&context, hash.data(), hash.size());
  SHA256_Final(hash.data(), &context);
  std::array<std::uint8_t, 16> first;
  std::copy_n(hash.begin(), first.size(), first.begin());
  return first;
}

Uuid uuid_v5(const Uuid& name_space, std::initializer_list<std::string_view> parts) {
  SHA_CTX context;
  SHA1_Init(&context);
  SHA1_Update(&context, name_space.bytes.data(), name_space.bytes.size());
  bool first = true;
  for (const std::string_view part : parts) {
    if (!first) SHA1_Update(&context, separator.data(), separator.size());
    SHA1_Update(&context, part.data(), part.size());
    first = false;
  }
  std::array<std::uint8_t, SHA_DIGEST_LENGTH> hash;
  SHA1_Final(hash.data(), &context);
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
