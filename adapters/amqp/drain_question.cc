#include "adapters/amqp/drain_question.h"

#include <map>
#include <utility>

#include <proton/error.hpp>
#include <proton/receiver_options.hpp>
#include <proton/source.hpp>
#include <proton/source_options.hpp>
#include <proton/symbol.hpp>
#include <proton/value.hpp>

namespace helsekontakter::amqp {
namespace {

constexpr int links_per_question = 3;

std::string property(const std::map<proton::symbol, proton::value>& properties, const char* name) {
  const auto found = properties.find(proton::symbol(name));
  if (found == properties.end() || found->second.empty()) return {};
  return proton::to_string(found->second);
}

}  // namespace

void DrainQuestion::meet(const proton::connection& broker) {
  const auto properties = broker.properties();
  const std::string version = property(properties, "version");
  rabbitmq_ = property(properties, "product") == "RabbitMQ";
  by_flag_ = !rabbitmq_ || version.find('.') != 1 || version[0] >= '4';
}

void DrainQuestion::ask(proton::session session, proton::receiver receiver) {
  open_ = true;
  if (by_flag_) {
    receiver.drain();
    return;
  }
  session_ = std::move(session);
  address_ = receiver.source().address();
  links_left_ = links_per_question;
  attach();
}

void DrainQuestion::attach() {
  proton::source_options source;
  source.address(address_)
      .durability_mode(proton::source::UNSETTLED_STATE)
      .capabilities({proton::symbol("queue")});
  link_ = session_.open_receiver(
      address_,
      proton::receiver_options().source(source).credit_window(0).auto_accept(false).handler(*this));
}

void DrainQuestion::on_receiver_open(proton::receiver& link) {
  // A refused link is opened without an address first.
  if (!open_ || link != link_ || link.source().address().empty()) return;
  if (--links_left_ > 0) {
    attach();
  } else {
    answer();
  }
}

void DrainQuestion::drained() {
  if (is_draining()) answer();
}

void DrainQuestion::answer() {
  drop();
  answered_();
}

void DrainQuestion::drop() {
  open_ = false;
  link_ = {};
  session_ = {};
}

}  // namespace helsekontakter::amqp
