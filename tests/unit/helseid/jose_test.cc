#include "adapters/helseid/base64url.h"
#include "adapters/helseid/jwk.h"
#include "adapters/helseid/jws.h"
#include "tests/unit/helseid/keys.h"

#include <array>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bn.h>

namespace helsekontakter::helseid {
namespace {

using test::Kind;
using test::private_jwk;

/// The examples of the RFCs give large numbers; dp, dq and qi follow from them.
struct RsaExample {
  std::string kid, n, d, p, q;
};

using Number = std::unique_ptr<BIGNUM, void (*)(BIGNUM*)>;

Number number(const std::string& text) {
  const auto bytes = from_base64url(text).value();
  return {BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr), BN_free};
}

std::string text(const BIGNUM* from) {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(BN_num_bytes(from)));
  BN_bn2bin(from, bytes.data());
  return base64url(bytes);
}

std::string jwk_of(const RsaExample& key) {
  const std::unique_ptr<BN_CTX, void (*)(BN_CTX*)> context(BN_CTX_new(), BN_CTX_free);
  const Number d = number(key.d);
  const Number p = number(key.p);
  const Number q = number(key.q);
  const Number less(BN_new(), BN_free);
  const Number result(BN_new(), BN_free);
  const auto exponent = [&](const BIGNUM* prime) {
    BN_copy(less.get(), prime);
    BN_sub_word(less.get(), 1);
    BN_mod(result.get(), d.get(), less.get(), context.get());
    return text(result.get());
  };
  const std::string dp = exponent(p.get());
  const std::string dq = exponent(q.get());
  BN_mod_inverse(result.get(), q.get(), p.get(), context.get());
  return R"({"kty":"RSA","e":"AQAB","kid":")" + key.kid + R"(","n":")" + key.n + R"(","d":")" +
         key.d + R"(","p":")" + key.p + R"(","q":")" + key.q + R"(","dp":")" + dp + R"(","dq":")" +
         dq + R"(","qi":")" + text(result.get()) + R"("})";
}

/// RFC 7515 A.2.
const RsaExample rfc7515_a2{
    "",
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4"
    "d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5re"
    "xMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxX"
    "FvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXO"
    "oAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51"
    "gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3c"
    "cPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ",
    "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5P"
    "JdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",
    "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZ"
    "D_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc"};

/// RFC 7520 3.4.
const RsaExample rfc7520_rsa{
    "bilbo.baggins@hobbiton.example",
    "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmS"
    "CpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-Of"
    "VfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKw"
    "uCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw",
    "bWUC9B-EFRIo8kpGfh0ZuyGPvMNKvYWNtB_ikiH9k20eT-O1q_I78eiZkpXxXQ0UTEs2LsNRS-8uJbvQ-A1irkwMSMkK"
    "1J3XTGgdrhCku9gRldY7sNA_AKZGh-Q661_42rINLRCe8W-nZ34ui_qOfkLnK9QWDDqpaIsA-bMwWWSDFu2MUBYwkHTM"
    "EzLYGqOe04noqeq1hExBTHBOBdkMXiuFhUq1BU6l-DqEiWxqg82sXt2h-LMnT3046AOYJoRioz75tSUQfGCshWTBnP5u"
    "Djd18kKhyv07lhfSJdrPdM5Plyl21hsFf4L_mHCuoFau7gdsPfHPxxjVOcOpBrQzwQ",
    "3Slxg_DwTXJcb6095RoXygQCAZ5RnAvZlno1yhHtnUex_fp7AZ_9nRaO7HX_-SFfGQeutao2TDjDAWU4Vupk8rw9JR0A"
    "zZ0N2fvuIAmr_WCsmGpeNqQnev1T7IyEsnh8UMt-n5CafhkikzhEsrmndH6LxOrvRJlsPp6Zv8bUq0k",
    "uKE2dh-cTf6ERF4k4e_jy78GfPYUIaUyoSSJuBzp3Cubk3OCqs6grT8bR_cu0Dm1MZwWmtdqDyI95HrUeq3MP15vMMON"
    "8lHTeZu2lmKvwqW7anV5UzhM1iZ7z4yMkuUwFWoBvyY898EXvRD-hdqRxHlSqAZ192zB3pVFJ0s7pFc"};

