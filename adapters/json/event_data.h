#pragma once

#include "adapters/json/event_fields.h"
#include "worker/fhir/bundle.h"

#include <cstdint>
#include <string_view>
#include <vector>

#include <simdjson.h>

namespace helsekontakter::json {

/// `version` of the data, as it stands there.
struct DataVersion {
  enum class State : std::uint8_t { missing, invalid, valid };
  State state = State::missing;
  std::int64_t value = 0;
};

/// The highest version: beyond it JavaScript and JSON's usual readers lose the last digit.
inline constexpr std::int64_t version_max = (std::int64_t{1} << 53) - 1;

/// The data of a membership event: types are right and required texts are there; the rules have
/// not been applied. The views live as long as the parsed document.
struct MembershipFields {
  std::string_view organization;
  std::string_view member;
  std::string_view start;
  std::string_view end;  ///< empty: absent
  bool ended = false;
  DataVersion version;
};

struct LocationFields {
  std::string_view id;  ///< empty: absent
  fhir::Location location;
};

/// The data of an offering event, likewise.
struct OfferingFields {
  std::string_view number;
  std::string_view name;
  std::string_view business_id;
  std::string_view service_id;
  fhir::Service service;
  std::vector<LocationFields> locations;
  DataVersion version;
};

[[nodiscard]] Check read_membership(const simdjson::dom::object& data, const Place& place,
                                    std::uint64_t& unknown, MembershipFields& out);
[[nodiscard]] Check read_offering(const simdjson::dom::object& data, const Place& place,
                                  std::uint64_t& unknown, OfferingFields& out);

/// What can be told of an event that has a fault: read without checking anything else.
struct Glimpse {
  std::string_view organization;  ///< as it stands there; empty: none
  DataVersion version;
};
[[nodiscard]] Glimpse glimpse(const simdjson::dom::element& data);

}  // namespace helsekontakter::json
