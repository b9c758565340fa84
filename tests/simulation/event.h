#pragma once

#include "worker/domain/delivery.h"

#include <cstdint>
#include <cstring>
#include <string>

namespace helsekontakter::simulation {

/// How the endpoint takes a change.
enum class Nature : std::uint8_t {
  good,
  inactive,    ///< its entry is answered with 2118
  invalid,     ///< its entry is answered with 2109
  poison_400,  ///< a batch that holds it is refused as a whole
  poison_500,  ///< a batch that holds it fails, until the storm is over
  garbles,     ///< the answer to a batch that holds it is unreadable, until the storm is over
};

/// The endpoint keeps it in the end. An inactive member may become active.
[[nodiscard]] inline bool is_applied(Nature nature) {
  return nature == Nature::good || nature == Nature::poison_500 || nature == Nature::garbles;
}

/// One change event of the input topic.
struct Event {
  std::uint32_t member = 0;
  std::uint32_t version = 0;
  std::uint32_t content = 0;       ///< equal: nothing but the version changed
  std::uint32_t organization = 0;  ///< index
  Lane lane = Lane::members;
  Nature nature = Nature::good;
  bool undecodable = false;
  bool names_organization = false;  ///< undecodable, but for the organisation
  bool tombstone = false;
  std::uint32_t size = 40;  ///< bytes of its entry

  /// "m7@2": member 7, version 2.
  [[nodiscard]] std::string text() const {
    return (lane == Lane::members ? "m" : "o") + std::to_string(member) + "@" +
           std::to_string(version);
  }
};

/// What the endpoint model reads back of an entry: the event's place in the input.
inline Uuid full_url_of(Partition partition, Offset offset) {
  Uuid uuid;
  std::memcpy(uuid.bytes.data(), &partition, sizeof partition);
  std::memcpy(uuid.bytes.data() + 8, &offset, sizeof offset);
  return uuid;
}

inline Position position_of(const Uuid& uuid) {
  Position position;
  std::memcpy(&position.partition, uuid.bytes.data(), sizeof position.partition);
  std::memcpy(&position.offset, uuid.bytes.data() + 8, sizeof position.offset);
  return position;
}

}  // namespace helsekontakter::simulation
