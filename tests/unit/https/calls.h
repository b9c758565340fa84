#pragma once

#include "adapters/https/pooled_client.h"
#include "tests/support/http_server.h"

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

namespace helsekontakter::https {

using namespace std::chrono_literals;
using testing::HttpServer;
using testing::Peer;

/// Long enough never to be met by a test that goes well.
inline constexpr Milliseconds never{60'000};
/// Short enough to wait for.
inline constexpr Milliseconds soon{100};

inline Request post(const std::string& url, std::string body = "{}") {
  Request request;
  request.url = Url::parse(url).value();
  request.body = std::move(body);
  request.connect_timeout = never;
  request.timeout = never;
  return request;
}

inline std::unique_ptr<PooledClient> make_client(ClientSettings settings = {},
                                                 Lookup lookup = system_lookup) {
  auto client = PooledClient::create(std::move(settings), std::move(lookup));
  if (!client) throw std::runtime_error(client.error().message);
  return std::move(*client);
}

/// Every name is this machine.
inline Result<std::vector<std::string>> everything_is_here(const std::string&) {
  return std::vector<std::string>{"127.0.0.1"};
}

inline std::future<Answer> begin(Client& client, Request request) {
  auto promise = std::make_shared<std::promise<Answer>>();
  auto answer = promise->get_future();
  client.send(std::move(request), [promise](Answer a) { promise->set_value(std::move(a)); });
  return answer;
}

inline Answer call(Client& client, Request request) {
  return begin(client, std::move(request)).get();
}

/// The failure of an answer, printable; a success is one too, so that a test fails readably.
inline Failure failure_of(const Answer& answer) {
  if (answer) {
    ADD_FAILURE() << "an answer with status " << answer->status << " came";
    return {};
  }
  return answer.error();
}

}  // namespace helsekontakter::https
