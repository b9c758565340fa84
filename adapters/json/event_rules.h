#pragma once

#include "adapters/crypto/keyed_hash.h"
#include "adapters/json/event_data.h"
#include "adapters/json/event_decoder.h"
#include "adapters/json/event_fields.h"
#include "adapters/json/member_entry.h"
#include "worker/domain/delivery.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace helsekontakter::json {

/// What the rules need of the event besides its data.
struct EventFacts {
  std::string_view id;
  std::string_view source;
  std::string_view resend;
  std::int64_t version = 0;
  std::optional<std::chrono::sys_days> date;  ///< of the event's time, for an open end
};

/// Texts of a change that its rules make. The views live until the next event.
struct ChangeTexts {
  std::string_view identifier;
  std::string_view entry;
  std::string_view head;
};

/// Applies the rules of design 5 to readable data and makes the change: its key, hashes, fullUrl
/// and entries. One per thread.
class EventRules {
 public:
  EventRules(const DecoderSettings& settings, const crypto::KeyedHash& hash)
      : settings_(&settings), hash_(&hash), member_entry_(settings.form) {}

  [[nodiscard]] Check apply(const MembershipFields& fields, const EventFacts& facts,
                            const Place& place, std::optional<Change>& change, ChangeTexts& texts);
  [[nodiscard]] Check apply(OfferingFields& fields, const EventFacts& facts, const Place& place,
                            std::optional<Change>& change, ChangeTexts& texts);

 private:
  [[nodiscard]] Check environment(const NationalId& member, const Place& place) const;
  [[nodiscard]] Change start_change(Lane lane, OrganizationNumber organization,
                                    const EventFacts& facts) const;
  [[nodiscard]] ContentDigest offering_content(const OfferingFields& fields,
                                               std::string_view number,
                                               std::string_view service_id);

  const DecoderSettings* settings_;
  const crypto::KeyedHash* hash_;
  MemberEntry member_entry_;
  std::string canonical_;
  std::string service_id_;
  std::string entries_;
  std::string head_;
};

}  // namespace helsekontakter::json
