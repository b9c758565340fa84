#include "adapters/file/source.h"

#include "adapters/clock/wall_now.h"
#include "adapters/file/system_call.h"
#include "worker/ordering/progress.h"

#include <algorithm>
#include <cerrno>
#include <limits>

#include <poll.h>
#include <unistd.h>

namespace helsekontakter::file {
namespace {

using namespace std::chrono_literals;

constexpr Partition partition{0};
constexpr std::size_t batch_max = 512;
constexpr std::size_t batch_bytes_max = 1 << 20;
constexpr Milliseconds look_every{100};
constexpr Milliseconds look_again_after{500};  // at what is held
constexpr Milliseconds lag_every{1'000};
/// A worker that is not draining need not know how far the end is, only that what may have been
/// submitted before a crash lies before it. The metadata covers far fewer lines than this.
constexpr std::int64_t counted_max = 1 << 20;

std::shared_ptr<LineTrack> track_of(const SourceSettings& settings) {
  if (settings.path == standard_stream) return std::make_shared<LineTrack>(std::nullopt);
  return std::make_shared<LineTrack>(CheckpointFile(settings.checkpoint, name_of(settings.path)));
}

}  // namespace

std::string name_of(const std::string& path) {
  if (path == standard_stream) return "stdin";
  return path.substr(path.rfind('/') + 1);
}

FileSource::FileSource(SourceSettings settings, const crypto::KeyedHash& hash, Decode decode,
                       Inbox& inbox, Observer observer, LedgerSteps ledger)
    : settings_(std::move(settings)),
      hash_(hash),
      decode_(std::move(decode)),
      inbox_(inbox),
      observer_(std::move(observer)),
      ledger_(std::move(ledger)),
      name_(name_of(settings_.path)),
      track_(track_of(settings_)) {
  pending_.reserve(batch_max);
}

FileSource::~FileSource() {
  stop();
}

Result<void> FileSource::start() {
  if (const auto locked = track_->lock(); !locked) return locked;
  auto checkpoint = track_->read();
  if (!checkpoint) return tl::unexpected(checkpoint.error());
  restored_ = std::move(*checkpoint);
  thread_ = std::thread([this] { run(); });
  return {};
}

void FileSource::order(SourceOrders orders) {
  {
    const std::lock_guard lock(mutex_);
    orders_.push_back(std::move(orders));
  }
  changed_.notify_all();
}

void FileSource::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
  epoch_ = 0;
}

bool FileSource::still_ours(std::span<const std::pair<Partition, Epoch>> under) const {
  const Epoch epoch{epoch_.load()};
  return std::all_of(under.begin(), under.end(),
                     [epoch](const auto& owned) { return owned.second == epoch; });
}

bool FileSource::is_own(const SourceOrders::Owned& owned) const {
  return owned.first == partition && owned.second == Epoch{epoch_.load()};
}

void FileSource::run() {
  while (true) {
    std::vector<SourceOrders> orders;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      orders.swap(orders_);
    }
    for (const SourceOrders& order : orders) obey(order);
    if (state_ == State::reading) {
      read();
    } else if (state_ == State::over || Clock::now() < look_at_) {
      rest(look_every);
    } else if (state_ == State::closed) {
      open();
    } else {
      look_at_file();
    }
    tell_lag();
  }
}

void FileSource::obey(const SourceOrders& orders) {
  for (const auto& owned : orders.pause) paused_ = paused_ || is_own(owned);
  for (const auto& owned : orders.resume) paused_ = paused_ && !is_own(owned);
  for (const auto& owned : orders.release) {
    if (is_own(owned)) state_ = State::over;
  }
  if (!orders.reread.empty() && epoch_ != 0) read_again();
}

/// A record failed: what was not durable is read once more.
void FileSource::read_again() {
  inbox_.push(Lost{partition, Epoch{epoch_.load()}});
  if (is_stream()) {
    epoch_ = 0;
    hold(State::over, {Remedy::stop,
                       "results could not be written, and standard input cannot be read again; "
                       "mend it and give the whole input once more"});
    return;
  }
  restored_ = track_->durable();
  state_ = State::closed;
  look_at_ = {};
}

void FileSource::open() {
  if (is_stream()) {
    if (const auto begun = begin(std::nullopt); !begun) hold(State::over, begun.error());
    return;
  }
  auto input = InputFile::open(settings_.path, hash_);
  if (!input) return hold(State::closed, input.error());
  if (restored_) {
    if (const auto fits = input->matches(*restored_); !fits) {
      return hold(State::closed, fits.error());
    }
  }
  const auto size = input->size();
  if (!size) return hold(State::closed, size.error());
  input_ = std::make_shared<const InputFile>(std::move(*input));
  if (!drain_to_) drain_to_ = *size;
  auto at = restored_;
  // In this process the core knows itself what may still be executed.
  // A process that was killed may have left requests behind that are executed late.
  if (at && epoch_ == 0) at->metadata = with_quarantine(at->metadata, at->line);
  if (const auto begun = begin(std::move(at)); !begun) hold(State::closed, begun.error());
}

