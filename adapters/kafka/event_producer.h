#pragma once

#include "adapters/kafka/client.h"
#include "adapters/kafka/settings.h"
#include "worker/domain/delivery.h"
#include "worker/domain/result.h"

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace helsekontakter::kafka {

/// Writes change events to the input topic, for `import` and `replay`: idempotent, every one
/// confirmed by all replicas that are in step. One thread; blocks its caller.
class EventProducer {
 public:
  struct Where {
    Connection connection;
    std::string password;
    std::string topic;
    std::string transactional_id;          ///< empty: no transaction
    bool java_partitioner = true;          ///< where no partition is named; else librdkafka's own
    Milliseconds message_timeout{60'000};  ///< an event that is not confirmed by then has failed
  };
  struct Event {
    std::optional<Partition> partition;  ///< none: by the hash of the key
    std::optional<std::string_view> key;
    std::string_view value;
    std::span<const std::pair<std::string_view, std::string_view>> headers;
  };

  /// With a transaction: it is begun, and ends by commit(), or as if it had never been.
  [[nodiscard]] static Result<EventProducer> open(const Where& where, const Observer& observer);

  /// Takes it; waits while 64 MiB are under way. After an event that failed, so does this.
  [[nodiscard]] Result<void> send(const Event& event);
  /// Returns when every event is confirmed.
  [[nodiscard]] Result<void> flush();
  /// flush(), and makes the transaction visible. On an error nothing of it is seen, unless the
  /// message says that it is not known.
  [[nodiscard]] Result<void> commit();

  /// Gives the transaction up, so that readers do not wait for its end; ten seconds at most.
  void abort();

  [[nodiscard]] std::size_t confirmed() const { return confirmed_; }

 private:
  EventProducer(SharedClient client, const Where& where);
  void poll(int wait_ms);
  [[nodiscard]] tl::unexpected<Error> failed(const std::string& why) const;

  SharedClient client_;
  OwnedQueue events_;
  std::string topic_;
  Milliseconds message_timeout_;
  std::size_t sent_ = 0;
  std::size_t confirmed_ = 0;
  std::string trouble_;  ///< of the first event that failed
};

}  // namespace helsekontakter::kafka
