#pragma once

#include "adapters/cli/parts.h"
#include "adapters/kafka/recorder.h"

#include <utility>

namespace helsekontakter::cli {

/// The record port of the program on Kafka.
class IntoKafka final : public Recorder {
 public:
  template <class... Arguments>
  explicit IntoKafka(Arguments&&... arguments) : recorder_(std::forward<Arguments>(arguments)...) {}

  [[nodiscard]] Result<void> start() override { return recorder_.start(); }
  void record(Record record) override { recorder_.record(std::move(record)); }
  void stop() override { recorder_.stop(); }

 private:
  kafka::KafkaRecorder recorder_;
};

}  // namespace helsekontakter::cli
