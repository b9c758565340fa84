#include "tests/integration/amqp/broker.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include <gtest/gtest.h>
#include <proton/binary.hpp>
#include <proton/codec/map.hpp>
#include <proton/connection.hpp>
#include <proton/connection_options.hpp>
#include <proton/container.hpp>
#include <proton/delivery.hpp>
#include <proton/duration.hpp>
#include <proton/messaging_handler.hpp>
#include <proton/receiver_options.hpp>
#include <proton/sender.hpp>
#include <proton/sender_options.hpp>
#include <proton/session.hpp>
#include <proton/source.hpp>
#include <proton/source_options.hpp>
#include <proton/symbol.hpp>
#include <proton/target.hpp>
#include <proton/target_options.hpp>
#include <proton/tracker.hpp>
#include <proton/transport.hpp>
#include <proton/value.hpp>
#include <proton/work_queue.hpp>
#include <unistd.h>

namespace helsekontakter::amqp::test {
namespace {

proton::connection_options as_worker() {
  proton::connection_options options;
  options.user("worker").password("secret").sasl_allowed_mechs("PLAIN").sasl_allow_insecure_mechs(
      true);
  return options;
}

class Sending : public proton::messaging_handler {
 public:
  Sending(const Broker& broker, std::string address, const std::vector<proton::message>& messages)
      : broker_(broker), address_(std::move(address)), messages_(messages) {}
  [[nodiscard]] bool done() const { return accepted_ == messages_.size(); }

 private:
  void on_container_start(proton::container& container) override {
    container_ = &container;
    container.connect(broker_.url(), as_worker());
    look();
  }
  /// A container ends when no timer is left, so there are short ones only.
  void look() {
    if (closed_) return;
    if (Clock::now() > deadline_) {
      container_->stop();
    } else {
      container_->schedule(proton::duration(20), [this] { look(); });
    }
  }
  void on_connection_open(proton::connection& connection) override {
    proton::target_options target;
    target.capabilities({proton::symbol("queue")}).durability_mode(proton::target::UNSETTLED_STATE);
    connection.open_sender(address_, proton::sender_options().target(target));
  }
  void on_sendable(proton::sender& sender) override {
    for (; next_ < messages_.size() && sender.credit() > 0; ++next_) sender.send(messages_[next_]);
  }
  void on_tracker_accept(proton::tracker& tracker) override {
    ++accepted_;
    if (done()) tracker.connection().close();
  }
  void on_transport_close(proton::transport&) override { closed_ = true; }
  void on_error(const proton::error_condition& condition) override {
    ADD_FAILURE() << condition.name() << ": " << condition.description();
    container_->stop();
  }

  const Broker& broker_;
  const std::string address_;
  const std::vector<proton::message>& messages_;
  proton::container* container_ = nullptr;
  std::size_t next_ = 0;
  std::size_t accepted_ = 0;
  bool closed_ = false;
  const Clock::time_point deadline_ = Clock::now() + 60s;
};

class Receiving : public proton::messaging_handler {
 public:
  Receiving(const Broker& broker, std::string address, std::size_t count, Clock::duration quiet)
      : broker_(broker), address_(std::move(address)), count_(count), quiet_(quiet) {}
  std::vector<proton::message> messages;

