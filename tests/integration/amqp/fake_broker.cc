#include "tests/integration/amqp/fake_broker.h"

#include <proton/connection.hpp>
#include <proton/delivery.hpp>
#include <proton/error_condition.hpp>
#include <proton/listener.hpp>
#include <proton/message.hpp>
#include <proton/receiver_options.hpp>
#include <proton/sender_options.hpp>
#include <proton/source.hpp>
#include <proton/source_options.hpp>
#include <proton/target.hpp>
#include <proton/target_options.hpp>

namespace helsekontakter::amqp::test {

namespace {

// As brokers do before they say why.
void open_without_address(proton::sender& sender) {
  proton::source_options none;
  none.anonymous(true);
  sender.open(proton::sender_options().source(none));
}

void open_without_address(proton::receiver& receiver) {
  proton::target_options none;
  none.anonymous(true);
  receiver.open(proton::receiver_options().target(none));
}

}  // namespace

FakeBroker::FakeBroker() : container_(*this) {
  thread_ = std::thread([this] { container_.run(); });
  while (port_ == 0) std::this_thread::yield();
}

FakeBroker::~FakeBroker() {
  container_.stop();
  thread_.join();
}

void FakeBroker::answer_next(std::size_t count, Answer answer) {
  const std::lock_guard lock(mutex_);
  answers_.insert(answers_.end(), count, answer);
}

void FakeBroker::refuse_links(const std::string& condition) {
  const std::lock_guard lock(mutex_);
  refusal_ = condition;
}

void FakeBroker::on_container_start(proton::container& container) {
  container.receiver_options(proton::receiver_options().auto_accept(false).credit_window(10));
  container.listen("127.0.0.1:0", *this);
}

void FakeBroker::on_open(proton::listener& listener) {
  port_ = listener.port();
}

template <class Link>
bool FakeBroker::refuses(Link& link) {
  const std::lock_guard lock(mutex_);
  if (refusal_.empty()) return false;
  ++refused_;
  open_without_address(link);
  link.close(proton::error_condition(refusal_, "as the test says"));
  return true;
}

void FakeBroker::on_sender_open(proton::sender& sender) {
  if (ignoring_ || refuses(sender)) return;
  proton::source_options source;
  source.address(sender.source().address());
  sender.open(proton::sender_options().source(source));
}

void FakeBroker::on_receiver_open(proton::receiver& receiver) {
  if (ignoring_ || refuses(receiver)) return;
  proton::target_options target;
  target.address(receiver.target().address());
  receiver.open(
      proton::receiver_options().target(target).auto_accept(false).credit_window(credit_));
}

void FakeBroker::on_sendable(proton::sender& sender) {
  while (endless_ && sender.credit() > 0) {
    proton::message message("event");
    if (again_ > 0) {
      message.delivery_count(1);
      --again_;
    }
    sender.send(message);
  }
}

void FakeBroker::on_sender_drain_start(proton::sender& sender) {
  ++drains_;
  if (ignoring_drains_) return;
  for (; before_drained_ > 0; --before_drained_) sender.send(proton::message("late"));
  sender.return_credit();
}

FakeBroker::Answer FakeBroker::next_answer() {
  const std::lock_guard lock(mutex_);
  if (answers_.empty()) return Answer::accept;
  const Answer answer = answers_.front();
  answers_.pop_front();
  return answer;
}

void FakeBroker::on_message(proton::delivery& delivery, proton::message&) {
  ++received_;
  switch (next_answer()) {
    case Answer::accept:
      ++accepted_;
      delivery.accept();
      return;
    case Answer::release:
      delivery.release();
      return;
    case Answer::reject:
      delivery.reject();
      return;
    case Answer::modify:
      delivery.modify();
      return;
    case Answer::settle_only:
      delivery.settle();
      return;
    case Answer::nothing:
      return;
  }
}

}  // namespace helsekontakter::amqp::test
