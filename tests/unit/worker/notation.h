#pragma once

#include "worker/domain/delivery.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace helsekontakter::test {

/// An organisation by name: sio, sit and sammen are known, "o17" is the 17th of many.
[[nodiscard]] OrganizationNumber organization(std::string_view name);

/// One change event in words:
///   [organisation:][#]name@version[=content][^][~][*bytes][/partition]
/// `#`: an offering; `=`: its data, which otherwise is its version's own; `^`: it ends with the
/// second day of 1970; `~`: a resend; `*`: bytes of its entry; without an organisation it is sio's.
/// "?" is an event that cannot be decoded, "sit:?" one of which the organisation can be read, "-" a
/// null value.
struct Event {
  std::string text;  ///< as written, without bytes and partition
  std::string organization = "sio";
  std::string name;
  std::int64_t version = 0;
  std::string content;
  bool offering = false;
  bool is_over = false;
  bool resend = false;
  std::size_t bytes = 0;  ///< 0: as long as it needs to be
  std::int32_t partition = 0;
};

/// Reads events that are parted by spaces; throws std::invalid_argument for anything else.
[[nodiscard]] std::vector<Event> events(std::string_view text);

/// The event as the decoder hands it over.
[[nodiscard]] Delivery delivery(const Event& event, Offset offset, Epoch epoch);

}  // namespace helsekontakter::test
