#include "adapters/https/request_head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::https {
namespace {

Request request_with(std::vector<Header> headers) {
  Request request;
  request.url = Url::parse("https://api.test:8443/a?b").value();
  request.headers = std::move(headers);
  return request;
}

TEST(RequestHead, HasTheHeadersThatTheRequestLeavesToTheClient) {
  EXPECT_EQ(compose_head(request_with({{"Accept", "application/json"}}), 12).value(),
            "POST /a?b HTTP/1.1\r\nHost: api.test:8443\r\nUser-Agent: helsekontakter\r\n"
            "Accept: application/json\r\nContent-Length: 12\r\n\r\n");
}

TEST(RequestHead, TellsTheLengthOfAnEmptyPostButNotOfAGet) {
  Request request = request_with({});
  EXPECT_THAT(compose_head(request, 0).value(), ::testing::HasSubstr("Content-Length: 0\r\n"));
  request.method = "GET";
  EXPECT_THAT(compose_head(request, 0).value(),
              ::testing::Not(::testing::HasSubstr("Content-Length")));
}

TEST(RequestHead, RefusesWhatWouldBreakOutOfALineAndDoesNotPrintIt) {
  for (const Header& header :
       {Header{"X", "secret\r\nY: z"}, Header{"X", std::string("secret\0", 7)},
        Header{"", "secret"}, Header{"X Y", "secret"}, Header{"X:", "secret"}}) {
    const auto head = compose_head(request_with({header}), 0);
    ASSERT_FALSE(head);
    EXPECT_THAT(head.error().message, ::testing::Not(::testing::HasSubstr("secret")));
  }
  Request request = request_with({});
  request.method = "POST /\r\n";
  EXPECT_FALSE(compose_head(request, 0));
  request = request_with({});
  request.url.target = "/ HTTP/1.1\r\nX: y";
  EXPECT_FALSE(compose_head(request, 0));
}

}  // namespace
}  // namespace helsekontakter::https
