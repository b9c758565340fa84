#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <proton/message.hpp>

// The other side of the worker's queues: plain Proton programs that send, receive and ask.

namespace helsekontakter::amqp::test {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// The broker under test, as tests/run.sh passes it: HELSEKONTAKTER_TEST_AMQP (host:port),
/// HELSEKONTAKTER_TEST_AMQPS, HELSEKONTAKTER_TEST_AMQP_TLS (folder of certificates) and
/// HELSEKONTAKTER_TEST_AMQP_KIND (rabbitmq or artemis).
struct Broker {
  std::string host_and_port;
  std::string tls_host_and_port;
  std::string tls_folder;
  bool is_rabbitmq = true;

  [[nodiscard]] static Broker from_environment();
  [[nodiscard]] std::string url() const { return "amqp://" + host_and_port; }
  /// A queue's address in the broker's own notation.
  [[nodiscard]] std::string address(const std::string& queue) const;
};

/// A name nobody else has.
[[nodiscard]] std::string unique_name(const std::string& stem);

[[nodiscard]] proton::message data_message(const std::string& body);

/// Sends all and waits until each is accepted; false when that takes longer than a minute.
[[nodiscard]] bool send(const Broker& broker, const std::string& address,
                        const std::vector<proton::message>& messages);

/// Takes what comes (and accepts it) until there are `count`, or nothing came for `quiet`.
[[nodiscard]] std::vector<proton::message> receive(const Broker& broker, const std::string& address,
                                                   std::size_t count, Clock::duration quiet = 3s);

/// The body of a Data section; a failure of the test when it is something else.
[[nodiscard]] std::string body_of(const proton::message& message);
[[nodiscard]] std::map<std::string, std::string> properties_of(const proton::message& message);

/// rabbitmqctl on the broker under test; what it prints.
std::string rabbitmqctl(const std::string& arguments);
/// tests/support/rabbitmq.sh on it: restart, kill.
std::string rabbitmq(const std::string& verb, const std::string& arguments = {});

}  // namespace helsekontakter::amqp::test
