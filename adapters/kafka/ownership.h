#pragma once

#include "adapters/kafka/client.h"
#include "adapters/kafka/coordinator_contact.h"
#include "worker/ports/commands.h"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace helsekontakter::kafka {

/// Both clocks as they are now.
[[nodiscard]] CoordinatorContact::Clocks read_clocks();

/// What the source, the recorder and the endpoint must agree on: which partitions are ours, under
/// which epoch, and the group metadata of that assignment. Any thread may call; nothing blocks.
class Ownership {
 public:
  using Metadata = std::shared_ptr<const GroupMetadata>;

  Ownership(std::string topic, CoordinatorContact::Duration silence_max)
      : topic_(std::move(topic)), contact_(silence_max) {}

  // The source's thread.
  void take(Partition partition, Epoch epoch, Offset committed, Metadata metadata);
  /// To be let go: no request may begin under it, records still may.
  void leave(Partition partition);
  void drop(Partition partition);
  void drop_all();
  void turned();
  void heard(CoordinatorContact::Duration silence);
  void forget_contact();

  /// True when all of it is ours under those epochs and the coordinator was heard from recently.
  /// For the endpoint, right before the first byte of a request.
  [[nodiscard]] bool still_ours(std::span<const std::pair<Partition, Epoch>> under) const;

  /// The group metadata captured at the assignment of these partitions; nullptr when one of them
  /// is not ours under that epoch any more. A fresh one would be accepted by the broker even when
  /// the partition is somebody else's (measured).
  [[nodiscard]] Metadata metadata_for(std::span<const Progress> progress) const;

  /// Recorder: these offsets are durable.
  void committed(std::span<const Progress> progress);
  [[nodiscard]] std::optional<Offset> committed(Partition partition) const;

  [[nodiscard]] const std::string& topic() const { return topic_; }

 private:
  struct Share {
    Epoch epoch{};
    Offset committed = 0;
    bool leaving = false;
    Metadata metadata;
  };

  const std::string topic_;
  mutable std::mutex mutex_;
  std::map<Partition, Share> shares_;
  CoordinatorContact contact_;
};

}  // namespace helsekontakter::kafka