/// RFC 7517 A.2, whose public part is the example of RFC 7638 3.1.
const RsaExample rfc7638_key{
    "2011-04-29",
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECP"
    "ebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY"
    "368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0f"
    "M4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    "X4cTteJY_gn4FYPsXB8rdXix5vwsg1FLN5E3EaG6RJoVH-HLLKD9M7dx5oo7GURknchnrRweUkC7hT5fJLM0WbFAKNLW"
    "Y2vv7B6NqXSzUvxT0_YSfqijwp3RTzlBaCxWp4doFk5N2o8Gy_nHNKroADIkJ46pRUohsXywbReAdYaMwFs9tv8d_cPV"
    "Y3i07a3t8MN6TNwm0dSawm9v47UiCl3Sk5ZiG7xojPLu4sbg1U2jx4IBTNBznbJSzFHK66jT8bgkuqsk0GjskDJk19Z4"
    "qwjwbsnn4j2WBii3RL-Us2lGVkY8fkFzme1z0HbIkfz0Y6mqnOYtqc0X4jfcKoAC8Q",
    "83i-7IvMGXoMXCskv73TKr8637FiO7Z27zv8oj6pbWUQyLPQBQxtPVnwD20R-60eTDmD2ujnMt5PoqMrm8RfmNhVWDtj"
    "jMmCMjOpSXicFHj7XOuVIYQyqVWlWEh6dN36GVZYk93N8Bc9vY41xy8B9RzzOGVQzXvNEvn7O0nVbfs",
    "3dfOR9cuYq-0S-mkFLzgItgMEfFzB2q3hWehMuG0oCuqnb3vobLyumqjVZQO1dIrdwgTnCdpYzBcOfW5r370AFXjiWft"
    "_NGEiovonizhKpo9VVS78TzFgxkIdrecRezsZ-1kYd_s1qDbxtkDEgfAITAG9LUnADun4vIcb6yelxk"};

constexpr std::string_view joe =
    "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";

SigningKey key_of(const std::string& jwk, std::string_view alg) {
  return choose_algorithm(PrivateJwk::parse(jwk).value(), alg).value();
}

TEST(Base64Url, LeavesOutPaddingAndUsesTheUrlAlphabet) {
  EXPECT_EQ(base64url(std::string_view("")), "");
  EXPECT_EQ(base64url(std::string_view("f")), "Zg");
  EXPECT_EQ(base64url(std::string_view("fo")), "Zm8");
  EXPECT_EQ(base64url(std::string_view("foo")), "Zm9v");
  EXPECT_EQ(base64url(std::string_view("\xfb\xff\xfe")), "-__-");
}

TEST(Base64Url, ReadsBackEveryLength) {
  std::vector<std::uint8_t> bytes;
  for (int i = 0; i < 70; ++i) {
    EXPECT_EQ(from_base64url(base64url(bytes)), bytes);
    bytes.push_back(static_cast<std::uint8_t>(i * 37));
  }
}

TEST(Base64Url, RefusesPaddingOtherAlphabetsAndLooseBits) {
  for (const std::string_view bad : {"Zg==", "Zm9v ", "+/+/", "A", "Zh", "Z\n"}) {
    EXPECT_FALSE(from_base64url(bad)) << bad;
  }
}

TEST(Jws, SignsTheRs256ExampleOfRfc7515ToTheLetter) {
  const auto compact = compact_jws(key_of(jwk_of(rfc7515_a2), "RS256"), R"({"alg":"RS256"})", joe);
  EXPECT_EQ(compact.value(),
            "eyJhbGciOiJSUzI1NiJ9."
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
            "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7"
            "AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4"
            "BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K"
            "0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv"
            "hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB"
            "p0igcN_IoypGlUPQGe77Rw");
}

TEST(Jws, SignsTheRs256ExampleOfRfc7520ToTheLetter) {
  const auto compact =
      compact_jws(key_of(jwk_of(rfc7520_rsa), "RS256"),
                  R"({"alg":"RS256","kid":"bilbo.baggins@hobbiton.example"})",
                  "It\xe2\x80\x99s a dangerous business, Frodo, going out your door. You step onto "
                  "the road, and if you don't keep your feet, there\xe2\x80\x99s no knowing where "
                  "you might be swept off to.");
  EXPECT_EQ(compact->substr(compact->rfind('.') + 1),
            "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996i"
            "vp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1u"
            "SNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAh"
            "b6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18"
            "kDquDg");
}

/// RFC 7515 A.3 and A.4: keys on P-256 and P-521, and what the RFC signed with them.
struct EcExample {
  std::string alg, crv, x, y, d, jws;
};

class RfcEcExample : public testing::TestWithParam<EcExample> {};

