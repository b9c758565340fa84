#include "tests/unit/https/calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::https {
namespace {

using testing::Certificate;
using testing::CertificateWish;
using ::testing::HasSubstr;
using Phase = Failure::Phase;

const Certificate& authority() {
  static const Certificate made = testing::make_authority("the test authority");
  return made;
}

const testing::TemporaryFile& authority_file() {
  static const testing::TemporaryFile file(authority().pem());
  return file;
}

HttpServer::Tls with(const CertificateWish& wish) {
  return {.certificate = issue(authority(), wish)};
}

std::unique_ptr<PooledClient> trusting_client(Lookup lookup = everything_is_here) {
  return make_client({.ca_file = authority_file().path()}, std::move(lookup));
}

TEST(TlsClient, TrustsACertificateOfTheCaFileForTheNameItAsksFor) {
  HttpServer server(HttpServer::echo, with({.dns_names = {"api.test"}}));
  const auto client = trusting_client();
  const Answer answer = call(*client, post(server.url("api.test"), std::string(300'000, 'x')));
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(answer->body.size(), 300'000);
  EXPECT_TRUE(call(*client, post(server.url("api.test"))));
  EXPECT_EQ(server.connections(), 1);
}

TEST(TlsClient, VerifiesAnAddressAgainstTheAddressesOfTheCertificate) {
  HttpServer server(HttpServer::echo, with({.addresses = {"127.0.0.1"}}));
  const auto client = trusting_client();
  EXPECT_TRUE(call(*client, post(server.url("127.0.0.1"))));
}

struct Distrusted {
  std::string name;
  std::string host;
  CertificateWish wish;
  bool known_authority;
  int version_max;
  std::string text;
  std::string advice;
};

class TlsIsRefused : public ::testing::TestWithParam<Distrusted> {};

TEST_P(TlsIsRefused, BeforeAnythingIsWrittenAndSaysWhy) {
  const Distrusted& row = GetParam();
  const Certificate stranger = testing::make_authority("a stranger");
  bool reached = false;
  HttpServer server([&](Peer& peer) { reached = peer.read_request().has_value(); },
                    HttpServer::Tls{issue(row.known_authority ? authority() : stranger, row.wish),
                                    row.version_max});
  const auto client = trusting_client();
  const Failure failure = failure_of(call(*client, post(server.url(row.host))));
  EXPECT_EQ(failure.phase, Phase::tls);
  EXPECT_FALSE(failure.may_be_executed);
  EXPECT_THAT(failure.text, HasSubstr(row.host));
  EXPECT_THAT(failure.text, HasSubstr(row.text));
  EXPECT_THAT(failure.text, HasSubstr(row.advice));
  client->stop(std::chrono::steady_clock::now());
  EXPECT_FALSE(reached);
}

using std::chrono::hours;
INSTANTIATE_TEST_SUITE_P(
    Table, TlsIsRefused,
    ::testing::Values(
        Distrusted{"expired",
                   "api.test",
                   {.dns_names = {"api.test"}, .begins = hours(-48), .ends = hours(-24)},
                   true,
                   0,
                   "certificate has expired",
                   "clock"},
        Distrusted{"not_yet_valid",
                   "api.test",
                   {.dns_names = {"api.test"}, .begins = hours(24), .ends = hours(48)},
                   true,
                   0,
                   "not yet valid",
                   "clock"},
        Distrusted{"wrong_name",
                   "api.test",
                   {.dns_names = {"other.test"}},
                   true,
                   0,
                   "hostname mismatch",
                   "check the URL"},
        Distrusted{"wrong_address",
                   "127.0.0.1",
                   {.addresses = {"127.0.0.2"}},
                   true,
                   0,
                   "IP address mismatch",
                   "check the URL"},
        Distrusted{"unknown_authority",
                   "api.test",
                   {.dns_names = {"api.test"}},
                   false,
                   0,
                   "unable to get local issuer certificate",
                   "api.ca_file"},
        Distrusted{"tls_1_1",
                   "api.test",
                   {.dns_names = {"api.test"}},
                   true,
                   TLS1_1_VERSION,
                   "handshake",
                   "TLS 1.2 or later"}),
    [](const auto& row) { return row.param.name; });

TEST(TlsClient, TellsAPeerThatSpeaksNoTls) {
  HttpServer server([](Peer& peer) { peer.write("220 mail.test ESMTP\r\n"); });
  const auto client = trusting_client();
  const Failure failure =
      failure_of(call(*client, post("https://api.test:" + std::to_string(server.port()))));
  EXPECT_EQ(failure.phase, Phase::tls);
  EXPECT_THAT(failure.text, HasSubstr("must speak TLS"));
}

class TlsVersion : public ::testing::TestWithParam<int> {};

TEST_P(TlsVersion, ResumesItsSessionOnTheNextConnection) {
  HttpServer server(
      [](Peer& peer) {
        if (peer.read_request()) peer.answer(200, "", "Connection: close\r\n");
      },
      HttpServer::Tls{issue(authority(), {.dns_names = {"api.test"}}), GetParam()});
  const auto client = trusting_client();
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(call(*client, post(server.url("api.test"))));
  EXPECT_EQ(client->counts().opened, 4);
  EXPECT_EQ(client->counts().sessions_resumed, 3);
}

INSTANTIATE_TEST_SUITE_P(Table, TlsVersion, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

TEST(TlsClient, DoesNotTakeACutConnectionForTheEndOfAnAnswerWithoutLength) {
  HttpServer server(
      [](Peer& peer) {
        if (peer.read_request()) peer.write("HTTP/1.1 200 -\r\n\r\npart of it");
      },
      with({.dns_names = {"api.test"}}));
  const auto client = trusting_client();
  const Failure failure = failure_of(call(*client, post(server.url("api.test"))));
  EXPECT_EQ(failure.phase, Phase::read);
  EXPECT_TRUE(failure.may_be_executed);
}

TEST(TlsClient, AcceptsAnOrderlyEndAsTheEndOfAnAnswerWithoutLength) {
  HttpServer server(
      [](Peer& peer) {
        if (!peer.read_request()) return;
        peer.write("HTTP/1.1 200 -\r\n\r\nall of it");
        peer.close_orderly();
      },
      with({.dns_names = {"api.test"}}));
  const auto client = trusting_client();
  EXPECT_EQ(call(*client, post(server.url("api.test"))).value().body, "all of it");
}

TEST(TlsClient, ReplacesAKeptConnectionThatThePeerHasClosed) {
  std::promise<void> closed;
  std::atomic<int> turn = 0;
  HttpServer server(
      [&](Peer& peer) {
        if (!peer.read_request()) return;
        peer.answer(200, "");
        if (++turn > 1) return peer.wait_for_close();
        peer.close_orderly();
        closed.set_value();
      },
      with({.dns_names = {"api.test"}}));
  const auto client = trusting_client();
  EXPECT_TRUE(call(*client, post(server.url("api.test"))));
  closed.get_future().wait();
  EXPECT_TRUE(call(*client, post(server.url("api.test"))));
  EXPECT_EQ(server.connections(), 2);
}

/// A proxy that opens a way to `port` whatever it is asked for.
HttpServer::Script tunnel(std::uint16_t port, std::string& asked) {
  return [port, &asked](Peer& peer) {
    const auto request = peer.read_head();
    if (!request) return;
    asked = request->head;
    peer.write("HTTP/1.1 200 Connection established\r\n\r\n");
    peer.relay_to(port);
  };
}

TEST(Proxy, CarriesTheTlsOfTheClientToThePeer) {
  HttpServer server(HttpServer::echo, with({.dns_names = {"api.test"}}));
  std::string asked;
  HttpServer proxy(tunnel(server.port(), asked));
  const auto client = make_client(
      {.ca_file = authority_file().path(), .proxy = proxy.url("proxy.test")}, everything_is_here);
  const Answer answer = call(*client, post("https://api.test", "through"));
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(answer->body, "through");
  EXPECT_TRUE(call(*client, post("https://api.test")));
  EXPECT_EQ(proxy.connections(), 1);
  EXPECT_THAT(asked, HasSubstr("CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n"));
}

TEST(Proxy, IsNotAskedForALoopbackPeerWithoutTls) {
  HttpServer server(HttpServer::echo);
  HttpServer proxy([](Peer&) {});
  const auto client = make_client({.proxy = proxy.url()});
  EXPECT_TRUE(call(*client, post(server.url())));
  EXPECT_EQ(proxy.connections(), 0);
}

struct BadProxy {
  std::string name;
  HttpServer::Script script;
  std::string text;
  Milliseconds connect_timeout = never;  ///< met only where it is what the row is about
};

class ProxyFails : public ::testing::TestWithParam<BadProxy> {};

TEST_P(ProxyFails, BeforeAnythingIsWrittenAndIsNamed) {
  HttpServer proxy(GetParam().script);
  const auto client = make_client({.proxy = proxy.url()}, everything_is_here);
  auto request = post("https://api.test");
  request.connect_timeout = GetParam().connect_timeout;
  const Failure failure = failure_of(call(*client, request));
  EXPECT_EQ(failure.phase, Phase::proxy) << failure.text;
  EXPECT_FALSE(failure.may_be_executed);
  EXPECT_THAT(failure.text, HasSubstr(GetParam().text));
  EXPECT_THAT(failure.text, HasSubstr("api.proxy"));
}

INSTANTIATE_TEST_SUITE_P(
    Table, ProxyFails,
    ::testing::Values(BadProxy{"refuses",
                               [](Peer& p) {
                                 if (p.read_head()) p.answer(403, "no");
                               },
                               "status 403"},
                      BadProxy{"wants_a_password",
                               [](Peer& p) {
                                 if (p.read_head()) p.answer(407, "");
                               },
                               "status 407"},
                      BadProxy{"never_answers", [](Peer& p) { p.wait_for_close(); },
                               "api.connect_timeout_s", Milliseconds(1'000)},
                      BadProxy{"closes", [](Peer& p) { EXPECT_TRUE(p.read_head()); }, "no answer"},
                      BadProxy{"speaks_something_else",
                               [](Peer& p) {
                                 if (p.read_head()) p.write("220 mail.test ESMTP\r\n\r\n");
                               },
                               "no HTTP"}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace helsekontakter::https
