#include "tests/unit/https/calls.h"

#include <atomic>
#include <latch>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::https {
namespace {

TEST(PooledClient, DeliversTheRequestAndItsAnswer) {
  testing::SeenRequest seen;
  HttpServer server([&](Peer& peer) {
    seen = peer.read_request().value();
    peer.answer(201, "made", "X-Made: yes\r\n");
  });
  const auto client = make_client();
  auto request = post(server.url() + "/path?query", "the body");
  request.headers = {{"Content-Type", "text/plain"}};
  const auto before = std::chrono::system_clock::now();
  const Answer answer = call(*client, std::move(request));
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->body, "made");
  EXPECT_EQ(answer->header("x-made"), "yes");
  EXPECT_GE(answer->written_at, before);
  EXPECT_LE(answer->written_at, std::chrono::system_clock::now());
  EXPECT_TRUE(seen.has("POST /path?query HTTP/1.1\r\n")) << seen.head;
  EXPECT_TRUE(seen.has("Content-Type: text/plain\r\n")) << seen.head;
  EXPECT_EQ(seen.body, "the body");
}

TEST(PooledClient, SendsALargeSharedBodyUnchanged) {
  HttpServer server(HttpServer::echo);
  const auto client = make_client();
  auto body = std::make_shared<std::string>(3'000'000, 'x');
  body->back() = 'y';
  auto request = post(server.url(), "not this one");
  request.shared_body = body;
  const Answer answer = call(*client, std::move(request));
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_TRUE(answer->body == *body);
}

TEST(PooledClient, KeepsAConnectionForTheNextRequest) {
  HttpServer server(HttpServer::echo);
  const auto client = make_client();
  for (const std::string body : {"first", "second", "third"}) {
    EXPECT_EQ(call(*client, post(server.url(), body)).value().body, body);
  }
  EXPECT_EQ(server.connections(), 1);
  EXPECT_EQ(client->counts().opened, 1);
  EXPECT_EQ(client->counts().reused, 2);
}

TEST(PooledClient, OpensAFreshConnectionWhenThePeerEndsEachOne) {
  HttpServer server([](Peer& peer) {
    if (peer.read_request()) peer.answer(200, "", "Connection: close\r\n");
  });
  const auto client = make_client();
  EXPECT_TRUE(call(*client, post(server.url())));
  EXPECT_TRUE(call(*client, post(server.url())));
  EXPECT_EQ(server.connections(), 2);
}

/// Closes after its first answer without having announced it; the test knows when.
TEST(PooledClient, NeverWritesOnAConnectionThatThePeerHasClosedMeanwhile) {
  std::promise<void> closed;
  std::atomic<int> requests = 0;
  HttpServer server([&](Peer& peer) {
    if (!peer.read_request()) return;
    const bool first = ++requests == 1;
    peer.answer(200, "");
    if (first) {
      peer.close_orderly();
      closed.set_value();
    } else {
      peer.wait_for_close();
    }
  });
  const auto client = make_client();
  EXPECT_TRUE(call(*client, post(server.url())));
  closed.get_future().wait();
  const Answer second = call(*client, post(server.url()));
  ASSERT_TRUE(second) << second.error().text;
  EXPECT_EQ(server.connections(), 2);
  EXPECT_EQ(requests, 2);
}

TEST(PooledClient, DoesNotTakeWhatAPeerSaysUnaskedForAnAnswer) {
  std::atomic<int> turn = 0;
  HttpServer server([&](Peer& peer) {
    if (!peer.read_request()) return;
    const std::string honest = "HTTP/1.1 200 -\r\nContent-Length: 0\r\n\r\n";
    const std::string unasked = "HTTP/1.1 500 -\r\nContent-Length: 0\r\n\r\n";
    peer.write(++turn == 1 ? honest + unasked : honest);
    peer.wait_for_close();
  });
  const auto client = make_client();
  EXPECT_EQ(call(*client, post(server.url())).value().status, 200);
  EXPECT_EQ(call(*client, post(server.url())).value().status, 200);
  EXPECT_EQ(server.connections(), 2);
}

TEST(PooledClient, ReadsAnAnswerInChunksAndInPieces) {
  HttpServer server([](Peer& peer) {
    if (!peer.read_request()) return;
    for (const auto* piece : {"HTTP/1.1 20", "0 -\r\nTransfer-Enc", "oding: chunked\r\n\r\n4\r\nab",
                              "cd\r\n2\r", "\nef\r\n0\r\n\r\n"}) {
      peer.write(piece);
    }
    peer.wait_for_close();
  });
  const auto client = make_client();
  EXPECT_EQ(call(*client, post(server.url())).value().body, "abcdef");
}

TEST(PooledClient, SkipsInterimAnswers) {
  HttpServer server([](Peer& peer) {
    if (!peer.read_request()) return;
    peer.write("HTTP/1.1 102 -\r\n\r\nHTTP/1.1 103 -\r\nLink: x\r\n\r\n");
    peer.answer(200, "final");
  });
  const auto client = make_client();
  EXPECT_EQ(call(*client, post(server.url())).value().body, "final");
}

TEST(PooledClient, AcceptsTheEndOfAConnectionAsTheEndOfAnAnswerWithoutLength) {
  HttpServer server([](Peer& peer) {
    if (!peer.read_request()) return;
    peer.write("HTTP/1.1 200 -\r\n\r\nall of it");
    peer.close_orderly();
  });
  const auto client = make_client();
  EXPECT_EQ(call(*client, post(server.url())).value().body, "all of it");
}

