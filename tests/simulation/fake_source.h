#pragma once

#include "tests/simulation/broker.h"
#include "worker/ports/inputs.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace helsekontakter::simulation {

/// What one process holds of the broker: a source without threads and waits, whose inputs are
/// handed back instead of pushed. Passes the contract of the source port (tests/contract/ports).
class FakeSource {
 public:
  explicit FakeSource(Broker& broker) : broker_(&broker) {}

  /// From now on only a record under `owner` may commit the partition. Both numbers are new.
  [[nodiscard]] Assigned assign(Partition partition, Epoch epoch, std::uint64_t owner);
  /// Nothing more is read; each is held until its release.
  [[nodiscard]] std::vector<Revoked> revoke_all();
  [[nodiscard]] std::vector<Lost> lose_all();
  /// Lets go of one that is to be read again. None: it is not held, or is being revoked.
  [[nodiscard]] std::optional<Lost> lose(Partition partition);

  void set_paused(SourceOrders::Owned order, bool paused);
  /// False: the order was void.
  bool release(SourceOrders::Owned order);

  /// Where there is something to ask for.
  [[nodiscard]] std::vector<Partition> readable() const;
  /// The next events, and that the end was reached.
  [[nodiscard]] std::vector<Input> read(Partition partition, std::size_t events_max);

  [[nodiscard]] bool holds(Partition partition, Epoch epoch) const;
  [[nodiscard]] bool holds_nothing() const { return held_.empty(); }
  /// For Broker::commit.
  [[nodiscard]] std::map<Partition, std::uint64_t> owners() const;
  /// A line for each partition.
  [[nodiscard]] std::string describe() const;

 private:
  struct Held {
    Epoch epoch{};
    std::uint64_t owner = 0;
    Offset next = 0;
    bool paused = false;
    bool revoking = false;
  };

  Broker* broker_;
  std::map<Partition, Held> held_;
};

}  // namespace helsekontakter::simulation
