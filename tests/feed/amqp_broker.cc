#include "tests/feed/amqp_broker.h"

#include <algorithm>
#include <exception>
#include <map>
#include <stdexcept>
#include <thread>
#include <unordered_set>

#include <proton/binary.hpp>
#include <proton/codec/map.hpp>
#include <proton/connection.hpp>
#include <proton/connection_options.hpp>
#include <proton/container.hpp>
#include <proton/delivery.hpp>
#include <proton/duration.hpp>
#include <proton/error_condition.hpp>
#include <proton/message.hpp>
#include <proton/messaging_handler.hpp>
#include <proton/receiver_options.hpp>
#include <proton/sender.hpp>
#include <proton/sender_options.hpp>
#include <proton/source_options.hpp>
#include <proton/symbol.hpp>
#include <proton/target_options.hpp>
#include <proton/tracker.hpp>
#include <proton/transport.hpp>
#include <proton/work_queue.hpp>

namespace helsekontakter::feed {
namespace {

using Steady = std::chrono::steady_clock;

constexpr int credit = 500;
constexpr int tick_ms = 100;
constexpr auto again_after = std::chrono::milliseconds(200);
constexpr std::size_t unconfirmed_max = 2'000;
const std::string attribute_prefix = "cloudEvents:";

proton::connection_options options_of(const Queue& queue) {
  proton::connection_options options;
  options.sasl_enabled(true).sasl_allow_insecure_mechs(true);
  if (queue.user.empty()) return options.sasl_allowed_mechs("ANONYMOUS");
  return options.user(queue.user).password(queue.password).sasl_allowed_mechs("PLAIN");
}

proton::message message_of(const Letter& letter) {
  proton::message message;
  message.durable(true);
  message.inferred(true);
  message.content_type(letter.attributes.empty() ? "application/cloudevents+json"
                                                 : "application/json");
  for (const auto& [name, value] : letter.attributes) {
    message.properties().put(attribute_prefix + name, value);
  }
  message.subject(letter.subject);
  message.group_id(letter.subject);
  message.body(proton::binary(letter.body.begin(), letter.body.end()));
  return message;
}

/// The attributes of what the worker writes need no escaping, or the test that reads this fails.
std::string text_of(const proton::message& message) {
  const auto body = proton::get<proton::binary>(message.body());
  const std::string data(body.begin(), body.end());
  std::map<std::string, proton::scalar> properties;
  if (!message.properties().empty()) proton::get(message.properties().value(), properties);
  std::string attributes;
  for (const auto& [name, value] : properties) {
    if (!name.starts_with(attribute_prefix)) continue;
    attributes +=
        '"' + name.substr(attribute_prefix.size()) + "\":\"" + proton::to_string(value) + "\",";
  }
  if (attributes.empty()) return data;
  return "{" + attributes + "\"datacontenttype\":\"" + message.content_type() +
         "\",\"data\":" + data + "}";
}

/// What both do about errors: remember the first and end the container.
class Side : public proton::messaging_handler {
 public:
  std::string fault;

 protected:
  void on_error(const proton::error_condition& condition) override {
    if (fault.empty()) fault = condition.what();
  }
  void on_transport_error(proton::transport& transport) override { on_error(transport.error()); }
};

class Sending final : public Side {
 public:
  Sending(const Queue& queue, const std::vector<std::string>& addresses,
          const std::function<bool(Letter&)>& next)
      : queue_(queue), addresses_(addresses), next_(next) {}

  std::uint64_t accepted = 0;

 private:
  void on_container_start(proton::container& container) override {
    container.connect(queue_.url, options_of(queue_));
  }
  void on_connection_open(proton::connection& connection) override {
    for (const std::string& address : addresses_) {
      proton::target_options target;
      target.address(address)
          .durability_mode(proton::target::UNSETTLED_STATE)
          .capabilities({proton::symbol("queue")});
      senders_.push_back(connection.open_sender(address, proton::sender_options().target(target)));
    }
  }
  void on_sendable(proton::sender& sender) override { send(sender.connection()); }
  /// Told more than once where the broker says so again when it settles.
  void on_tracker_accept(proton::tracker& tracker) override {
    const proton::binary tag = tracker.tag();
    accepted += unconfirmed_.erase(std::string(tag.begin(), tag.end()));
    send(tracker.connection());
  }
  void on_tracker_reject(proton::tracker& tracker) override { refused(tracker); }
  void on_tracker_release(proton::tracker& tracker) override { refused(tracker); }

