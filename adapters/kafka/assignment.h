#pragma once

#include "adapters/kafka/settings.h"
#include "worker/ports/inputs.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace helsekontakter::kafka {

/// What the broker says about one partition before it is read.
struct Bounds {
  std::optional<Offset> committed;  ///< none: never committed, or lost
  std::string metadata;
  Offset first = 0;              ///< the log's start
  Offset end = 0;                ///< one past the last that a read_committed reader may see
  bool known_to_ledger = false;  ///< asked only where nothing is committed
};

/// The life of each partition of the present assignment: restoring → reading → revoking, with held
/// beside it. Decides epochs and what the core is told; pure, so that it is tested without a
/// broker. Owned by the source's thread.
class Assignment {
 public:
  enum class State : std::uint8_t {
    restoring,  ///< ours, but where to begin is not known yet. The core does not know of it
    held,       ///< must not be read: what is next is gone, ... The core does not know of it
    reading,    ///< the core knows it under its epoch
    revoking,   ///< the core was asked to let go
  };
  struct Part {
    State state = State::restoring;
    Epoch epoch{};
    Offset next = 0;      ///< the next offset to be delivered
    Offset reached = -1;  ///< the last position told by ReachedPosition
    bool paused = false;
  };

  /// `is_static`: a member that is back at once, so nobody waited until its requests were over.
  /// `ledger_partitions`: how many the ledger was made for; 0: not compared.
  Assignment(std::string topic, Start start, bool is_static = false,
             std::uint32_t ledger_partitions = 0)
      : topic_(std::move(topic)),
        start_(start),
        is_static_(is_static),
        ledger_partitions_(ledger_partitions) {}

  /// A new assignment; each partition is to be restored.
  void begin(std::span<const Partition> partitions);

  struct Restored {
    std::optional<Assigned> assigned;  ///< reading begins at its `committed`
    std::string hold;                  ///< or why it cannot: what is wrong, what to do
    bool newly_held = false;
  };
  /// Where to read, now that the bounds are known, and how many partitions the topic has. Only for
  /// a partition that waits for it.
  [[nodiscard]] Restored restore(Partition partition, const Bounds& bounds, std::uint32_t total);

  /// The group wants all of it back. What the core does not know of is gone at once.
  [[nodiscard]] std::vector<Input> revoke();
  /// The core let go of it; true when that was news.
  bool release(Partition partition, Epoch epoch);
  [[nodiscard]] bool is_revoking() const;
  /// All of it is gone.
  [[nodiscard]] std::vector<Input> lose();
  /// Read anew from what is committed, under a new epoch. Unknown partitions are ignored.
  [[nodiscard]] std::vector<Input> reread(std::span<const Partition> partitions);

  /// Notes a position told to the core; false when it was told already.
  bool reach(Partition partition, Offset position);

  [[nodiscard]] std::vector<Partition> in(State state) const;
  [[nodiscard]] Part* find(Partition partition);
  [[nodiscard]] std::map<Partition, Part>& parts() { return parts_; }

 private:
  /// Why no partition can be read: keys have moved between them. Empty: they have not.
  [[nodiscard]] std::string moved_keys(std::uint32_t total) const;
  /// Why the partition cannot be read from where it should be; empty: it can.
  [[nodiscard]] std::string lost_offset(Partition partition, const Bounds& bounds) const;

  const std::string topic_;
  const Start start_;
  const bool is_static_;
  const std::uint32_t ledger_partitions_;
  std::set<Partition> known_;  ///< that this process had before; of them the core knows itself
  std::uint64_t epochs_ = 0;
  std::map<Partition, Part> parts_;
};

}  // namespace helsekontakter::kafka
