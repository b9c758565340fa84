#pragma once

#include "worker/domain/delivery.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

namespace helsekontakter::amqp {

/// The deliveries of a link that the broker waits for, by offset, without gaps. Each is accepted
/// some time after it is concluded: RabbitMQ works on a settlement for longer the more deliveries
/// are open before it, so they are accepted in order where that is to be had.
/// `Handle` has accept() and release(), as proton::delivery.
template <class Handle>
class Unsettled {
 public:
  /// `offset`: the next one.
  void add(Offset offset, Handle handle) {
    if (deliveries_.empty()) first_ = offset;
    deliveries_.push_back({std::move(handle), State::open});
    ++count_;
  }

  /// May be accepted. Nothing happens to one that is not here or is concluded already.
  void conclude(Offset offset) {
    const Offset at = offset - first_;
    if (at < 0 || at >= static_cast<Offset>(deliveries_.size())) return;
    State& state = deliveries_[static_cast<std::size_t>(at)].state;
    if (state != State::open) return;
    state = State::concluded;
    ++concluded_;
  }

  /// All that is older than `end`.
  void conclude_below(Offset end) {
    for (Offset offset = first_; offset < end && offset - first_ < ssize(); ++offset) {
      conclude(offset);
    }
  }

  /// Accepts what is concluded, as far as all before it is.
  void accept_in_order() {
    while (!deliveries_.empty() && deliveries_.front().state != State::open) {
      accept(deliveries_.front());
      deliveries_.pop_front();
      ++first_;
    }
  }

  /// Accepts all that is concluded, the older first.
  void accept_all() {
    accept_in_order();
    for (Entry& entry : deliveries_) {
      if (concluded_ == 0) return;
      accept(entry);
    }
  }

  /// Accepts all that is concluded and gives the rest back.
  void give_back() {
    for (Entry& entry : deliveries_) {
      accept(entry);
      if (entry.state == State::open) entry.handle.release();
    }
    forget();
  }

  /// The link is gone, and the broker takes back what is not accepted.
  void forget() {
    deliveries_.clear();
    count_ = concluded_ = 0;
  }

  /// What the broker waits for.
  [[nodiscard]] std::size_t count() const { return count_; }
  /// Of these, what waits here for older ones.
  [[nodiscard]] std::size_t concluded() const { return concluded_; }

 private:
  enum class State : std::uint8_t { open, concluded, accepted };
  struct Entry {
    Handle handle;
    State state;
  };

  [[nodiscard]] Offset ssize() const { return static_cast<Offset>(deliveries_.size()); }

  void accept(Entry& entry) {
    if (entry.state != State::concluded) return;
    entry.handle.accept();
    entry.state = State::accepted;
    --count_;
    --concluded_;
  }

  std::deque<Entry> deliveries_;
  Offset first_ = 0;  ///< of deliveries_
  std::size_t count_ = 0;
  std::size_t concluded_ = 0;
};

}  // namespace helsekontakter::amqp
