#include "tests/benchmark/amqp/relay.h"

#include <deque>
#include <unordered_map>
#include <utility>

#include <proton/binary.hpp>
#include <proton/connection.hpp>
#include <proton/connection_options.hpp>
#include <proton/container.hpp>
#include <proton/delivery.hpp>
#include <proton/error_condition.hpp>
#include <proton/messaging_handler.hpp>
#include <proton/receiver_options.hpp>
#include <proton/sender.hpp>
#include <proton/sender_options.hpp>
#include <proton/source_options.hpp>
#include <proton/symbol.hpp>
#include <proton/target_options.hpp>
#include <proton/tracker.hpp>
#include <proton/work_queue.hpp>

namespace helsekontakter::amqp::test {
namespace {

constexpr int credit = 1000;
constexpr auto deadline = 10min;

class Relay final : public proton::messaging_handler {
 public:
  Relay(const Broker& broker, const std::string& from, const std::string& to, std::size_t count)
      : broker_(broker), from_(from), to_(to), left_(count) {}

  [[nodiscard]] bool done() const { return left_ == 0; }

 private:
  void on_container_start(proton::container& container) override {
    container.connect(broker_.url(), proton::connection_options()
                                         .user("worker")
                                         .password("secret")
                                         .sasl_allow_insecure_mechs(true)
                                         .sasl_allowed_mechs("PLAIN"));
    tick(container);
  }
  /// A container ends only when no timer is left.
  void tick(proton::container& container) {
    if (left_ == 0) return;
    if (Clock::now() >= until_) return container.stop();
    container.schedule(proton::duration(100), [this, &container] { tick(container); });
  }
  /// What is cut is told by done().
  void on_error(const proton::error_condition&) override {}
  void on_connection_open(proton::connection& connection) override {
    proton::source_options source;
    source.durability_mode(proton::source::UNSETTLED_STATE)
        .capabilities({proton::symbol("queue")})
        .address(from_);
    connection.open_receiver(
        from_, proton::receiver_options().source(source).credit_window(credit).auto_accept(false));
    proton::target_options target;
    target.durability_mode(proton::target::UNSETTLED_STATE)
        .capabilities({proton::symbol("queue")})
        .address(to_);
    sender_ = connection.open_sender(to_, proton::sender_options().target(target));
  }
  void on_message(proton::delivery& delivery, proton::message& message) override {
    waiting_.emplace_back(delivery, proton::get<proton::binary>(message.body()));
    send();
  }
  void on_sendable(proton::sender&) override { send(); }
  void on_tracker_accept(proton::tracker& tracker) override {
    const auto found = open_.find(tracker.tag());
    if (found == open_.end()) return;
    found->second.accept();
    open_.erase(found);
    if (--left_ == 0) sender_.connection().close();
  }
  void send() {
    for (; !waiting_.empty() && sender_.credit() > 0; waiting_.pop_front()) {
      const std::string tag = std::to_string(++sent_);
      proton::binary name(tag.begin(), tag.end());
      proton::message message;
      message.durable(true);
      message.inferred(true);
      message.body(std::move(waiting_.front().second));
      sender_.send(message, name);
      open_.emplace(std::move(name), waiting_.front().first);
    }
  }

  struct Hash {
    std::size_t operator()(const proton::binary& bytes) const {
      return std::hash<std::string_view>()(
          {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    }
  };

  const Broker& broker_;
  const std::string from_;
  const std::string to_;
  std::size_t left_;
  std::size_t sent_ = 0;
  const Clock::time_point until_ = Clock::now() + deadline;
  proton::sender sender_;
  std::deque<std::pair<proton::delivery, proton::binary>> waiting_;
  std::unordered_map<proton::binary, proton::delivery, Hash> open_;
};

}  // namespace

bool relay(const Broker& broker, const std::string& from, const std::string& to,
           std::size_t count) {
  Relay handler(broker, from, to, count);
  proton::container(handler).run();
  return handler.done();
}

}  // namespace helsekontakter::amqp::test
