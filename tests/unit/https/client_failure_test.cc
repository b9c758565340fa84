#include "tests/unit/https/calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::https {
namespace {

using ::testing::HasSubstr;
using Phase = Failure::Phase;

void expect_unwritten(const Failure& failure, Phase phase, const std::string& text) {
  EXPECT_EQ(failure.phase, phase) << failure.text;
  EXPECT_FALSE(failure.may_be_executed);
  EXPECT_FALSE(failure.written_at);
  EXPECT_THAT(failure.text, HasSubstr(text));
}

void expect_maybe_executed(const Failure& failure, Phase phase, const std::string& text) {
  EXPECT_EQ(failure.phase, phase) << failure.text;
  EXPECT_TRUE(failure.may_be_executed);
  EXPECT_TRUE(failure.written_at);
  EXPECT_THAT(failure.text, HasSubstr(text));
}

TEST(FailedRequest, SaysThatTheNameWasNotFound) {
  const auto client = make_client({}, [](const std::string&) {
    return Result<std::vector<std::string>>(fail(Remedy::retry, "no such name"));
  });
  expect_unwritten(failure_of(call(*client, post("https://api.test"))), Phase::resolve,
                   "api.test was not found (no such name)");
}

TEST(FailedRequest, SaysThatTheNameHasNoAddress) {
  const auto client = make_client({}, [](const std::string&) {
    return Result<std::vector<std::string>>(std::vector<std::string>{});
  });
  expect_unwritten(failure_of(call(*client, post("https://api.test"))), Phase::resolve,
                   "no address");
}

TEST(FailedRequest, DoesNotWaitLongerForANameThanForAConnection) {
  std::promise<void> end;
  const auto client = make_client({}, [go = end.get_future().share()](const std::string& host) {
    go.wait();
    return everything_is_here(host);
  });
  auto request = post("https://api.test");
  request.connect_timeout = soon;
  expect_unwritten(failure_of(call(*client, request)), Phase::resolve, "api.connect_timeout_s");
  client->stop(std::chrono::steady_clock::now());  // does not wait for the look-up either
  end.set_value();
}

TEST(FailedRequest, SaysThatNobodyListens) {
  std::string url;
  { url = HttpServer(HttpServer::echo).url(); }
  const auto client = make_client();
  expect_unwritten(failure_of(call(*client, post(url))), Phase::connect, "Connection refused");
}

TEST(FailedRequest, SaysThatThePeerTookNoConnection) {
  const testing::DeafPort deaf;
  const auto client = make_client();
  auto request = post("http://127.0.0.1:" + std::to_string(deaf.port()));
  request.connect_timeout = soon;
  expect_unwritten(failure_of(call(*client, request)), Phase::connect, "took no connection within");
}

TEST(FailedRequest, SaysThatNoConnectionBecameFree) {
  HttpServer server([](Peer& peer) { peer.wait_for_close(); });
  const auto client = make_client({.connections_max = 1});
  auto holder = begin(*client, post(server.url()));
  auto request = post(server.url());
  request.connect_timeout = soon;
  expect_unwritten(failure_of(call(*client, request)), Phase::connect, "in use");
  client->stop(std::chrono::steady_clock::now());
  EXPECT_FALSE(holder.get());
}

TEST(FailedRequest, EndsWhenThePeerNeverFinishesTheHandshake) {
  HttpServer server([](Peer& peer) { peer.wait_for_close(); });
  const auto client = make_client();
  auto request = post("https://127.0.0.1:" + std::to_string(server.port()));
  request.connect_timeout = soon;
  expect_unwritten(failure_of(call(*client, request)), Phase::tls, "TLS handshake within");
}

TEST(FailedRequest, IsWithheldWhenItMayNotBeWrittenAndTheConnectionIsKept) {
  std::atomic<int> requests = 0;
  HttpServer server([&](Peer& peer) {
    while (peer.read_request()) {
      ++requests;
      peer.answer(200, "");
    }
  });
  const auto client = make_client();
  auto request = post(server.url());
  request.may_write = [] { return false; };
  expect_unwritten(failure_of(call(*client, request)), Phase::withheld, "withheld");
  int asked = 0;
  request.may_write = [&] { return ++asked == 1; };
  EXPECT_TRUE(call(*client, request));
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(requests, 1);
  EXPECT_EQ(server.connections(), 1);
}

TEST(FailedRequest, IsNotBegunWithAHeaderThatBreaksItsLine) {
  HttpServer server(HttpServer::echo);
  const auto client = make_client();
  auto request = post(server.url());
  request.headers = {{"X-Bad", "a\r\nb"}};
  expect_unwritten(failure_of(call(*client, request)), Phase::write, "X-Bad");
}

struct Trouble {
  std::string name;
  HttpServer::Script script;
  Phase phase;
  std::string text;
  Milliseconds timeout = never;  ///< met only where it is what the row is about
};

class MaybeExecuted : public ::testing::TestWithParam<Trouble> {};

TEST_P(MaybeExecuted, WhateverHappensOnceTheRequestIsWritten) {
  HttpServer server(GetParam().script);
  const auto client = make_client();
  auto request = post(server.url());
  request.timeout = GetParam().timeout;
  request.answer_bytes_max = 1000;
  expect_maybe_executed(failure_of(call(*client, request)), GetParam().phase, GetParam().text);
  EXPECT_EQ(server.connections(), 1) << "it was sent again";
}

INSTANTIATE_TEST_SUITE_P(
    Table, MaybeExecuted,
    ::testing::Values(
        Trouble{"never_answers",
                [](Peer& p) {
                  if (p.read_request()) p.wait_for_close();
                },
                Phase::read, "api.request_timeout_s", soon},
        Trouble{"stops_within_the_headers",
                [](Peer& p) {
                  if (!p.read_request()) return;
                  p.write("HTTP/1.1 200 -\r\nConte");
                  p.wait_for_close();
                },
                Phase::read, "no whole answer", soon},
        Trouble{"stops_within_the_body",
                [](Peer& p) {
                  if (!p.read_request()) return;
                  p.write("HTTP/1.1 200 -\r\nContent-Length: 10\r\n\r\n12345");
                  p.wait_for_close();
                },
                Phase::read, "no whole answer", soon},
        Trouble{"closes_without_an_answer", [](Peer& p) { EXPECT_TRUE(p.read_request()); },
                Phase::read, "without an answer"},
        Trouble{"resets",
                [](Peer& p) {
                  EXPECT_TRUE(p.read_request());
                  p.abort();
                },
                Phase::read, "without an answer"},
        Trouble{"cuts_within_the_headers",
                [](Peer& p) {
                  if (p.read_request()) p.write("HTTP/1.1 200 -\r\nConte");
                },
                Phase::read, "in the middle of its answer"},
        Trouble{"cuts_within_the_body",
                [](Peer& p) {
                  if (p.read_request()) {
                    p.write("HTTP/1.1 200 -\r\nContent-Length: 10\r\n\r\n12345");
                  }
                },
                Phase::read, "in the middle of its answer"},
        Trouble{"cuts_within_the_chunks",
                [](Peer& p) {
                  if (p.read_request()) {
                    p.write("HTTP/1.1 200 -\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n");
                  }
                },
                Phase::read, "in the middle of its answer"},
        Trouble{"announces_too_large_an_answer",
                [](Peer& p) {
                  if (p.read_request()) p.answer(200, std::string(1001, 'x'));
                },
                Phase::read, "too large"},
        Trouble{"chunks_too_large_an_answer",
                [](Peer& p) {
                  if (!p.read_request()) return;
                  p.write("HTTP/1.1 200 -\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" +
                          std::string(1001, 'x'));
                  p.wait_for_close();
                },
                Phase::read, "too large"},
        Trouble{"sends_endless_headers",
                [](Peer& p) {
                  if (!p.read_request()) return;
                  p.write("HTTP/1.1 200 -\r\n");
                  for (int i = 0; i < 100; ++i) p.write("X: " + std::string(1000, 'x') + "\r\n");
                  p.wait_for_close();
                },
                Phase::read, "too large"},
        Trouble{"answers_no_http",
                [](Peer& p) {
                  if (p.read_request()) p.write("220 mail.test ESMTP\r\n");
                },
                Phase::read, "no valid HTTP"}),
    [](const auto& row) { return row.param.name; });

TEST(MaybeExecutedRequest, IsNotSentAgainWhenAKeptConnectionBreaksAfterTheWrite) {
  std::atomic<int> requests = 0;
  HttpServer server([&](Peer& peer) {
    while (peer.read_request()) {
      if (++requests == 2) return;
      peer.answer(200, "");
    }
  });
  const auto client = make_client();
  EXPECT_TRUE(call(*client, post(server.url())));
  expect_maybe_executed(failure_of(call(*client, post(server.url()))), Phase::read,
                        "without an answer");
  EXPECT_EQ(requests, 2);
  EXPECT_EQ(server.connections(), 1);
}

TEST(MaybeExecutedRequest, IsOneWhoseBodyThePeerNeverTakes) {
  HttpServer server([](Peer& peer) {
    if (peer.read_head()) peer.ignore_until_close();
  });
  const auto client = make_client();
  auto request = post(server.url(), std::string(50'000'000, 'x'));
  request.timeout = soon;
  const Failure failure = failure_of(call(*client, std::move(request)));
  EXPECT_EQ(failure.phase, Phase::write) << failure.text;
  EXPECT_TRUE(failure.may_be_executed);
}

}  // namespace
}  // namespace helsekontakter::https
