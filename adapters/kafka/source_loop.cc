#include "adapters/kafka/source_loop.h"

#include "adapters/kafka/properties.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace helsekontakter::kafka {
namespace {

using namespace std::chrono_literals;

constexpr Milliseconds rest_max{50};
constexpr Milliseconds backoff_first{200};
constexpr Milliseconds backoff_max{10'000};
constexpr std::uint64_t wake_value = 1;

}  // namespace

Wake::Wake() : descriptor_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

Wake::~Wake() {
  ::close(descriptor_);
}

void Wake::raise() const {
  // The only failure is a full counter, and then it is raised already.
  [[maybe_unused]] const auto written = ::write(descriptor_, &wake_value, sizeof wake_value);
}

void Wake::wait(Milliseconds at_most) const {
  pollfd waiting{descriptor_, POLLIN, 0};
  if (::poll(&waiting, 1, static_cast<int>(at_most.count())) <= 0) return;
  std::uint64_t count = 0;
  [[maybe_unused]] const auto taken = ::read(descriptor_, &count, sizeof count);
}

KafkaSource::Loop::Loop(SourceSettings settings, crypto::Password password, Decode decode,
                        Inbox& inbox, Observer observer)
    : settings_(std::move(settings)),
      password_(std::move(password)),
      inbox_(inbox),
      observer_(std::move(observer)),
      ownership_(std::make_shared<Ownership>(settings_.topic, settings_.coordinator_silence_max)),
      assignment_(settings_.topic, settings_.start, !settings_.instance_id.empty(),
                  settings_.ledger_partitions),
      reader_({.topic = settings_.topic, .wake_fd = wake_->descriptor()}, std::move(decode), inbox_,
              assignment_, observer_) {}

KafkaSource::Loop::~Loop() {
  stop(false);
}

Result<void> KafkaSource::Loop::start() {
  const auto refused = refused_properties(settings_.connection);
  if (!refused.empty()) return tl::unexpected(refused.front());
  thread_ = std::thread([this] { run(); });
  return {};
}

void KafkaSource::Loop::order(SourceOrders orders) {
  {
    const std::lock_guard lock(mutex_);
    orders_.push_back(std::move(orders));
  }
  wake_->raise();
}

void KafkaSource::Loop::stop(bool leave_group) {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = leave_group ? Stop::leave : Stop::abandon;
  }
  wake_->raise();
  thread_.join();
}

KafkaSource::Loop::Stop KafkaSource::Loop::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void KafkaSource::Loop::run() {
  while (stopping() == Stop::no) {
    if (client_) {
      turn();
    } else if (Clock::now() >= connect_at_) {
      connect();
    } else {
      rest(false);
    }
  }
  if (client_ && stopping() == Stop::leave) leave();
  ownership_->drop_all();
  reader_.close_all();
  if (queue_) rd_kafka_queue_io_event_enable(queue_.get(), -1, nullptr, 0);
  queue_.reset();
  client_.reset();
}

void KafkaSource::Loop::turn() {
  ownership_->turned();
  std::vector<SourceOrders> orders;
  {
    const std::lock_guard lock(mutex_);
    orders.swap(orders_);
  }
  for (const SourceOrders& order : orders) obey(order);
  serve_events();
  if (!client_) return;  // it was beyond repair
  end_restoration();
  if (!client_) return;
  end_revocation();
  const bool more = reader_.read();
  const std::set<Partition> gaps = reader_.take_gaps();
  if (!gaps.empty()) {
    const std::vector<Partition> partitions(gaps.begin(), gaps.end());
    for (const Partition partition : partitions) {
      ownership_->drop(partition);
      reader_.close(partition);
    }
    push_all(assignment_.reread(partitions));
  }
  begin_restoration();
  rest(more);
}

/// Waits for work. A full inbox is waited for at the inbox, briefly, because the common queue must
/// be served whatever happens.
void KafkaSource::Loop::rest(bool busy) {
  if (!client_) {
    wake_->wait(rest_max);
  } else if (reader_.deliver(Clock::now() + 10ms) && !busy) {
    wake_->wait(rest_max);
  }
}

void KafkaSource::Loop::connect() {
  if (const auto joined = join(); !joined) {
    restart(joined.error());
  } else {
    backoff_ = Milliseconds{0};
  }
}

