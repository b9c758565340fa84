#include "adapters/amqp/recorder.h"

#include "adapters/amqp/recorder_loop.h"

namespace helsekontakter::amqp {

AmqpRecorder::AmqpRecorder(RecordSettings settings, crypto::Password password, std::string origin,
                           ResultText text, Steps steps, Inbox& inbox, Observer observer)
    : loop_(std::make_shared<Loop>(std::move(settings), std::move(password), std::move(origin),
                                   std::move(text), std::move(steps), inbox, std::move(observer))) {
}

AmqpRecorder::~AmqpRecorder() {
  loop_->stop();
}

Result<void> AmqpRecorder::start() {
  return loop_->start();
}

void AmqpRecorder::record(Record record) {
  loop_->record(std::move(record));
}

void AmqpRecorder::stop() {
  loop_->stop();
}

}  // namespace helsekontakter::amqp
