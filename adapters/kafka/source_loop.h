#pragma once

#include "adapters/kafka/assignment.h"
#include "adapters/kafka/client.h"
#include "adapters/kafka/offsets.h"
#include "adapters/kafka/source.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace helsekontakter::kafka {

/// An eventfd, shared by those that wake the source's thread and by the thread that sleeps on it.
class Wake {
 public:
  Wake();
  ~Wake();
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;

  void raise() const;
  /// Sleeps until it was raised, at most so long.
  void wait(Milliseconds at_most) const;
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

/// The thread behind KafkaSource and all that it owns. Other threads reach it by the mailbox
/// (`orders_`, `stopping_`) and by `ownership()` only.
class KafkaSource::Loop {
 public:
  Loop(SourceSettings settings, crypto::Password password, Decode decode, Inbox& inbox,
       Observer observer);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  [[nodiscard]] Result<void> start();
  void order(SourceOrders orders);
  void stop(bool leave_group);
  [[nodiscard]] const std::shared_ptr<Ownership>& ownership() const { return ownership_; }

 private:
  using Clock = std::chrono::steady_clock;
  enum class Stop : std::uint8_t { no, abandon, leave };

  /// The answer of a helper thread, which may come when nobody waits for it any more.
  struct Restoration {
    std::mutex mutex;
    std::optional<Result<BoundsRead>> answer;
    std::vector<Partition> partitions;
    Clock::time_point deadline;
  };

  // source_loop.cc: the life of the client
  void run();
  void turn();
  void connect();
  [[nodiscard]] Result<void> join();
  void restart(const Error& why);
  void leave();
  void obey(const SourceOrders& orders);
  void serve_events();
  void serve(rd_kafka_event_t& event);
  void rest(bool busy);
  [[nodiscard]] Stop stopping() const;

  // source_assignment.cc: the life of an assignment
  void on_rebalance(rd_kafka_event_t& event);
  void on_assigned(const rd_kafka_topic_partition_list_t* list);
  void on_revoked();
  void on_lost();
  void end_revocation();
  void unassign();
  void begin_restoration();
  void end_restoration();
  void restored(const BoundsRead& read, const std::vector<Partition>& partitions);
  void assign(std::vector<Input> news);
  void on_error(rd_kafka_event_t& event);
  void on_statistics(rd_kafka_event_t& event);
  void tell_lag();
  void push_all(std::vector<Input> inputs);

  const SourceSettings settings_;
  const crypto::Password password_;
  Inbox& inbox_;
  const Observer observer_;
  const std::shared_ptr<Ownership> ownership_;
  const std::shared_ptr<Wake> wake_ = std::make_shared<Wake>();

  mutable std::mutex mutex_;  ///< guards the two below
  std::vector<SourceOrders> orders_;
  Stop stopping_ = Stop::no;

  SharedClient client_;
  OwnedQueue queue_;  ///< the consumer's common queue: events, never records
  Assignment assignment_;
  Reader reader_;
  Ownership::Metadata metadata_;   ///< of the present assignment
  bool assign_is_due_ = false;     ///< the group waits for our assign
  bool unassign_is_due_ = false;   ///< the group waits for our unassign
  Clock::time_point let_go_at_{};  ///< at the latest
  std::shared_ptr<Restoration> restoration_;
  Clock::time_point restore_at_{};  ///< not before: pause after a failure
  Clock::time_point check_held_at_{};
  Milliseconds backoff_{0};
  Clock::time_point connect_at_{};
  std::string last_trouble_;
  std::thread thread_;
};

}  // namespace helsekontakter::kafka
