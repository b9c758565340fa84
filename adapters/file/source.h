#pragma once

#include "adapters/crypto/keyed_hash.h"
#include "adapters/file/ledger_steps.h"
#include "adapters/file/line_splitter.h"
#include "adapters/file/line_track.h"
#include "adapters/file/observer.h"
#include "adapters/file/settings.h"
#include "adapters/inbox/inbox.h"
#include "adapters/json/event_decoder.h"
#include "worker/ports/commands.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace helsekontakter::file {

/// Turns a line into a delivery (json::EventDecoder).
using Decode = std::function<Delivery(const json::RawEvent&)>;

/// A file of change events, one JSON object a line, or standard input. It is partition 0, a line's
/// number its offset, the checkpoint its committed offset. Follows a file that grows, looking ten
/// times a second. What was cut short or replaced is not read: it is told and looked at again.
class FileSource {
 public:
  /// The decoder is called on the source's thread only. The inbox must outlive the source.
  FileSource(SourceSettings settings, const crypto::KeyedHash& hash, Decode decode, Inbox& inbox,
             Observer observer, LedgerSteps ledger = {});
  ~FileSource();
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  /// Locks the checkpoint, reads it, starts the thread. Refuses a second process.
  [[nodiscard]] Result<void> start();
  /// Any thread; never blocks.
  void order(SourceOrders orders);
  /// Ends the thread, within a second.
  void stop();
  /// What the endpoint asks right before the first byte of a request. Any thread.
  [[nodiscard]] bool still_ours(std::span<const std::pair<Partition, Epoch>> under) const;
  /// The file's name without its folder, which stands in results.
  [[nodiscard]] const std::string& name() const { return name_; }
  /// For the recorder.
  [[nodiscard]] std::shared_ptr<LineTrack> track() const { return track_; }

 private:
  using Clock = std::chrono::steady_clock;
  /// closed: not there yet, or not the file of the checkpoint; it is looked at again. held: what is
  /// being read was cut short or replaced. over: nothing more is read.
  enum class State : std::uint8_t { closed, reading, held, over };

  void run();
  void obey(const SourceOrders& orders);
  void open();
  [[nodiscard]] Result<void> begin(std::optional<Checkpoint> at);
  [[nodiscard]] Result<Checkpoint> after_unended_line(Checkpoint at) const;
  void read();
  [[nodiscard]] bool take_lines();
  void take(const Line& line);
  [[nodiscard]] bool fill();
  [[nodiscard]] Result<std::size_t> fill_from_standard_input(std::span<char> room);
  void at_end();
  void look_at_file();
  void flush_track();
  [[nodiscard]] bool deliver(Clock::time_point deadline);
  void read_again();
  void hold(State state, const Error& why);
  void rest(Milliseconds at_most);
  void tell_lag();
  [[nodiscard]] bool is_stream() const { return settings_.path == standard_stream; }
  [[nodiscard]] bool is_own(const SourceOrders::Owned& owned) const;

  const SourceSettings settings_;
  const crypto::KeyedHash hash_;
  const Decode decode_;
  Inbox& inbox_;
  const Observer observer_;
  const LedgerSteps ledger_;
  const std::string name_;  ///< of the file, without its folder
  const std::shared_ptr<LineTrack> track_;

  std::mutex mutex_;  ///< guards the two below
  std::condition_variable changed_;
  std::vector<SourceOrders> orders_;
  bool stopping_ = false;
  std::atomic<std::uint64_t> epoch_{0};  ///< 0: nothing is ours

  State state_ = State::closed;
  std::optional<Checkpoint> restored_;  ///< where reading begins when the file is opened
  std::shared_ptr<const InputFile> input_;
  std::optional<LineSplitter> splitter_;
  std::string plain_source_;  ///< identity of plain JSON: the file's name and that of its content
  std::optional<std::int64_t> drain_to_;  ///< the file's size at the start
  bool paused_ = false;
  bool input_ended_ = false;  ///< standard input, or the drained file
  bool told_end_ = false;
  std::vector<Delivery> pending_;
  std::size_t pending_bytes_ = 0;
  std::vector<std::int64_t> ends_;  ///< of lines that the track does not know yet
  Offset delivered_to_ = 0;         ///< one past the last line that was handed to the core
  Offset reached_ = 0;              ///< as last told
  std::size_t read_bytes_ = 0;      ///< since the observer was told
  std::size_t read_lines_ = 0;
  Clock::time_point look_at_{};
  Clock::time_point lag_at_{};
  std::string last_trouble_;
  std::thread thread_;
};

}  // namespace helsekontakter::file