Result<void> KafkaSource::Loop::join() {
  // The limit of each partition queue is fixed when the consumer is made, so count them first.
  const auto password = password_.read();
  if (!password) return tl::unexpected(password.error());
  const auto asking = make_client(
      RD_KAFKA_PRODUCER, connection_properties(settings_.connection, *password), 0, observer_);
  if (!asking) return tl::unexpected(asking.error());
  const auto partitions = count_partitions((*asking)->get(), settings_.topic, Clock::now() + 2s);
  if (!partitions) return tl::unexpected(partitions.error());

  auto client = make_client(
      RD_KAFKA_CONSUMER, consumer_properties(settings_, *password, *partitions),
      RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_STATS, observer_);
  if (!client) return tl::unexpected(client.error());
  rd_kafka_poll_set_consumer((*client)->get());
  const OwnedList topics(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), settings_.topic.c_str(), RD_KAFKA_PARTITION_UA);
  const auto error = rd_kafka_subscribe((*client)->get(), topics.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return fail(Remedy::retry, "subscribing to " + settings_.topic + ": " +
                                   rd_kafka_err2str(error) + "; check source.kafka.topic");
  }
  client_ = std::move(*client);
  queue_.reset(rd_kafka_queue_get_consumer(client_->get()));
  rd_kafka_queue_io_event_enable(queue_.get(), wake_->descriptor(), &wake_value, sizeof wake_value);
  return {};
}

/// Throws the client away; the next one is made after a pause. Nothing of it may be published.
void KafkaSource::Loop::restart(const Error& why) {
  tell(observer_.trouble, why);
  on_lost();
  ownership_->forget_contact();
  if (queue_) rd_kafka_queue_io_event_enable(queue_.get(), -1, nullptr, 0);
  queue_.reset();
  client_.reset();
  restoration_.reset();
  assign_is_due_ = unassign_is_due_ = false;
  backoff_ = std::clamp(backoff_ * 2, backoff_first, backoff_max);
  connect_at_ = Clock::now() + backoff_;
}

/// Leaves the group in good order: the others need not wait until our session is over.
void KafkaSource::Loop::leave() {
  reader_.close_all();
  const auto deadline = Clock::now() + 5s;
  const OwnedError refused(rd_kafka_consumer_close_queue(client_->get(), queue_.get()));
  if (refused) return;
  while (rd_kafka_consumer_closed(client_->get()) == 0 && Clock::now() < deadline) {
    const OwnedEvent event(rd_kafka_queue_poll(queue_.get(), 50));
    if (event && rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_REBALANCE) {
      rd_kafka_assign(client_->get(), nullptr);
    }
  }
}

void KafkaSource::Loop::obey(const SourceOrders& orders) {
  const auto set_paused = [&](const std::vector<SourceOrders::Owned>& partitions, bool paused) {
    for (const auto& [partition, epoch] : partitions) {
      auto* part = assignment_.find(partition);
      if (part != nullptr && part->epoch == epoch) part->paused = paused;
    }
  };
  set_paused(orders.pause, true);
  set_paused(orders.resume, false);
  for (const auto& [partition, epoch] : orders.release) {
    if (assignment_.release(partition, epoch)) ownership_->drop(partition);
  }
  if (orders.reread.empty()) return;
  for (const Partition partition : orders.reread) {
    const auto* part = assignment_.find(partition);
    if (part == nullptr || part->state == Assignment::State::restoring) continue;
    ownership_->drop(partition);
    reader_.close(partition);
  }
  push_all(assignment_.reread(orders.reread));
}

void KafkaSource::Loop::serve_events() {
  for (int i = 0; i < 1000 && client_; ++i) {
    const OwnedEvent event(rd_kafka_queue_poll(queue_.get(), 0));
    if (!event) return;
    serve(*event);
  }
}

void KafkaSource::Loop::serve(rd_kafka_event_t& event) {
  switch (rd_kafka_event_type(&event)) {
    case RD_KAFKA_EVENT_REBALANCE:
      on_rebalance(event);
      return;
    case RD_KAFKA_EVENT_ERROR:
      on_error(event);
      return;
    case RD_KAFKA_EVENT_STATS:
      on_statistics(event);
      return;
    case RD_KAFKA_EVENT_FETCH:
      // Cannot be after Reader::open(). Should it be, its order among the others is not known.
      restart({Remedy::retry, "records of " + settings_.topic +
                                  " came by the consumer's common queue; the Kafka client is made "
                                  "anew. Tell the developers which librdkafka this is"});
      return;
    default:
      return;
  }
}

void KafkaSource::Loop::push_all(std::vector<Input> inputs) {
  for (Input& input : inputs) inbox_.push(std::move(input));
}

KafkaSource::KafkaSource(SourceSettings settings, crypto::Password password, Decode decode,
                         Inbox& inbox, Observer observer)
    : loop_(std::make_unique<Loop>(std::move(settings), std::move(password), std::move(decode),
                                   inbox, std::move(observer))) {}

KafkaSource::~KafkaSource() = default;

Result<void> KafkaSource::start() {
  return loop_->start();
}

void KafkaSource::order(SourceOrders orders) {
  loop_->order(std::move(orders));
}

void KafkaSource::stop(bool leave_group) {
  loop_->stop(leave_group);
}

bool KafkaSource::still_ours(std::span<const std::pair<Partition, Epoch>> under) const {
  return loop_->ownership()->still_ours(under);
}

std::shared_ptr<Ownership> KafkaSource::ownership() const {
  return loop_->ownership();
}

}  // namespace helsekontakter::kafka
