#pragma once

#include "adapters/crypto/keyed_hash.h"
#include "worker/domain/delivery.h"

#include <string_view>

// How an event's keys, hashes and fullUrls are made: one place, because the ledger, `show` and
// `replay` must make the same. The namespaces and names stand in schemas/README.md.

namespace helsekontakter::json {

inline constexpr Uuid event_namespace{{0xcf, 0x5e, 0x87, 0x45, 0xff, 0xbe, 0x52, 0x40, 0x90, 0x40,
                                       0x0a, 0x7d, 0x2c, 0x43, 0x53, 0x04}};
inline constexpr Uuid organization_namespace{{0xda, 0x71, 0xda, 0xe8, 0x65, 0xef, 0x57, 0x8c, 0x97,
                                              0x79, 0xd7, 0x4b, 0xe8, 0xca, 0x71, 0xdd}};
inline constexpr Uuid location_namespace{{0x40, 0xaa, 0x20, 0xa9, 0x3c, 0xf5, 0x57, 0x56, 0xa2,
                                          0xab, 0x70, 0x39, 0x90, 0xe4, 0xff, 0xce}};

[[nodiscard]] inline MemberKey member_key(const crypto::KeyedHash& hash,
                                          std::string_view organization, std::string_view member) {
  return hash.digest<MemberKeyTag>({"m", organization, member});
}

/// `service` in lower case.
[[nodiscard]] inline MemberKey offering_key(const crypto::KeyedHash& hash,
                                            std::string_view organization,
                                            std::string_view service) {
  return hash.digest<MemberKeyTag>({"o", organization, service});
}

/// `resend` is empty for an event that is not a resend.
[[nodiscard]] inline EventDigest event_digest(const crypto::KeyedHash& hash,
                                              std::string_view source, std::string_view id,
                                              std::string_view resend) {
  return hash.digest<EventDigestTag>({source, id, resend});
}

/// fullUrl of the entry that an event becomes: the same for a resend of it.
[[nodiscard]] inline Uuid entry_url(std::string_view source, std::string_view id) {
  return crypto::uuid_v5(event_namespace, {source, id});
}

[[nodiscard]] inline Uuid organization_url(std::string_view number) {
  return crypto::uuid_v5(organization_namespace, {number});
}

/// `location` is the sender's id of it, or "#" and its index. Holds the service, because two
/// offerings that name the same location may share a Bundle, whose fullUrls are distinct (bdl-7).
[[nodiscard]] inline Uuid location_url(std::string_view service, std::string_view location) {
  return crypto::uuid_v5(location_namespace, {service, location});
}

}  // namespace helsekontakter::json
