#include "adapters/kafka/recorder.h"

#include "adapters/kafka/admin.h"
#include "adapters/kafka/properties.h"
#include "adapters/kafka/transaction.h"
#include "worker/domain/ensure.h"

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace helsekontakter::kafka {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using SharedSession = std::shared_ptr<RecordSession>;

constexpr Milliseconds retry_first{100};
constexpr Milliseconds retry_max{5000};
constexpr auto open_timeout = 12s;
constexpr auto call_grace = 3s;  // for calls that overrun their own time-out
constexpr Milliseconds describe_timeout{3000};

struct Limits {
  TopicLimits topics;
  std::size_t ledger_bytes_max = RecordSession::default_message_bytes;
};

/// What the topics allow of a message. Refuses a ledger topic that would forget members.
Result<Limits> read_limits(const RecordSettings& settings, const std::string& password,
                           const LedgerTopic& ledger, const Observer& observer) {
  Limits limits;
  const auto admin = Admin::connect(settings.connection, password, observer);
  if (!admin) return tl::unexpected(admin.error());
  if (!settings.topic.empty()) {
    const auto results = admin->describe(settings.topic, describe_timeout);
    if (!results) return tl::unexpected(results.error());
    if (!*results) {
      return fail(Remedy::retry, "the results topic " + settings.topic +
                                     " does not exist; create it (`check --connect --create`)");
    }
    limits.topics.results_bytes_max = (*results)->message_bytes_max;
  }
  if (!settings.dead_letter_topic.empty()) {
    const auto letters = admin->describe(settings.dead_letter_topic, describe_timeout);
    if (!letters) return tl::unexpected(letters.error());
    if (!*letters) {
      return fail(Remedy::retry, "the dead-letter topic " + settings.dead_letter_topic +
                                     " does not exist; create it");
    }
    limits.topics.dead_letter_bytes_max = (*letters)->message_bytes_max;
  }
  if (!ledger.format) return limits;
  const auto found = admin->describe(ledger.topic, describe_timeout);
  if (!found) return tl::unexpected(found.error());
  const auto partitions = static_cast<std::int32_t>(ledger.format->identity().partitions);
  if (auto fit = check_ledger_topic(ledger.topic, *found, partitions); !fit) {
    return tl::unexpected(fit.error());
  }
  limits.ledger_bytes_max = (*found)->message_bytes_max;
  return limits;
}

}  // namespace

class KafkaRecorder::Loop {
 public:
  Loop(RecordSettings settings, crypto::Password password, std::string origin_topic,
       std::shared_ptr<Ownership> ownership, Inbox& inbox, Observer observer, LedgerTopic ledger)
      : settings_(std::move(settings)),
        password_(std::move(password)),
        origin_topic_(std::move(origin_topic)),
        ownership_(std::move(ownership)),
        inbox_(inbox),
        observer_(std::move(observer)),
        ledger_(std::move(ledger)) {}
  ~Loop() { stop(); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Result<void> start();
  void record(Record record);
  void stop();

 private:
  /// Where a blocking call leaves its answer, for as long as somebody waits for it.
  template <class T>
  struct Errand {
    std::mutex mutex;
    std::condition_variable done;
    std::optional<T> answer;
  };

  void run();
  void write(std::shared_ptr<const Record> record);
  RecordSession::Sent attempt(const std::shared_ptr<const Record>& record,
                              Clock::time_point deadline);
  void open_session();
  void drop_session();
  bool rest_until(Clock::time_point at);

  template <class T>
  std::optional<T> run_errand(std::function<T()> work, Clock::time_point deadline);

  const RecordSettings settings_;
  const crypto::Password password_;
  const std::string origin_topic_;
  const std::shared_ptr<Ownership> ownership_;
  Inbox& inbox_;
  const Observer observer_;
  const LedgerTopic ledger_;

  std::mutex mutex_;  ///< guards the two below
  std::condition_variable changed_;
  std::optional<Record> waiting_;
  bool stopping_ = false;

  std::optional<ErrandThread> errands_;
  SharedSession session_;
  Clock::time_point open_at_{};
  Milliseconds backoff_{0};
  std::thread thread_;
};

Result<void> KafkaRecorder::Loop::start() {
  const auto refused = refused_properties(settings_.connection);
  if (!refused.empty()) return tl::unexpected(refused.front());
  thread_ = std::thread([this] { run(); });
  return {};
}

void KafkaRecorder::Loop::record(Record record) {
  {
    const std::lock_guard lock(mutex_);
    ensure(!waiting_);
    waiting_ = std::move(record);
  }
  changed_.notify_all();
}

void KafkaRecorder::Loop::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void KafkaRecorder::Loop::run() {
  while (true) {
    std::shared_ptr<const Record> record;
    {
      std::unique_lock lock(mutex_);
      const auto next = session_ ? Clock::now() + 1h : open_at_;
      changed_.wait_until(lock, next, [&] { return stopping_ || waiting_; });
      if (stopping_) break;
      if (waiting_) record = std::make_shared<const Record>(std::move(*waiting_));
      waiting_.reset();
    }
    if (record) {
      write(std::move(record));
    } else if (!session_) {
      open_session();
    }
  }
  session_.reset();
}

/// Waits; false when the recorder is to stop.
bool KafkaRecorder::Loop::rest_until(Clock::time_point at) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_until(lock, at, [&] { return stopping_; });
}

