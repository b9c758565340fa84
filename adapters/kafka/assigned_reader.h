#pragma once

#include "adapters/kafka/assignment.h"
#include "adapters/kafka/client.h"
#include "adapters/kafka/settings.h"
#include "worker/domain/result.h"

#include <cstddef>
#include <functional>
#include <map>
#include <string>

namespace helsekontakter::kafka {

/// A consumer that chooses its partitions itself: it joins no group and commits nothing. Used by
/// one thread at a time.
class AssignedReader {
 public:
  /// Called for each message and each end of a partition, and for errors. False: what was fetched
  /// with it is dropped, and nothing more is wanted.
  using Take = std::function<Result<bool>(const rd_kafka_message_t& message)>;

  /// read_committed, ends of partitions told, an offset that is gone told as an error. `group` is
  /// only what the right to read is asked for.
  [[nodiscard]] static Properties properties(const Connection& connection,
                                             const std::string& password, const std::string& group);
  /// The value of queued.max.messages.kbytes with which `partitions` together hold `bytes_max`.
  [[nodiscard]] static std::string queued_kbytes(std::size_t bytes_max, std::size_t partitions);

  /// Begins to fetch from these offsets. Fails with what librdkafka says of the properties or of
  /// the assignment.
  [[nodiscard]] static Result<AssignedReader> open(const Properties& properties,
                                                   const std::string& topic,
                                                   const std::map<Partition, Offset>& from,
                                                   const Observer& observer);

  /// What has come, or what comes within 100 ms. Returns what `take` answered last; true when
  /// nothing came.
  [[nodiscard]] Result<bool> poll(const Take& take);

  /// For questions beside the reading.
  [[nodiscard]] rd_kafka_t* client() const { return client_->get(); }

 private:
  AssignedReader(SharedClient client, OwnedQueue queue)
      : client_(std::move(client)), queue_(std::move(queue)) {}

  SharedClient client_;
  OwnedQueue queue_;
};

}  // namespace helsekontakter::kafka