TEST_P(RfcEcExample, IsImportedSoThatTheSignatureOfTheRfcAndOursAreGood) {
  const EcExample& example = GetParam();
  const std::string jwk = R"({"kty":"EC","crv":")" + example.crv + R"(","x":")" + example.x +
                          R"(","y":")" + example.y + R"(","d":")" + example.d + R"("})";
  const SigningKey key = key_of(jwk, example.alg);
  EXPECT_TRUE(test::verifies(example.jws, key.jwk.public_json()));
  const auto ours = compact_jws(key, R"({"alg":")" + example.alg + R"("})", joe);
  EXPECT_TRUE(test::verifies(*ours, jwk));
}

INSTANTIATE_TEST_SUITE_P(
    Rfc7515, RfcEcExample,
    testing::Values(
        EcExample{"ES256", "P-256", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                  "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
                  "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
                  "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9"
                  "leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXF"
                  "CgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"},
        EcExample{"ES512", "P-521",
                  "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxc"
                  "WceqwQGk",
                  "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf6"
                  "3e3kyMj2",
                  "AY5pb7A0UFiB3RELSD64fTLOSV_jazdF7fLYyuTw8lOfRhWg6Y6rUrPAxerEzgdRhajnu0ferB0d53vM"
                  "9mE15j2C",
                  "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOY"
                  "aRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8Kp"
                  "EHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"}),
    [](const auto& example) { return example.param.alg; });

struct Signing {
  Kind kind;
  std::string alg;
};

class EveryAlgorithm : public testing::TestWithParam<Signing> {};

TEST_P(EveryAlgorithm, SignsWhatCjoseVerifies) {
  const auto& [kind, alg] = GetParam();
  const std::string jwk = private_jwk(kind);
  const SigningKey key = key_of(jwk, alg);
  // Often enough that r or s of an ECDSA signature begins with a zero byte now and then.
  for (int i = 0; i < 20; ++i) {
    const auto compact = compact_jws(key, R"({"alg":")" + alg + R"(","typ":"x"})",
                                     R"({"n":)" + std::to_string(i) + "}");
    ASSERT_TRUE(compact.has_value());
    EXPECT_TRUE(test::verifies(*compact, jwk));
    EXPECT_TRUE(test::verifies(*compact, key.jwk.public_json()));
    std::string forged = *compact;
    forged[forged.find('.') + 4] ^= 1;
    EXPECT_FALSE(test::verifies(forged, jwk));
  }
}

INSTANTIATE_TEST_SUITE_P(Rfc7518, EveryAlgorithm,
                         testing::Values(Signing{Kind::rsa, "RS256"}, Signing{Kind::rsa, "RS384"},
                                         Signing{Kind::rsa, "RS512"}, Signing{Kind::rsa, "PS256"},
                                         Signing{Kind::rsa, "PS384"}, Signing{Kind::rsa, "PS512"},
                                         Signing{Kind::p256, "ES256"}, Signing{Kind::p384, "ES384"},
                                         Signing{Kind::p521, "ES512"}),
                         [](const auto& row) { return row.param.alg; });

TEST(Jws, TakesTheAlgorithmFromTheSettingThenTheJwkThenTheKindOfKey) {
  const auto chosen = [](Kind kind, std::string_view in_jwk, std::string_view setting) {
    const auto key =
        choose_algorithm(PrivateJwk::parse(private_jwk(kind, "k", in_jwk)).value(), setting);
    return std::string(key ? name(key->algorithm) : key.error().message);
  };
  EXPECT_EQ(chosen(Kind::rsa, "RS384", "PS512"), "PS512");
  EXPECT_EQ(chosen(Kind::rsa, "RS384", ""), "RS384");
  EXPECT_EQ(chosen(Kind::rsa, "", ""), "PS256");
  EXPECT_EQ(chosen(Kind::p256, "", ""), "ES256");
  EXPECT_EQ(chosen(Kind::p384, "", ""), "ES384");
  EXPECT_EQ(chosen(Kind::p521, "", ""), "ES512");
  EXPECT_EQ(chosen(Kind::p256, "", "PS256"),
            "auth.alg is PS256, but the JWK is an EC key on P-256, which cannot do that");
  EXPECT_EQ(chosen(Kind::p521, "ES256", ""),
            "the JWK's \"alg\" is ES256, but the JWK is an EC key on P-521, which cannot do that");
  EXPECT_THAT(chosen(Kind::rsa, "HS256", ""), testing::HasSubstr("is none of RS256"));
  EXPECT_THAT(chosen(Kind::rsa, "", "none"), testing::HasSubstr("auth.alg is none of"));
}

