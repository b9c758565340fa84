// Prints what a request of 100 entries costs the client's thread: https_cost [requests]

#include "tests/unit/https/calls.h"

#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace helsekontakter::https {
namespace {

double thread_cpu_us() {
  timespec at{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
  return static_cast<double>(at.tv_sec) * 1e6 + static_cast<double>(at.tv_nsec) / 1e3;
}

/// Reads requests and answers 100 entries of about 60 bytes.
void serve(Peer& peer) {
  static const std::string answer(6000, 'a');
  while (peer.read_request()) peer.answer(200, answer);
}

/// Keeps four requests in flight; returns the CPU of the client's thread for each, in µs.
double measure(PooledClient& client, const std::string& url, int requests) {
  const auto body = std::make_shared<const std::string>(100 * 450, 'x');
  std::promise<double> finished;
  int sent = 0;
  int done = 0;
  double begun = 0;
  std::function<void()> next = [&] {
    auto request = post(url, "");
    request.shared_body = body;
    ++sent;
    client.send(std::move(request), [&](const Answer& answer) {
      if (!answer) std::printf("failed: %s\n", answer.error().text.c_str());
      if (done == 0) begun = thread_cpu_us();
      if (++done == requests) finished.set_value((thread_cpu_us() - begun) / (requests - 1));
      if (sent < requests) next();
    });
  };
  // From one callback, so that the counters are touched by the client's thread only.
  client.send(post(url), [&](const Answer&) {
    for (int i = 0; i < 4; ++i) next();
  });
  return finished.get_future().get();
}

void report(int requests) {
  const auto authority = testing::make_authority("cost");
  const testing::TemporaryFile trusted(authority.pem());
  const HttpServer plain(serve);
  const HttpServer tls(serve, HttpServer::Tls{issue(authority, {})});
  const auto client = make_client({.ca_file = trusted.path()});
  std::printf("CPU of the client's thread for each request of 45,000 bytes:\n");
  std::printf("plain %.1f us\n", measure(*client, plain.url(), requests));
  std::printf("TLS   %.1f us\n", measure(*client, tls.url(), requests));
}

}  // namespace
}  // namespace helsekontakter::https

int main(int argc, char** argv) {
  helsekontakter::https::report(argc > 1 ? std::atoi(argv[1]) : 5000);
  return 0;
}
