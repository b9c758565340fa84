#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include <proton/container.hpp>
#include <proton/listen_handler.hpp>
#include <proton/messaging_handler.hpp>

namespace helsekontakter::amqp::test {

/// A broker that makes trouble on purpose: it keeps nothing, and answers what it is sent as the
/// test says. On a free port of this machine, without TLS or password.
class FakeBroker : public proton::messaging_handler, private proton::listen_handler {
 public:
  enum class Answer { accept, release, reject, modify, settle_only, nothing };

  FakeBroker();
  ~FakeBroker() override;

  [[nodiscard]] std::string url() const { return "amqp://127.0.0.1:" + std::to_string(port_); }
  /// What the next messages are answered with, one each; all later ones are accepted.
  void answer_next(std::size_t count, Answer answer);
  /// Links are opened and closed again with this condition.
  void refuse_links(const std::string& condition);
  /// To links that come from now on: places for so many messages.
  void grant(int credit) { credit_ = credit; }
  /// Connections open, links get no answer.
  void ignore_links() { ignoring_ = true; }
  /// Links from which is read: a drain gets no answer, or so many messages come before it.
  void ignore_drains() { ignoring_drains_ = true; }
  void send_before_drained(std::size_t count) { before_drained_ = count; }
  /// Links from which is read: for each place that they give one message, the first so many of
  /// them marked as delivered before, without end.
  void send_endlessly(std::size_t again) {
    again_ = again;
    endless_ = true;
  }
  [[nodiscard]] std::size_t drains() const { return drains_; }    ///< asked for
  [[nodiscard]] std::size_t refused() const { return refused_; }  ///< links
  [[nodiscard]] std::size_t accepted() const { return accepted_; }
  [[nodiscard]] std::size_t received() const { return received_; }

 private:
  void on_container_start(proton::container& container) override;
  void on_open(proton::listener& listener) override;
  void on_sender_open(proton::sender& sender) override;
  void on_receiver_open(proton::receiver& receiver) override;
  void on_sendable(proton::sender& sender) override;
  void on_sender_drain_start(proton::sender& sender) override;
  void on_message(proton::delivery& delivery, proton::message& message) override;
  void on_error(const proton::error_condition&) override {}
  template <class Link>
  [[nodiscard]] bool refuses(Link& link);
  [[nodiscard]] Answer next_answer();

  std::mutex mutex_;  ///< guards the two below
  std::deque<Answer> answers_;
  std::string refusal_;
  std::atomic<int> credit_{10};
  std::atomic<bool> ignoring_{false};
  std::atomic<bool> ignoring_drains_{false};
  std::atomic<std::size_t> before_drained_{0};
  std::atomic<std::size_t> again_{0};
  std::atomic<bool> endless_{false};
  std::atomic<std::size_t> drains_{0};
  std::atomic<std::size_t> refused_{0};
  std::atomic<std::size_t> accepted_{0};
  std::atomic<std::size_t> received_{0};
  std::atomic<int> port_{0};
  proton::container container_;
  std::thread thread_;
};

}  // namespace helsekontakter::amqp::test