/// A drained file's last line may have been taken without its newline: when that came meanwhile,
/// it belongs to the line before.
Result<Checkpoint> FileSource::after_unended_line(Checkpoint at) const {
  if (at.byte == 0) return at;
  char bytes[3]{};
  const auto count = input_->read(bytes, at.byte - 1);
  if (!count) return tl::unexpected(count.error());
  const std::string_view around(bytes, *count);
  if (around.starts_with('\n') || around.size() <= 1) return at;
  const std::string_view after = around.substr(1);
  if (after.starts_with('\n')) {
    at.byte += 1;
  } else if (after == "\r\n") {
    at.byte += 2;
  } else {
    return fail(Remedy::stop, "line " + std::to_string(at.line - 1) + " of " + settings_.path +
                                  " had no end when --drain took it, and has grown since; submit "
                                  "it anew as a line of its own, or remove the checkpoint");
  }
  return at;
}

/// Reading begins at a checkpoint, or at the start, under a new epoch.
Result<void> FileSource::begin(std::optional<Checkpoint> from) {
  Checkpoint at = from.value_or(Checkpoint{});
  Offset end = std::numeric_limits<Offset>::max();
  if (!is_stream()) {
    auto begins = after_unended_line(std::move(at));
    if (!begins) return tl::unexpected(begins.error());
    at = std::move(*begins);
    const auto size = input_->size();
    if (!size) return tl::unexpected(size.error());
    const auto lines = input_->count_lines(at.byte, settings_.drain ? *drain_to_ : *size,
                                           settings_.drain ? end : counted_max, settings_.drain);
    if (!lines) return tl::unexpected(lines.error());
    end = at.line + *lines;
  }
  const Epoch epoch{epoch_.load() + 1};
  if (ledger_.restore) {
    if (auto restored = ledger_.restore(partition, epoch); !restored) return restored;
  }
  splitter_.emplace(settings_.event_bytes_max, at.line, at.byte);
  pending_.clear();
  pending_bytes_ = 0;
  ends_.clear();
  delivered_to_ = at.line;
  reached_ = at.line;
  input_ended_ = false;
  paused_ = false;
  track_->begin(epoch, at, input_);
  epoch_ = static_cast<std::uint64_t>(epoch);
  state_ = State::reading;
  last_trouble_.clear();
  tell(observer_.held, false);
  tell(observer_.opened);
  inbox_.push(Assigned{.partition = partition,
                       .epoch = epoch,
                       .committed = at.line,
                       .metadata = at.metadata,
                       .end = end,
                       .partitions_total = 1,
                       .assigned_together = 1});
  return {};
}

void FileSource::read() {
  if (paused_) {
    if (deliver(Clock::now() + 10ms)) rest(look_every);
    return;
  }
  const bool more = take_lines();
  flush_track();
  if (!deliver(Clock::now() + 10ms) || more) return;
  if (track_->is_full()) {
    rest(look_every);
  } else if (input_ended_ || !fill()) {
    at_end();
  }
}

/// Takes what the splitter holds, as much as goes in one push. True: there is more.
bool FileSource::take_lines() {
  while (pending_.size() < batch_max && pending_bytes_ < batch_bytes_max) {
    std::optional<Line> line = splitter_->next();
    if (!line && input_ended_) line = splitter_->rest();
    if (!line) return false;
    take(*line);
  }
  return true;
}

void FileSource::take(const Line& line) {
  ends_.push_back(line.end);
  if (line.is_blank()) return;
  if (plain_source_.empty()) {
    const auto content =
        is_stream() ? name_of_content(hash_, line.text) : input_->name_of_content().value_or("");
    plain_source_ = name_ + "#" + content;
  }
  const json::RawEvent raw{.payload = line.text,
                           .is_null = false,
                           .key = {},
                           .content_type = {},
                           .headers = {},
                           .plain_source = plain_source_,
                           .position = {partition, line.number},
                           .epoch = Epoch{epoch_.load()},
                           .broker_time = {},
                           .now = wall_now()};
  Delivery delivery = decode_(raw);
  pending_bytes_ += delivery.cost();
  pending_.push_back(std::move(delivery));
  delivered_to_ = line.number + 1;
  read_bytes_ += line.text.size();
  ++read_lines_;
}

/// The recorder must know where a line begins before the core can conclude it.
void FileSource::flush_track() {
  track_->add(ends_);
  ends_.clear();
  if (read_lines_ > 0) tell(observer_.read, std::exchange(read_lines_, 0), read_bytes_);
  read_bytes_ = 0;
}

