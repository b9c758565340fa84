#include "adapters/amqp/source.h"

#include "adapters/amqp/source_loop.h"

namespace helsekontakter::amqp {

AmqpSource::AmqpSource(SourceSettings settings, crypto::Password password, Decode decode,
                       Inbox& inbox, Observer observer)
    : loop_(std::make_unique<Loop>(std::move(settings), std::move(password), std::move(decode),
                                   inbox, std::move(observer))) {}

AmqpSource::~AmqpSource() {
  loop_->stop();
}

Result<void> AmqpSource::start() {
  return loop_->start();
}

void AmqpSource::order(SourceOrders orders) {
  loop_->order(std::move(orders));
}

void AmqpSource::settle(Settlement settlement) {
  loop_->settle(std::move(settlement));
}

void AmqpSource::stop() {
  loop_->stop();
}

bool AmqpSource::still_ours(std::span<const std::pair<Partition, Epoch>> under) const {
  return loop_->ownership().still_ours(under);
}

}  // namespace helsekontakter::amqp