 private:
  void on_container_start(proton::container& container) override {
    container_ = &container;
    container.connect(broker_.url(), as_worker());
    look();
  }
  void look() {
    if (closed_) return;
    const auto now = Clock::now();
    if (ends_by_ && now > *ends_by_ && connection_) {
      connection_.work_queue().add([this] { connection_.close(); });
    } else if (!ends_by_ && now - last_ > quiet_ && connection_) {
      connection_.work_queue().add([this] { end(); });
    }
    container_->schedule(proton::duration(20), [this] { look(); });
  }
  void on_connection_open(proton::connection& connection) override {
    proton::source_options source;
    source.capabilities({proton::symbol("queue")}).durability_mode(proton::source::UNSETTLED_STATE);
    connection_ = connection;
    session_ = connection.open_session();
    session_.open_receiver(address_, proton::receiver_options().source(source).credit_window(500));
    last_ = Clock::now();
  }
  void on_message(proton::delivery& delivery, proton::message& message) override {
    last_ = Clock::now();
    if (messages.size() >= count_) {
      delivery.release();
      return;
    }
    messages.push_back(message);
    if (messages.size() < count_) return;
    delivery.accept();
    end();
  }
  /// The connection goes when the broker has confirmed the session's end, and so has seen what was
  /// accepted: RabbitMQ may overlook that when the connection is closed at once. Now and then it
  /// confirms nothing.
  void end() {
    ends_by_ = Clock::now() + 2s;
    session_.close();
  }
  void on_session_close(proton::session& session) override { session.connection().close(); }
  void on_transport_close(proton::transport&) override {
    connection_ = {};
    closed_ = true;
  }
  void on_error(const proton::error_condition& condition) override {
    ADD_FAILURE() << condition.name() << ": " << condition.description();
    container_->stop();
  }

  const Broker& broker_;
  const std::string address_;
  const std::size_t count_;
  const Clock::duration quiet_;
  Clock::time_point last_ = Clock::now();
  proton::container* container_ = nullptr;
  proton::connection connection_;
  proton::session session_;
  std::optional<Clock::time_point> ends_by_;
  bool closed_ = false;
};

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

Broker Broker::from_environment() {
  return {.host_and_port = test::from_environment("HELSEKONTAKTER_TEST_AMQP"),
          .tls_host_and_port = test::from_environment("HELSEKONTAKTER_TEST_AMQPS"),
          .tls_folder = test::from_environment("HELSEKONTAKTER_TEST_AMQP_TLS"),
          .is_rabbitmq = test::from_environment("HELSEKONTAKTER_TEST_AMQP_KIND") != "artemis"};
}

std::string Broker::address(const std::string& queue) const {
  return is_rabbitmq ? "/queue/" + queue : queue;
}

std::string unique_name(const std::string& stem) {
  static int count = 0;
  return stem + "-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
}

proton::message data_message(const std::string& body) {
  proton::message message;
  message.inferred(true);
  message.durable(true);
  message.body(proton::binary(body));
  return message;
}

bool send(const Broker& broker, const std::string& address,
          const std::vector<proton::message>& messages) {
  Sending sending(broker, address, messages);
  proton::container(sending).run();
  return sending.done();
}

std::vector<proton::message> receive(const Broker& broker, const std::string& address,
                                     std::size_t count, Clock::duration quiet) {
  Receiving receiving(broker, address, count, quiet);
  proton::container(receiving).run();
  return std::move(receiving.messages);
}

std::string body_of(const proton::message& message) {
  if (message.body().type() != proton::BINARY) {
    ADD_FAILURE() << "the body is no Data section";
    return {};
  }
  const auto bytes = proton::get<proton::binary>(message.body());
  return {bytes.begin(), bytes.end()};
}

std::map<std::string, std::string> properties_of(const proton::message& message) {
  std::map<std::string, proton::scalar> properties;
  proton::get(message.properties().value(), properties);
  std::map<std::string, std::string> texts;
  for (const auto& [name, value] : properties) texts[name] = proton::to_string(value);
  return texts;
}

std::string rabbitmqctl(const std::string& arguments) {
  return rabbitmq("ctl", "-q " + arguments);
}

std::string rabbitmq(const std::string& verb, const std::string& arguments) {
  std::string command = "tests/support/rabbitmq.sh ";
  command += verb + " --dir " + from_environment("HELSEKONTAKTER_TEST_AMQP_DIR") + " " + arguments;
  std::string printed;
  FILE* pipe = ::popen(("cd " HELSEKONTAKTER_SOURCE_DIR " && " + command).c_str(), "r");
  if (pipe == nullptr) return printed;
  std::array<char, 512> part{};
  while (std::fgets(part.data(), part.size(), pipe) != nullptr) printed += part.data();
  EXPECT_EQ(::pclose(pipe), 0) << command << "\n" << printed;
  return printed;
}

}  // namespace helsekontakter::amqp::test