/// Runs a call that may hang on another thread. Nothing when it did not end in time or the recorder
/// is to stop; the call then goes on, its answer is dropped, and the next gets another thread.
template <class T>
std::optional<T> KafkaRecorder::Loop::run_errand(std::function<T()> work,
                                                 Clock::time_point deadline) {
  auto errand = std::make_shared<Errand<T>>();
  if (!errands_) errands_.emplace();
  errands_->run([errand, work = std::move(work)] {
    T answer = work();
    const std::lock_guard lock(errand->mutex);
    errand->answer.emplace(std::move(answer));
    errand->done.notify_all();
  });
  while (true) {
    {
      std::unique_lock lock(errand->mutex);
      const auto slice = std::min(deadline, Clock::now() + 100ms);
      errand->done.wait_until(lock, slice, [&] { return errand->answer.has_value(); });
      if (errand->answer) return std::move(errand->answer);
    }
    const std::lock_guard lock(mutex_);
    if (!stopping_ && Clock::now() < deadline) continue;
    errands_.reset();
    return std::nullopt;
  }
}

void KafkaRecorder::Loop::open_session() {
  using Opened = Result<SharedSession>;
  const auto deadline = Clock::now() + open_timeout;
  const auto opened = run_errand<Opened>(
      [settings = settings_, password = password_, origin = origin_topic_, observer = observer_,
       ledger = ledger_, deadline]() -> Opened {
        const auto secret = password.read();
        if (!secret) return tl::unexpected(secret.error());
        const auto limits = read_limits(settings, *secret, ledger, observer);
        if (!limits) return tl::unexpected(limits.error());
        return RecordSession::open(settings, *secret, origin, limits->topics, observer, deadline,
                                   ledger, limits->ledger_bytes_max);
      },
      deadline + call_grace);
  if (opened && *opened) {
    session_ = **opened;
    backoff_ = Milliseconds{0};
    return;
  }
  if (opened) tell(observer_.trouble, opened->error());
  drop_session();
}

/// The next producer is made after a pause that grows while none comes up.
void KafkaRecorder::Loop::drop_session() {
  session_.reset();
  backoff_ = std::clamp(backoff_ * 2, retry_first, retry_max);
  open_at_ = Clock::now() + backoff_;
}

void KafkaRecorder::Loop::write(std::shared_ptr<const Record> record) {
  const auto begun = Clock::now();
  const auto deadline = begun + settings_.record_timeout;
  RecordSession::Sent sent;
  std::uint32_t attempts = 0;
  bool over = false;
  while (!over && Clock::now() < deadline) {
    if (!session_) {
      if (!rest_until(std::min(open_at_, deadline))) return;
      open_session();
      continue;
    }
    sent = attempt(record, deadline);
    ++attempts;
    over = sent.attempt != Attempt::again && sent.attempt != Attempt::broken;
    if (sent.attempt == Attempt::broken || sent.attempt == Attempt::unknown) drop_session();
    if (!sent.trouble.empty()) tell(observer_.trouble, Error{Remedy::retry, sent.trouble});
    if (!over && !rest_until(Clock::now() + retry_first)) return;
  }
  const bool durable = sent.attempt == Attempt::durable;
  if (durable && ownership_) ownership_->committed(record->progress);
  tell(observer_.recorded,
       Recording{.durable = durable,
                 .results = sent.results,
                 .dead_letters = sent.dead_letters,
                 .attempts = attempts,
                 .took = std::chrono::duration_cast<Milliseconds>(Clock::now() - begun)});
  inbox_.push(Recorded{record->id, durable});
}

RecordSession::Sent KafkaRecorder::Loop::attempt(const std::shared_ptr<const Record>& record,
                                                 Clock::time_point deadline) {
  Ownership::Metadata metadata;
  if (ownership_) {
    metadata = ownership_->metadata_for(record->progress);
    if (!metadata && !(record->progress.empty() && record->conclusions.empty())) {
      return {.attempt = Attempt::refused,
              .trouble = "a record came too late: its partitions are not this worker's any more"};
    }
  }
  const auto until = std::min(deadline, Clock::now() + settings_.transaction_timeout);
  const auto sent = run_errand<RecordSession::Sent>(
      [session = session_, record, metadata, until] {
        return session->send(*record, metadata.get(), until);
      },
      until + call_grace);
  if (sent) return *sent;
  return {.attempt = Attempt::unknown,
          .trouble = "a transaction did not end in time; the Kafka producer is made anew"};
}

KafkaRecorder::KafkaRecorder(RecordSettings settings, crypto::Password password,
                             std::string origin_topic, std::shared_ptr<Ownership> ownership,
                             Inbox& inbox, Observer observer, LedgerTopic ledger)
    : loop_(std::make_unique<Loop>(std::move(settings), std::move(password),
                                   std::move(origin_topic), std::move(ownership), inbox,
                                   std::move(observer), std::move(ledger))) {}

KafkaRecorder::~KafkaRecorder() = default;

Result<void> KafkaRecorder::start() {
  return loop_->start();
}

void KafkaRecorder::record(Record record) {
  loop_->record(std::move(record));
}

void KafkaRecorder::stop() {
  loop_->stop();
}

}  // namespace helsekontakter::kafka