TEST(PooledClient, TakesAnAnswerThatComesBeforeTheBodyIsWritten) {
  HttpServer server([](Peer& peer) {
    if (!peer.read_head()) return;
    peer.answer(413, "too much", "Connection: close\r\n");
    peer.wait_for_close();
  });
  const auto client = make_client();
  const Answer answer = call(*client, post(server.url(), std::string(20'000'000, 'x')));
  ASSERT_TRUE(answer) << answer.error().text;
  EXPECT_EQ(answer->status, 413);
}

TEST(PooledClient, ReadsNoBodyAfterHead) {
  HttpServer server([](Peer& peer) {
    while (peer.read_request()) peer.write("HTTP/1.1 200 -\r\nContent-Length: 5\r\n\r\n");
  });
  const auto client = make_client();
  auto request = post(server.url(), "");
  request.method = "HEAD";
  EXPECT_EQ(call(*client, request).value().status, 200);
  EXPECT_EQ(call(*client, request).value().status, 200);
  EXPECT_EQ(server.connections(), 1);
}

TEST(PooledClient, RunsNoMoreRequestsAtATimeThanItMayOpenConnections) {
  std::atomic<int> now = 0;
  std::atomic<int> most = 0;
  std::latch two_at_once(2);
  HttpServer server([&](Peer& peer) {
    while (const auto request = peer.read_request()) {
      most = std::max(most.load(), ++now);
      if (request->body == "wait") two_at_once.arrive_and_wait();
      --now;
      peer.answer(200, request->body);
    }
  });
  const auto client = make_client({.connections_max = 2});
  std::vector<std::future<Answer>> answers;
  for (int i = 0; i < 2; ++i) answers.push_back(begin(*client, post(server.url(), "wait")));
  for (int i = 0; i < 50; ++i) answers.push_back(begin(*client, post(server.url(), "go")));
  for (auto& answer : answers) EXPECT_EQ(answer.get().value().status, 200);
  EXPECT_EQ(most, 2);
  EXPECT_EQ(server.connections(), 2);
}

TEST(PooledClient, GivesUpAnIdleConnectionForAnotherPeerWhenNoneIsLeft) {
  HttpServer one(HttpServer::echo);
  HttpServer other(HttpServer::echo);
  const auto client = make_client({.connections_max = 1});
  EXPECT_TRUE(call(*client, post(one.url())));
  EXPECT_TRUE(call(*client, post(other.url())));
  EXPECT_TRUE(call(*client, post(one.url())));
  EXPECT_EQ(one.connections(), 2);
}

TEST(PooledClient, ClosesAConnectionThatWasIdleForLong) {
  std::promise<void> closed;
  HttpServer server([&](Peer& peer) {
    HttpServer::echo(peer);
    closed.set_value();
  });
  const auto client = make_client({.idle_max = soon});
  EXPECT_TRUE(call(*client, post(server.url())));
  EXPECT_EQ(closed.get_future().wait_for(never), std::future_status::ready);
}

TEST(PooledClient, TriesTheNextAddressWhenOneRefuses) {
  HttpServer server(HttpServer::echo);
  const auto client = make_client({}, [](const std::string&) {
    return Result<std::vector<std::string>>(std::vector<std::string>{"::1", "127.0.0.1"});
  });
  EXPECT_TRUE(call(*client, post(server.url("localhost"))));
}

TEST(PooledClient, TriesTheNextAddressWhenOneIsDeaf) {
  // The same port twice would be the same listener: the deaf address differs by its last byte.
  HttpServer server(HttpServer::echo);
  const testing::DeafPort deaf("127.0.0.2", server.port());
  const auto client = make_client({}, [](const std::string&) {
    return Result<std::vector<std::string>>(std::vector<std::string>{"127.0.0.2", "127.0.0.1"});
  });
  auto request = post(server.url("localhost"));
  request.connect_timeout = Milliseconds(3'000);  // half of it is the deaf one's
  const Answer answer = call(*client, request);
  EXPECT_TRUE(answer) << answer.error().text;
}

TEST(PooledClient, AsksOneQuestionForAllThatWaitForAName) {
  HttpServer server(HttpServer::echo);
  std::promise<void> may_answer;
  const auto go = may_answer.get_future().share();
  const auto questions = std::make_shared<std::atomic<int>>(0);
  const auto client = make_client({}, [=](const std::string& host) {
    ++*questions;
    go.wait();
    return everything_is_here(host);
  });
  auto first = begin(*client, post(server.url("localhost")));
  auto second = begin(*client, post(server.url("localhost")));
  // A third, to another place, ends after both are waiting: the client's thread takes them in turn.
  EXPECT_TRUE(call(*client, post(server.url())));
  may_answer.set_value();
  EXPECT_TRUE(first.get());
  EXPECT_TRUE(second.get());
  EXPECT_EQ(*questions, 1);
}

TEST(PooledClient, IsNotMadeWithACaFileOrProxyThatCannotBeUsed) {
  const auto no_file = PooledClient::create({.ca_file = "/does/not/exist.pem"});
  ASSERT_FALSE(no_file);
  EXPECT_THAT(no_file.error().message, ::testing::HasSubstr("api.ca_file"));
  for (const auto* proxy : {"", "proxy:3128", "https://proxy:3128", "http://proxy",
                            "http://user:secret@proxy:3128", "http://proxy:3128/path"}) {
    const auto client = PooledClient::create({.proxy = proxy});
    ASSERT_FALSE(client) << proxy;
    EXPECT_THAT(client.error().message, ::testing::HasSubstr("api.proxy"));
    EXPECT_THAT(client.error().message, ::testing::Not(::testing::HasSubstr("secret")));
  }
  EXPECT_TRUE(PooledClient::create({.proxy = "http://proxy.test:3128/"}));
}

}  // namespace
}  // namespace helsekontakter::https
