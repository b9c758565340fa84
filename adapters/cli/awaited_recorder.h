#pragma once

#include "adapters/cli/parts.h"
#include "adapters/inbox/inbox.h"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace helsekontakter::cli {

/// A recorder that is one step of a longer way: its answer goes to whoever asked instead of to the
/// core. A thread of its own; nothing blocks the caller.
class AwaitedRecorder {
 public:
  /// On this thread before the record goes to the recorder; called again, after a pause, while it
  /// fails with Remedy::retry. May be empty.
  using Before = std::function<Result<void>(const Record&)>;
  /// On this thread, once.
  using Done = std::function<void(bool durable)>;

  AwaitedRecorder(Before before, std::function<void(const Error&)> trouble)
      : before_(std::move(before)), trouble_(std::move(trouble)) {}
  ~AwaitedRecorder() { stop(); }
  AwaitedRecorder(const AwaitedRecorder&) = delete;
  AwaitedRecorder& operator=(const AwaitedRecorder&) = delete;

  /// Where the recorder answers; it is made with this one.
  [[nodiscard]] Inbox& inbox() { return inbox_; }
  void own(std::unique_ptr<Recorder> recorder) { recorder_ = std::move(recorder); }

  [[nodiscard]] Result<void> start();
  /// Any thread. One that comes while another is under way, because its asker gave that one up, is
  /// answered at once: not durable.
  void record(Record record, Done done);
  void stop();

 private:
  void run();
  [[nodiscard]] bool pass_on(Record record);

  const Before before_;
  const std::function<void(const Error&)> trouble_;
  Inbox inbox_{0};
  std::unique_ptr<Recorder> recorder_;

  std::mutex mutex_;  ///< guards the three below
  std::optional<Record> waiting_;
  Done done_;  ///< empty: nothing is under way
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace helsekontakter::cli
