#include "adapters/https/http.h"

#include <gtest/gtest.h>

namespace helsekontakter::https {
namespace {

struct Good {
  std::string text;
  bool tls;
  std::string host;
  std::uint16_t port;
  std::string target;
  std::string shown;
};

class UrlIsSplit : public ::testing::TestWithParam<Good> {};

TEST_P(UrlIsSplit, IntoItsParts) {
  const auto url = Url::parse(GetParam().text);
  ASSERT_TRUE(url) << url.error().message;
  EXPECT_EQ(url->tls, GetParam().tls);
  EXPECT_EQ(url->host, GetParam().host);
  EXPECT_EQ(url->port, GetParam().port);
  EXPECT_EQ(url->target, GetParam().target);
  EXPECT_EQ(url->text(), GetParam().shown);
}

INSTANTIATE_TEST_SUITE_P(
    Table, UrlIsSplit,
    ::testing::Values(
        Good{"https://api.test/a/b?c=d", true, "api.test", 443, "/a/b?c=d",
             "https://api.test/a/b?c=d"},
        Good{"HTTPS://API.Test", true, "api.test", 443, "/", "https://api.test/"},
        Good{"https://api.test:8443?x", true, "api.test", 8443, "/?x", "https://api.test:8443/?x"},
        Good{"https://[2001:db8::1]:444/x", true, "2001:db8::1", 444, "/x",
             "https://[2001:db8::1]:444/x"},
        Good{"http://127.0.0.1:8080/x", false, "127.0.0.1", 8080, "/x", "http://127.0.0.1:8080/x"},
        Good{"http://127.9.9.9", false, "127.9.9.9", 80, "/", "http://127.9.9.9/"},
        Good{"http://localhost/", false, "localhost", 80, "/", "http://localhost/"},
        Good{"http://[::1]:1/", false, "::1", 1, "/", "http://[::1]:1/"}));

class UrlIsRefused : public ::testing::TestWithParam<std::string> {};

TEST_P(UrlIsRefused, WithAReasonThatDoesNotRepeatIt) {
  const auto url = Url::parse(GetParam());
  ASSERT_FALSE(url) << url->text();
  EXPECT_EQ(url.error().remedy, Remedy::stop);
  EXPECT_EQ(url.error().message.find("secret"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Table, UrlIsRefused,
    ::testing::Values("", "api.test", "ftp://api.test", "https://", "https:///x", "https://a b/",
                      "https://api.test/a b", "https://api.test/#part", "https://api.test/\r\nX: y",
                      "https://user:secret@api.test/", "https://api.test:0/", "https://api.test:/",
                      "https://api.test:65536/", "https://api.test:8x/", "https://[::1",
                      "https://[]", "https://[::1]x/", "http://api.test/",
                      "http://127.0.0.1.api.test/", "http://[::2]/", "http://128.0.0.1/",
                      "http://localhost.api.test/", "https://" + std::string(3000, 'a')));

TEST(Response, FindsAHeaderInAnyCaseAndTheFirstOfSeveral) {
  const Response response{.status = 200,
                          .headers = {{"retry-AFTER", "5"}, {"Retry-After", "6"}},
                          .body = "",
                          .written_at = {}};
  EXPECT_EQ(response.header("Retry-After"), "5");
  EXPECT_EQ(response.header("Retry"), "");
}

}  // namespace
}  // namespace helsekontakter::https
