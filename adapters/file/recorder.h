#pragma once

#include "adapters/file/ledger_steps.h"
#include "adapters/file/line_track.h"
#include "adapters/file/observer.h"
#include "adapters/file/output.h"
#include "adapters/file/settings.h"
#include "adapters/inbox/inbox.h"
#include "adapters/results/result_writer.h"
#include "worker/ports/commands.h"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace helsekontakter::file {

/// The record port on files: ledger entries, results, dead letters, the checkpoint, each durable
/// before the next, on a thread of its own. At least once: a crash between them repeats results
/// with the same ids. What cannot be written is tried again, with growing pauses, until it can or
/// the recorder is to stop: reading everything again would submit it again, and would not make room
/// on a disk. Only standard output that nobody reads any more ends it.
class FileRecorder {
 public:
  /// `origin` is the name of the input, as results say it. `track` is the file source's.
  FileRecorder(ResultSettings settings, std::string origin, std::shared_ptr<LineTrack> track,
               Inbox& inbox, Observer observer, LedgerSteps ledger = {});
  /// A record under way is left: it was durable, or is made so again by the next process.
  ~FileRecorder();
  FileRecorder(const FileRecorder&) = delete;
  FileRecorder& operator=(const FileRecorder&) = delete;

  /// Opens and repairs the files, starts the thread.
  [[nodiscard]] Result<void> start();
  /// Any thread; never blocks. At most one at a time, as the port says.
  void record(Record record);
  /// Ends the thread when its present system call returns.
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  struct Attempt;

  void run();
  void write(const Record& record);
  void write_texts(const Record& record, Recording& recording);
  [[nodiscard]] Result<void> try_steps(const Record& record, Attempt& attempt);
  [[nodiscard]] bool rest_until(Clock::time_point at);

  const ResultSettings settings_;
  const std::string origin_;
  const std::shared_ptr<LineTrack> track_;
  Inbox& inbox_;
  const Observer observer_;
  const LedgerSteps ledger_;

  std::mutex mutex_;  ///< guards the two below
  std::condition_variable changed_;
  std::optional<Record> waiting_;
  bool stopping_ = false;

  results::ResultWriter writer_;
  Output results_;
  Output dead_letters_;
  std::string results_text_;
  std::string dead_letters_text_;
  std::thread thread_;
};

}  // namespace helsekontakter::file
