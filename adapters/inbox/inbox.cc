#include "adapters/inbox/inbox.h"

#include <utility>

namespace helsekontakter {

void Inbox::push(Input input) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(input));
  }
  arrived_.notify_one();
}

bool Inbox::push(std::vector<Delivery>& deliveries,
                 std::chrono::steady_clock::time_point deadline) {
  std::size_t bytes = 0;
  for (const Delivery& delivery : deliveries) bytes += delivery.cost();
  {
    std::unique_lock lock(mutex_);
    const auto fits = [&] {
      return delivery_bytes_ == 0 || delivery_bytes_ + bytes <= delivery_bytes_max_;
    };
    if (!room_.wait_until(lock, deadline, fits)) return false;
    delivery_bytes_ += bytes;
    waiting_.emplace_back(Delivered{std::move(deliveries)});
  }
  deliveries = {};
  arrived_.notify_one();
  return true;
}

void Inbox::take(std::vector<Input>& inputs, std::chrono::steady_clock::time_point deadline) {
  inputs.clear();
  {
    std::unique_lock lock(mutex_);
    arrived_.wait_until(lock, deadline, [&] { return !waiting_.empty(); });
    inputs.swap(waiting_);
    delivery_bytes_ = 0;
  }
  room_.notify_all();
}

std::size_t Inbox::delivery_bytes() const {
  const std::lock_guard lock(mutex_);
  return delivery_bytes_;
}

}  // namespace helsekontakter