TEST(Jwk, HasTheThumbprintOfRfc7638) {
  EXPECT_EQ(PrivateJwk::parse(jwk_of(rfc7638_key))->thumbprint(),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

TEST(Jwk, ShowsItsPublicPartOnly) {
  for (const Kind kind : {Kind::rsa, Kind::p256, Kind::p384, Kind::p521}) {
    const auto key = PrivateJwk::parse(private_jwk(kind)).value();
    for (const std::string_view secret : {"d", "p", "q", "dp", "dq", "qi", "kid"}) {
      std::string pointer = "/";
      pointer += secret;
      EXPECT_EQ(test::member(key.public_json(), pointer), "-") << secret;
    }
  }
}

TEST(Jwk, AcceptsCoordinatesWithoutTheirLeadingZeros) {
  // The y of RFC 7515 A.4 begins with a zero byte.
  const std::string x =
      "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk";
  const std::string d =
      "AY5pb7A0UFiB3RELSD64fTLOSV_jazdF7fLYyuTw8lOfRhWg6Y6rUrPAxerEzgdRhajnu0ferB0d53vM9mE15j2C";
  const std::string whole =
      "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2";
  auto bytes = from_base64url(whole).value();
  bytes.erase(bytes.begin());
  const auto key = PrivateJwk::parse(R"({"kty":"EC","crv":"P-521","x":")" + x + R"(","d":")" + d +
                                     R"(","y":")" + base64url(bytes) + R"("})");
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(test::member(key->public_json(), "/y"), whole);
}

/// Renames a member, so that it is missing.
std::string without(std::string json, std::string_view name) {
  std::string quoted = "\"";
  quoted += name;
  quoted += "\":";
  json.insert(json.find(quoted) + 1, "no_");
  return json;
}

TEST(Jwk, RefusesWhatIsNoWholePrivateSigningKey) {
  const std::string rsa = private_jwk(Kind::rsa);
  const std::string ec = private_jwk(Kind::p256);
  std::string mixed = ec;
  mixed.replace(mixed.find(test::secret_of(Kind::p256)), test::secret_of(Kind::p256).size(),
                base64url(std::vector<std::uint8_t>(32, 7)));
  std::string other = rsa;
  const std::string p = test::member(rsa, "/p");
  other.replace(other.find(p), p.size(), test::member(private_jwk(Kind::rsa_other), "/p"));
  const std::vector<std::pair<std::string, std::string>> rows{
      {"", "not a JSON object"},
      {"-----BEGIN PRIVATE KEY-----", "not a JSON object"},
      {"[]", "not a JSON object"},
      {"{}", "lacks \"kty\""},
      {R"({"kty":7})", "lacks \"kty\""},
      {R"({"kty":"oct","k":"AAAA"})", "needs \"kty\" RSA or EC"},
      {R"({"keys":[]})", "set of keys"},
      {without(rsa, "d"), "public key"},
      {without(ec, "d"), "public key"},
      {without(rsa, "qi"), "lacks \"qi\""},
      {without(ec, "x"), "lacks \"x\""},
      {R"({"kty":"EC","crv":"secp256k1","d":"AA","x":"AA","y":"AA"})", "needs \"crv\""},
      {R"({"kty":"RSA","d":"A=","n":"!!"})", "bad base64url value in \"n\""},
      {mixed, "do not belong together"},
      {other, "do not belong together"},
      {R"({"use":"enc",)" + rsa.substr(1), "not for signatures"},
      {R"({"key_ops":["verify"],)" + rsa.substr(1), "not for signing"},
  };
  for (const auto& [json, expected] : rows) {
    const auto key = PrivateJwk::parse(json);
    ASSERT_FALSE(key.has_value()) << expected;
    EXPECT_EQ(key.error().remedy, Remedy::stop);
    EXPECT_THAT(key.error().message, testing::HasSubstr(expected));
    EXPECT_THAT(key.error().message, testing::Not(testing::HasSubstr(test::secret_of(Kind::rsa))));
    EXPECT_THAT(key.error().message, testing::Not(testing::HasSubstr(test::secret_of(Kind::p256))));
  }
  EXPECT_TRUE(PrivateJwk::parse(R"({"use":"sig","key_ops":["sign"],)" + rsa.substr(1)));
}

}  // namespace
}  // namespace helsekontakter::helseid
