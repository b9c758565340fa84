#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <proton/connection.hpp>
#include <proton/messaging_handler.hpp>
#include <proton/receiver.hpp>
#include <proton/session.hpp>

namespace helsekontakter::amqp {

/// Asks a broker whether a queue has anything more for a link that has credit: what is ready comes
/// before the answer. Nothing answers but the broker, and one that stands still does not; there is
/// no deadline here. On the connection's thread.
///
/// By the drain flag of AMQP (2.6.7). RabbitMQ before 4 may crash over it (its issue 7119), so
/// there three links without credit are attached to the queue in turn: the answer of the first says
/// that the queue has handed out what was ready, those of the others went the way of these messages
/// through channel and session, behind them. They end with the session.
class DrainQuestion final : private proton::messaging_handler {
 public:
  explicit DrainQuestion(std::function<void()> answered) : answered_(std::move(answered)) {}

  /// Of the broker: does it take the drain flag?
  void meet(const proton::connection& broker);
  [[nodiscard]] bool is_rabbitmq() const { return rabbitmq_; }
  void ask(proton::session session, proton::receiver receiver);
  /// Credit is used up: no more is to be granted until answered.
  [[nodiscard]] bool is_draining() const { return open_ && by_flag_; }
  [[nodiscard]] bool is_open() const { return open_; }
  /// As Proton says of the link.
  void drained();
  /// The link is gone; the answer is not waited for.
  void drop();

 private:
  void on_receiver_open(proton::receiver& link) override;
  void on_receiver_error(proton::receiver&) override {}
  void on_receiver_close(proton::receiver&) override {}
  void attach();
  void answer();

  const std::function<void()> answered_;
  bool by_flag_ = true;
  bool rabbitmq_ = false;
  bool open_ = false;
  int links_left_ = 0;
  proton::session session_;
  proton::receiver link_;
  std::string address_;
};

}  // namespace helsekontakter::amqp