  void refused(proton::tracker& tracker) {
    fault = "the broker did not accept a message";
    tracker.connection().close();
  }

  /// In order, so the first that has no credit holds up the rest.
  void send(proton::connection connection) {
    while (unconfirmed_.size() < unconfirmed_max) {
      if (!has_letter_ && !is_over_) is_over_ = !next_(letter_);
      if (is_over_) break;
      has_letter_ = true;
      proton::sender& sender = senders_.at(letter_.address);
      if (sender.credit() <= 0) return;
      const std::string tag = std::to_string(++sent_);
      sender.send(message_of(letter_), proton::binary(tag.begin(), tag.end()));
      unconfirmed_.insert(tag);
      has_letter_ = false;
    }
    if (is_over_ && unconfirmed_.empty()) connection.close();
  }

  const Queue& queue_;
  const std::vector<std::string>& addresses_;
  const std::function<bool(Letter&)>& next_;
  std::vector<proton::sender> senders_;
  Letter letter_;
  bool has_letter_ = false;
  bool is_over_ = false;
  std::uint64_t sent_ = 0;
  std::unordered_set<std::string> unconfirmed_;  ///< tags
};

class Receiving final : public Side {
 public:
  Receiving(const Queue& queue, const std::string& address, Steady::time_point deadline,
            const std::function<bool(std::string_view)>& each)
      : queue_(queue), address_(address), deadline_(deadline), each_(each) {}

  bool is_over = false;

 private:
  void on_container_start(proton::container& container) override {
    container_ = &container;
    container.connect(queue_.url, options_of(queue_).idle_timeout(proton::duration(5'000)));
    tick();
  }
  /// A container ends only when no timer is left, so each sets the next while it is wanted.
  void tick() {
    is_over = is_over || Steady::now() >= deadline_;
    if (is_over) end();
    if (ended_) return;
    container_->schedule(proton::duration(tick_ms), [this] { tick(); });
  }
  void end() {
    ended_ = true;
    container_->stop();
  }
  void on_connection_open(proton::connection& connection) override {
    proton::source_options source;
    source.address(address_)
        .durability_mode(proton::source::UNSETTLED_STATE)
        .capabilities({proton::symbol("queue")});
    connection.open_receiver(
        address_,
        proton::receiver_options().source(source).credit_window(credit).auto_accept(false));
  }
  /// Also of a link: the queue may not be up yet when the broker is.
  void on_error(const proton::error_condition&) override { end(); }
  void on_transport_close(proton::transport&) override { end(); }
  void on_message(proton::delivery& delivery, proton::message& message) override {
    is_over = !each_(text_of(message));
    delivery.accept();
    if (is_over) delivery.connection().close();
  }

  const Queue& queue_;
  const std::string& address_;
  const Steady::time_point deadline_;
  const std::function<bool(std::string_view)>& each_;
  proton::container* container_ = nullptr;
  bool ended_ = false;
};

}  // namespace

std::uint64_t send_all(const Queue& queue, const std::vector<std::string>& addresses,
                       const std::function<bool(Letter&)>& next) {
  Sending sending(queue, addresses, next);
  proton::container(sending).run();
  if (!sending.fault.empty()) throw std::runtime_error("sending: " + sending.fault);
  return sending.accepted;
}

void receive_all(const Queue& queue, const std::string& address, Steady::time_point deadline,
                 const std::function<bool(std::string_view body)>& each) {
  while (Steady::now() < deadline) {
    Receiving receiving(queue, address, deadline, each);
    proton::container(receiving).run();
    if (receiving.is_over) return;
    std::this_thread::sleep_for(again_after);
  }
}

}  // namespace helsekontakter::feed