bool FileSource::deliver(Clock::time_point deadline) {
  if (pending_.empty()) return true;
  if (!inbox_.push(pending_, deadline)) return false;
  pending_.reserve(batch_max);
  pending_bytes_ = 0;
  return true;
}

/// Reads once more. False: nothing is there now.
bool FileSource::fill() {
  std::span<char> room = splitter_->room();
  Result<std::size_t> count = std::size_t{0};
  if (is_stream()) {
    count = fill_from_standard_input(room);
  } else {
    const std::int64_t from = splitter_->taken_to();
    if (settings_.drain) {
      const auto left = static_cast<std::size_t>(std::max<std::int64_t>(0, *drain_to_ - from));
      room = room.first(std::min(room.size(), left));
      input_ended_ = room.empty();
    }
    if (!room.empty()) count = input_->read(room, from);
  }
  if (!count) {
    hold(is_stream() ? State::over : State::held, count.error());
    return true;
  }
  splitter_->filled(*count);
  return *count > 0;
}

Result<std::size_t> FileSource::fill_from_standard_input(std::span<char> room) {
  pollfd waiting{STDIN_FILENO, POLLIN, 0};
  if (::poll(&waiting, 1, static_cast<int>(look_every.count())) <= 0) return std::size_t{0};
  const ssize_t count = ::read(STDIN_FILENO, room.data(), room.size());
  if (count > 0) return static_cast<std::size_t>(count);
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return std::size_t{0};
  if (count < 0) {
    return fail(Remedy::stop, system_fault("read standard input", errno).value().message);
  }
  input_ended_ = true;
  return std::size_t{0};
}

/// Everything that is there was read.
void FileSource::at_end() {
  if (input_ended_ && take_lines()) return;  // a last line without its newline
  flush_track();
  if (!deliver(Clock::now() + 10ms)) return;
  if (const Offset number = splitter_->number(); number > reached_) {
    reached_ = number;
    inbox_.push(ReachedPosition{partition, Epoch{epoch_.load()}, number});
  }
  if (!is_stream()) {
    if (!input_ended_) look_at_file();
    if (state_ == State::reading) rest(look_every);
    return;
  }
  if (!input_ended_) return;  // the poll has waited
  if (track_->durable_line() >= delivered_to_ && !std::exchange(told_end_, true)) {
    tell(observer_.ended);
  }
  rest(look_every);
}

/// Is what we read still the file of that name, and not shorter than what was read of it?
void FileSource::look_at_file() {
  const auto size = input_->size();
  if (!size) return hold(State::held, size.error());
  const std::string advice =
      "; nothing more of it is read. Let results of what was read be written, stop the worker, and "
      "remove the checkpoint (source.file.checkpoint) before a new file is read from its start";
  if (*size < std::max(splitter_->taken_to(), settings_.drain ? *drain_to_ : 0)) {
    return hold(State::held,
                {Remedy::stop, settings_.path + " was cut short while it was read" + advice});
  }
  if (!input_->is_at(settings_.path)) {
    return hold(State::held, {Remedy::stop, settings_.path +
                                                " was removed or replaced by another file while it "
                                                "was read" +
                                                advice});
  }
  if (state_ == State::reading) return;
  state_ = State::reading;
  last_trouble_.clear();
  tell(observer_.held, false);
}

/// Nothing is read until it is mended; a drain, which somebody waits for, ends with a fault.
void FileSource::hold(State state, const Error& why) {
  const bool is_new = why.message != std::exchange(last_trouble_, why.message);
  state_ = state;
  look_at_ = Clock::now() + look_again_after;
  if (!is_new) return;
  tell(observer_.held, true);
  tell(settings_.drain || is_stream() ? observer_.failed : observer_.trouble, why);
}

void FileSource::rest(Milliseconds at_most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, at_most, [this] { return stopping_ || !orders_.empty(); });
}

void FileSource::tell_lag() {
  const auto now = Clock::now();
  if (now < lag_at_ || state_ != State::reading || is_stream()) return;
  lag_at_ = now + lag_every;
  const auto size = input_->size();
  if (!size) return;
  const Offset number = splitter_->number();
  const double mean =
      number > 0 ? static_cast<double>(splitter_->byte()) / static_cast<double>(number) : 0;
  const auto left = static_cast<double>(std::max<std::int64_t>(0, *size - splitter_->byte()));
  Lag lag;
  lag.unread = mean > 0 ? static_cast<std::int64_t>(left / mean) : 0;
  lag.unconcluded = lag.unread + number - track_->durable_line();
  tell(observer_.lag, lag);
}

}  // namespace helsekontakter::file
