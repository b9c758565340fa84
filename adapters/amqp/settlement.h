#pragma once

#include "worker/ports/commands.h"

#include <vector>

namespace helsekontakter::amqp {

/// Deliveries of a queue that are concluded and durable. Those of an older epoch have been given
/// back to the broker, who delivers them again.
struct Settlement {
  std::vector<std::pair<Epoch, Offset>> deliveries;
  std::vector<std::pair<Epoch, Offset>> below;  ///< everything below, too
};

/// What a record settles, once it is durable.
[[nodiscard]] inline Settlement settlement_of(const Record& record) {
  Settlement settlement;
  settlement.deliveries.reserve(record.conclusions.size());
  for (const Conclusion& conclusion : record.conclusions) {
    if (!conclusion.settles) continue;
    settlement.deliveries.emplace_back(conclusion.delivery->epoch,
                                       conclusion.delivery->position.offset);
  }
  for (const Progress& progress : record.progress) {
    settlement.below.emplace_back(progress.epoch, progress.committed);
  }
  return settlement;
}

}  // namespace helsekontakter::amqp
