#include "adapters/cli/awaited_recorder.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace helsekontakter::cli {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr Milliseconds pause_first{100};
constexpr Milliseconds pause_max{5'000};

}  // namespace

Result<void> AwaitedRecorder::start() {
  if (auto started = recorder_->start(); !started) return started;
  thread_ = std::thread([this] { run(); });
  return {};
}

void AwaitedRecorder::record(Record record, Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (!done_) {
      waiting_ = std::move(record);
      done_ = std::exchange(done, {});
    }
  }
  if (done) return done(false);
  inbox_.push(Tick{});
}

void AwaitedRecorder::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  inbox_.push(Tick{});
  thread_.join();
  recorder_->stop();
}

void AwaitedRecorder::run() {
  std::vector<Input> inputs;
  while (true) {
    inbox_.take(inputs, Clock::now() + 1s);
    std::optional<bool> answer;
    for (const Input& input : inputs) {
      if (const auto* recorded = std::get_if<Recorded>(&input)) answer = recorded->durable;
    }
    std::optional<Record> record;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      record = std::exchange(waiting_, std::nullopt);
    }
    if (record && !pass_on(std::move(*record))) answer = false;
    if (!answer) continue;
    Done done;
    {
      const std::lock_guard lock(mutex_);
      done = std::exchange(done_, {});
    }
    if (done) done(*answer);
  }
}

/// False: what comes before cannot be done, so it is not recorded.
bool AwaitedRecorder::pass_on(Record record) {
  Milliseconds pause = pause_first;
  bool told = false;
  while (before_) {
    const auto done = before_(record);
    if (done) break;
    if (!std::exchange(told, true)) trouble_(done.error());
    if (done.error().remedy != Remedy::retry) return false;
    const auto again_at = Clock::now() + pause;
    pause = std::min(pause * 2, pause_max);
    std::vector<Input> ignored;  // nothing is under way, so nothing is answered
    while (Clock::now() < again_at) {
      inbox_.take(ignored, again_at);
      const std::lock_guard lock(mutex_);
      if (stopping_) return false;
    }
  }
  recorder_->record(std::move(record));
  return true;
}

}  // namespace helsekontakter::cli
