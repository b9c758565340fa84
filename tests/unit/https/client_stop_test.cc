#include "tests/unit/https/calls.h"

#include <thread>

#include <gtest/gtest.h>

namespace helsekontakter::https {
namespace {

using Phase = Failure::Phase;
using std::chrono::steady_clock;

TEST(StoppingClient, LetsAWrittenRequestEnd) {
  std::promise<void> seen;
  std::promise<void> may_answer;
  HttpServer server([&](Peer& peer) {
    if (!peer.read_request()) return;
    seen.set_value();
    may_answer.get_future().wait();
    peer.answer(200, "in time");
  });
  const auto client = make_client();
  auto written = begin(*client, post(server.url()));
  seen.get_future().wait();
  std::thread stopper([&] { client->stop(steady_clock::now() + never); });
  // Only the stop can end this one; so it is under way when this one comes back.
  const testing::DeafPort deaf;
  const auto unwritten = call(*client, post("http://127.0.0.1:" + std::to_string(deaf.port())));
  EXPECT_EQ(failure_of(unwritten).phase, Phase::stopped);
  may_answer.set_value();
  EXPECT_EQ(written.get().value().body, "in time");
  stopper.join();
}

TEST(StoppingClient, CutsAWrittenRequestAtTheDeadlineAndSaysThatItMayBeExecuted) {
  std::promise<void> seen;
  HttpServer server([&](Peer& peer) {
    if (!peer.read_request()) return;
    seen.set_value();
    peer.wait_for_close();
  });
  const auto client = make_client();
  auto written = begin(*client, post(server.url()));
  seen.get_future().wait();
  client->stop(steady_clock::now() + soon);
  const Failure failure = failure_of(written.get());
  EXPECT_EQ(failure.phase, Phase::stopped);
  EXPECT_TRUE(failure.may_be_executed);
  EXPECT_TRUE(failure.written_at);
}

TEST(StoppingClient, EndsWhatWaitsAndWhatConnectsAtOnce) {
  std::promise<void> accepted;
  HttpServer server([&](Peer& peer) {
    accepted.set_value();
    peer.wait_for_close();
  });
  const auto client = make_client({.connections_max = 1});
  auto securing = begin(*client, post("https://127.0.0.1:" + std::to_string(server.port())));
  auto waiting = begin(*client, post(server.url()));
  accepted.get_future().wait();
  client->stop(steady_clock::now() + never);
  for (auto* answer : {&securing, &waiting}) {
    const Failure failure = failure_of(answer->get());
    EXPECT_EQ(failure.phase, Phase::stopped);
    EXPECT_FALSE(failure.may_be_executed);
  }
}

TEST(StoppingClient, AnswersWhatComesAfterwards) {
  HttpServer server(HttpServer::echo);
  const auto client = make_client();
  EXPECT_TRUE(call(*client, post(server.url())));
  client->stop(steady_clock::now());
  EXPECT_EQ(failure_of(call(*client, post(server.url()))).phase, Phase::stopped);
  client->stop(steady_clock::now());
}

TEST(StoppingClient, AnswersEachOfManyRequestsExactlyOnce) {
  HttpServer server(HttpServer::echo);
  std::atomic<int> answers = 0;
  constexpr int requests = 400;
  {
    const auto client = make_client({.connections_max = 4});
    std::thread sender([&] {
      for (int i = 0; i < requests; ++i) {
        client->send(post(server.url()), [&](const Answer&) { ++answers; });
      }
    });
    client->stop(steady_clock::now() + never);
    sender.join();
  }
  EXPECT_EQ(answers, requests);
}

TEST(Client, MayBeAskedForMoreFromACallback) {
  HttpServer server(HttpServer::echo);
  const auto client = make_client({.connections_max = 1});
  std::promise<Answer> second;
  client->send(post(server.url(), "first"), [&](const Answer& first) {
    EXPECT_TRUE(first);
    client->send(post(server.url(), "second"),
                 [&](Answer answer) { second.set_value(std::move(answer)); });
  });
  EXPECT_EQ(second.get_future().get().value().body, "second");
}

}  // namespace
}  // namespace helsekontakter::https
