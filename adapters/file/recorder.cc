#include "adapters/file/recorder.h"

#include "adapters/clock/wall_now.h"
#include "adapters/results/dead_letter_reason.h"
#include "worker/domain/ensure.h"

#include <algorithm>
#include <utility>

namespace helsekontakter::file {
namespace {

using namespace std::chrono_literals;

constexpr Milliseconds pause_first{100};
constexpr Milliseconds pause_max{5'000};
constexpr std::size_t text_max = 4096;             // of one text of the event, in its result
constexpr std::size_t buffer_kept_max = 16 << 20;  // a larger one is given back after use

void clear(std::string& text) {
  if (text.capacity() > buffer_kept_max) text = {};
  text.clear();
}

/// The line as it came, so that it can be mended and fed again. Why it lies here stands in its
/// result. What was never kept, because it is too large, is referred to.
void append_dead_letter(const Conclusion& conclusion, const std::string& origin, std::string& out) {
  const std::string_view payload = conclusion.delivery->texts[Texts::Field::payload];
  if (!payload.empty()) {
    out += payload;
  } else {
    out += results::dead_letter_reason(conclusion, origin);
  }
  out += '\n';
}

}  // namespace

/// What of one record is done; a step that succeeded is not made again.
struct FileRecorder::Attempt {
  bool ledger = false;
  bool results = false;
  bool dead_letters = false;
};

FileRecorder::FileRecorder(ResultSettings settings, std::string origin,
                           std::shared_ptr<LineTrack> track, Inbox& inbox, Observer observer,
                           LedgerSteps ledger)
    : settings_(std::move(settings)),
      origin_(std::move(origin)),
      track_(std::move(track)),
      inbox_(inbox),
      observer_(std::move(observer)),
      ledger_(std::move(ledger)),
      writer_({.source = settings_.source,
               .environment = settings_.environment,
               .origin_topic = origin_}),
      results_(settings_.path, "results.file.path"),
      dead_letters_(settings_.dead_letter_path, "results.file.dead_letter_path") {}

FileRecorder::~FileRecorder() {
  stop();
}

Result<void> FileRecorder::start() {
  if (auto opened = results_.open(); !opened) return opened;
  if (!settings_.dead_letter_path.empty()) {
    if (auto opened = dead_letters_.open(); !opened) return opened;
  }
  thread_ = std::thread([this] { run(); });
  return {};
}

void FileRecorder::record(Record record) {
  {
    const std::lock_guard lock(mutex_);
    ensure(!waiting_);
    waiting_ = std::move(record);
  }
  changed_.notify_all();
}

void FileRecorder::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void FileRecorder::run() {
  while (true) {
    std::optional<Record> record;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || waiting_; });
      if (stopping_) return;
      record = std::exchange(waiting_, std::nullopt);
    }
    write(*record);
  }
}

/// Waits; false when the recorder is to stop.
bool FileRecorder::rest_until(Clock::time_point at) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_until(lock, at, [this] { return stopping_; });
}

void FileRecorder::write_texts(const Record& record, Recording& recording) {
  clear(results_text_);
  clear(dead_letters_text_);
  writer_.begin(record, wall_now());
  for (const Conclusion& conclusion : record.conclusions) {
    // What only waits in the ledger from now on, and null values of a compacted topic.
    if (!conclusion.publishes || std::holds_alternative<Tombstone>(conclusion.delivery->content)) {
      continue;
    }
    writer_.append(conclusion, results_text_, text_max);
    results_text_ += '\n';
    ++recording.results;
    if (settings_.dead_letter_path.empty() || !results::is_dead_letter(conclusion.verdict))
      continue;
    append_dead_letter(conclusion, origin_, dead_letters_text_);
    ++recording.dead_letters;
  }
}

Result<void> FileRecorder::try_steps(const Record& record, Attempt& attempt) {
  if (!attempt.ledger && ledger_.write && !record.ledger.empty()) {
    if (auto written = ledger_.write(record.ledger); !written) return written;
  }
  attempt.ledger = true;
  if (!attempt.results) {
    if (auto written = results_.append(results_text_); !written) return written;
    attempt.results = true;
  }
  if (!attempt.dead_letters) {
    if (auto written = dead_letters_.append(dead_letters_text_); !written) return written;
    attempt.dead_letters = true;
  }
  for (const Progress& progress : record.progress) {
    if (auto kept = track_->keep(progress); !kept) return kept;
  }
  return {};
}

void FileRecorder::write(const Record& record) {
  const auto begun = Clock::now();
  Recording recording;
  Attempt attempt;
  Milliseconds pause = pause_first;
  bool over = !track_->is_current(record);  // of a reading that was given up: nothing is published
  if (!over) write_texts(record, recording);
  while (!over) {
    ++recording.attempts;
    const Result<void> done = try_steps(record, attempt);
    recording.durable = done.has_value();
    over = recording.durable || done.error().remedy == Remedy::stop;
    if (recording.durable) break;
    tell(over ? observer_.failed : observer_.trouble, done.error());
    if (over || !rest_until(Clock::now() + pause)) break;
    pause = std::min(pause * 2, pause_max);
  }
  recording.took = std::chrono::duration_cast<Milliseconds>(Clock::now() - begun);
  tell(observer_.recorded, recording);
  inbox_.push(Recorded{record.id, recording.durable});
}

}  // namespace helsekontakter::file
