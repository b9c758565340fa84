#pragma once

#include "worker/fhir/bundle.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace helsekontakter::fhir::samples {

/// A UUID whose bytes are all this one.
inline Uuid uuid(std::uint8_t byte) {
  Uuid value;
  value.bytes.fill(byte);
  return value;
}

inline Membership membership() {
  return {.full_url = uuid(0xaa),
          .member = "13116900216",
          .is_d_number = false,
          .organization = "948554062",
          .start = "2026-01-01",
          .end = "2026-06-30"};
}

inline Organization organization() {
  return {.full_url = uuid(0x0a), .number = "948554062", .name = "SiO", .business_id = "4711"};
}

inline Location location(std::uint8_t byte = 0x10) {
  return {.full_url = uuid(byte),
          .line = {"Problemveien 9"},
          .city = "Oslo",
          .postal_code = "0313",
          .telecom = {{"phone", "22853200"}, {"url", "https://sio.no"}}};
}

inline Service service() {
  return {.full_url = uuid(0x5e),
          .id = "5e5e5e5e-5e5e-4e5e-8e5e-5e5e5e5e5e5e",
          .active = true,
          .name = "Helse",
          .comment = "Time hos lege",
          .her_id = "129688"};
}

inline std::string member_entry(const BundleForm& form, const Membership& membership) {
  std::string out;
  append_member_entry(out, form, membership);
  return out;
}

inline std::string organization_entry(const BundleForm& form, const Organization& organization) {
  std::string out;
  append_organization_entry(out, form, organization);
  return out;
}

inline std::string offering_entries(const BundleForm& form, const std::vector<Location>& locations,
                                    const Service& service) {
  std::string out;
  append_offering_entries(out, form, organization(), locations, service);
  return out;
}

}  // namespace helsekontakter::fhir::samples
