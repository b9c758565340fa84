#include "adapters/operations/operations_server.h"
#include "tests/unit/https/calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::operations {
namespace {

using https::begin;
using https::call;
using https::make_client;

Pages pages() {
  Pages out;
  out.live = [] { return Page{200, "live\n"}; };
  out.ready = [] { return Page{503, "ledger not restored\n"}; };
  out.metrics = [] { return Page{200, "up 1\n", "text/plain; version=0.0.4"}; };
  return out;
}

std::unique_ptr<OperationsServer> serve(ServerSettings settings = {}) {
  settings.host = "127.0.0.1";
  settings.port = 0;
  auto server = OperationsServer::start(settings, pages());
  if (!server) throw std::runtime_error(server.error().message);
  return std::move(*server);
}

https::Request ask(const OperationsServer& server, const std::string& path,
                   const std::string& method = "GET") {
  auto request = https::post("http://127.0.0.1:" + std::to_string(server.port()) + path, "");
  request.method = method;
  return request;
}

struct Question {
  std::string method;
  std::string path;
  int status;
  std::string body;
};

class OperationsPage : public ::testing::TestWithParam<Question> {};

TEST_P(OperationsPage, IsServed) {
  const auto server = serve();
  const auto client = make_client();
  const auto answer = call(*client, ask(*server, GetParam().path, GetParam().method));
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(answer->status, GetParam().status);
  EXPECT_EQ(answer->body, GetParam().body);
}

INSTANTIATE_TEST_SUITE_P(
    Table, OperationsPage,
    ::testing::Values(Question{"GET", "/live", 200, "live\n"},
                      Question{"GET", "/live?verbose", 200, "live\n"},
                      Question{"GET", "/ready", 503, "ledger not restored\n"},
                      Question{"GET", "/metrics", 200, "up 1\n"},
                      Question{"HEAD", "/live", 200, ""},
                      Question{"POST", "/live", 405, "only GET and HEAD are allowed\n"},
                      Question{"GET", "/", 404, "/live, /ready and /metrics are here\n"},
                      Question{"DELETE", "/x", 404, "/live, /ready and /metrics are here\n"}));

TEST(OperationsServer, KeepsAConnectionAndTellsTheContentType) {
  const auto server = serve();
  const auto client = make_client();
  EXPECT_EQ(call(*client, ask(*server, "/metrics")).value().header("Content-Type"),
            "text/plain; version=0.0.4");
  EXPECT_EQ(call(*client, ask(*server, "/metrics")).value().status, 200);
  EXPECT_EQ(client->counts().opened, 1);
}

TEST(OperationsServer, CutsARequestThatIsTooLargeOrHasABody) {
  const auto server = serve();
  const auto client = make_client();
  auto large = ask(*server, "/live");
  large.headers = {{"X", std::string(20'000, 'x')}};
  EXPECT_FALSE(call(*client, large));
  auto with_body = ask(*server, "/live", "POST");
  with_body.body = "body";
  EXPECT_FALSE(call(*client, with_body));
}

TEST(OperationsServer, CutsTheOldestConnectionForOneTooMany) {
  const auto server = serve({.connections_max = 2});
  const auto client = make_client();
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(call(*make_client(), ask(*server, "/live")));
  const auto other = make_client();
  const auto third = make_client();
  EXPECT_TRUE(call(*client, ask(*server, "/live")));
  EXPECT_TRUE(call(*other, ask(*server, "/live")));
  EXPECT_TRUE(call(*third, ask(*server, "/live")));
  EXPECT_TRUE(call(*client, ask(*server, "/live")));
}

TEST(OperationsServer, CutsAConnectionThatStaysSilent) {
  const auto server = serve({.idle_max = https::soon});
  const auto client = make_client();
  const auto answer =
      call(*client, https::post("https://127.0.0.1:" + std::to_string(server->port())));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().phase, https::Failure::Phase::tls);
}

TEST(OperationsServer, SaysThatAnAddressCannotBeHad) {
  const auto first = serve();
  const auto second =
      OperationsServer::start({.host = "127.0.0.1", .port = first->port()}, pages());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().remedy, Remedy::stop);
  EXPECT_THAT(second.error().message, ::testing::HasSubstr("operations.listen"));
  EXPECT_FALSE(OperationsServer::start({.host = "no address"}, pages()));
}

}  // namespace
}  // namespace helsekontakter::operations
