#include "adapters/crypto/keyed_hash.h"

#include <algorithm>
#include <cstdio>
#include <set>
#include <span>
#include <string>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace helsekontakter::crypto {
namespace {

using TestDigest = Digest<struct TestTag>;

std::array<std::uint8_t, 32> evp_hmac(std::string_view key, std::string_view text) {
  std::array<std::uint8_t, 32> hash{};
  unsigned int length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash.data(), &length);
  return hash;
}

KeyedHash::Key key_of(std::string_view text) {
  KeyedHash::Key key{};
  std::copy(text.begin(), text.end(), key.begin());
  return key;
}

std::string hex(std::span<const std::uint8_t> bytes) {
  std::string out;
  char two[3];
  for (const std::uint8_t byte : bytes) {
    std::snprintf(two, sizeof two, "%02x", byte);
    out += two;
  }
  return out;
}

struct Rfc4231 {
  std::string key;
  std::string text;
  std::string hmac;
};

class HmacVectors : public testing::TestWithParam<Rfc4231> {};

// The vectors of RFC 4231 whose key fits 32 bytes check the reference; the reference checks us.
TEST_P(HmacVectors, HoldForTheReferenceAndUs) {
  const Rfc4231& vector = GetParam();
  EXPECT_EQ(hex(evp_hmac(vector.key, vector.text)), vector.hmac);
  std::string key = vector.key;
  key.resize(32, '\0');  // HMAC pads a short key with zeros itself
  const KeyedHash hash(key_of(key));
  const TestDigest ours = hash.digest<TestTag>({vector.text});
  const auto reference = evp_hmac(key, vector.text + "\x1f");
  EXPECT_EQ(hex(ours.bytes), hex(reference).substr(0, 32));
}

INSTANTIATE_TEST_SUITE_P(
    Rfc4231, HmacVectors,
    testing::Values(
        Rfc4231{std::string(20, '\x0b'), "Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        Rfc4231{"Jefe", "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        Rfc4231{std::string(20, '\xaa'), std::string(50, '\xdd'),
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        Rfc4231{"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14"
                "\x15\x16\x17\x18\x19",
                std::string(50, '\xcd'),
                "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"}));

TEST(KeyedHash, AgreesWithTheReferenceForEveryLength) {
  const std::string key(32, 'k');
  const KeyedHash hash(key_of(key));
  std::string text;
  for (std::size_t length = 0; length < 300; ++length) {
    EXPECT_EQ(hex(hash.digest<TestTag>({text}).bytes),
              hex(evp_hmac(key, text + "\x1f")).substr(0, 32))
        << length;
    text += static_cast<char>('a' + length % 26);
  }
}

TEST(KeyedHash, FollowsEachPartByASeparator) {
  const KeyedHash hash(key_of(std::string(32, 'k')));
  EXPECT_EQ(hash.digest<TestTag>({"a", "b"}), hash.digest<TestTag>({"a\x1f"
                                                                    "b"}));
  EXPECT_NE(hash.digest<TestTag>({"a", "b"}), hash.digest<TestTag>({"ab"}));
  EXPECT_NE(hash.digest<TestTag>({"a", ""}), hash.digest<TestTag>({"a"}));
}

TEST(KeyedHash, DiffersByKey) {
  const KeyedHash one(key_of(std::string(32, 'k')));
  const KeyedHash other(key_of(std::string(31, 'k') + "l"));
  EXPECT_NE(one.digest<TestTag>({"a"}), other.digest<TestTag>({"a"}));
}

TEST(UuidV5, HoldsForPublishedVectors) {
  // RFC 4122, appendix B, corrected by erratum 1352 for version 3; these two for version 5 are
  // Python's documentation and this project's own namespaces.
  const auto dns = Uuid::parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
  EXPECT_EQ(uuid_v5(*dns, {"python.org"}).text(), "886313e1-3b8a-5372-9b90-0c9aee199e5d");
  const auto results = Uuid::parse("6f6c1d0e-6a55-5d0c-9a2e-3f0a6d3c5b11");
  EXPECT_EQ(uuid_v5(*results, {"event"}).text(), "cf5e8745-ffbe-5240-9040-0a7d2c435304");
}

TEST(UuidV5, AgreesWithTheReferenceForEveryLength) {
  const Uuid name_space = *Uuid::parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
  const std::string prefix(name_space.bytes.begin(), name_space.bytes.end());
  std::string text;
  for (std::size_t length = 0; length < 300; ++length) {
    const std::string whole = prefix + text + "\x1fpart";
    std::array<std::uint8_t, 20> hash{};
    EVP_Digest(whole.data(), whole.size(), hash.data(), nullptr, EVP_sha1(), nullptr);
    hash[6] = static_cast<std::uint8_t>((hash[6] & 0x0f) | 0x50);
    hash[8] = static_cast<std::uint8_t>((hash[8] & 0x3f) | 0x80);
    EXPECT_EQ(hex(uuid_v5(name_space, {text, "part"}).bytes), hex(hash).substr(0, 32)) << length;
    text += static_cast<char>('a' + length % 26);
  }
}

TEST(UuidV5, JoinsPartsByTheSeparator) {
  const Uuid name_space = *Uuid::parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
  EXPECT_EQ(uuid_v5(name_space, {"a", "b"}), uuid_v5(name_space, {"a\x1f"
                                                                  "b"}));
  EXPECT_NE(uuid_v5(name_space, {"a", "b"}), uuid_v5(name_space, {"ab"}));
}

TEST(UuidV4, IsOfVersionFourAndNeverTheSame) {
  std::set<Uuid> seen;
  for (int i = 0; i < 1000; ++i) {
    const Uuid uuid = uuid_v4();
    EXPECT_EQ(uuid.text()[14], '4');
    EXPECT_NE(std::string("89ab").find(uuid.text()[19]), std::string::npos);
    seen.insert(uuid);
  }
  EXPECT_EQ(seen.size(), 1000u);
}

constexpr std::string_view encoded = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

TEST(ParseKey, ReadsThirtyTwoBytes) {
  const auto key = parse_key(encoded);
  ASSERT_TRUE(key.has_value());
  for (std::size_t i = 0; i < key->size(); ++i) EXPECT_EQ((*key)[i], i);
}

TEST(ParseKey, AllowsWhiteSpaceAroundAndNoPadding) {
  EXPECT_EQ(*parse_key(" \n" + std::string(encoded) + "\r\n"), *parse_key(encoded));
  EXPECT_EQ(*parse_key(encoded.substr(0, 43)), *parse_key(encoded));
}

class BadKeys : public testing::TestWithParam<std::string> {};

TEST_P(BadKeys, AreRefusedWithoutShowingThem) {
  const auto key = parse_key(GetParam());
  ASSERT_FALSE(key.has_value());
  EXPECT_EQ(key.error().remedy, Remedy::stop);
  if (!GetParam().empty()) {
    EXPECT_EQ(key.error().message.find(GetParam()), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(All, BadKeys,
                         testing::Values("", " \n", "AAEC", std::string(encoded) + "AA",
                                         std::string(44, '='),
                                         "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH*8=",
                                         "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=",
                                         "AAECAwQFBgcICQoLDA0 ODxAREhMUFRYXGBkaGxwdHh8"));

}  // namespace
}  // namespace helsekontakter::crypto
