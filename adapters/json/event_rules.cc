#include "adapters/json/event_rules.h"

#include "adapters/json/calendar.h"
#include "adapters/json/event_identity.h"
#include "worker/fhir/bundle.h"

#include <algorithm>
#include <array>
#include <limits>
#include <variant>

namespace helsekontakter::json {
namespace {

/// A Bundle counts its entries in 16 bits, and no endpoint takes a tenth of this.
constexpr std::size_t locations_max = 10'000;

Reason reason_of(NationalIdFault fault) {
  switch (fault) {
    case NationalIdFault::not_eleven_digits:
      return Reason::member_malformed;
    case NationalIdFault::date:
      return Reason::member_date;
    case NationalIdFault::check_digit:
      break;
  }
  return Reason::member_check_digit;
}

struct Period {
  std::string_view start;
  std::string_view end;            ///< empty: open
  std::array<char, 10> horizon{};  ///< holds `end` where we chose it
  std::int32_t last_day = 0;       ///< `end` in days since 1970; 0: open
};

/// The end that member.open_end gives to a period without one.
Check close_period(const DecoderSettings& settings, const MembershipFields& fields,
                   const EventFacts& facts, const Place& place, Period& period) {
  const Place here(place, "end");
  if (fields.ended || settings.open_end == OpenEnd::reject) {
    return here.fault(Reason::period_end_missing);
  }
  if (settings.open_end == OpenEnd::omit) return std::nullopt;
  // The horizon counts from the event's own time, or a resend would not be identical.
  if (!facts.date) return here.fault(Reason::period_end_missing);
  const auto end = date_text(*facts.date + settings.horizon);
  if (!end) return here.fault(Reason::period_invalid);
  period.horizon = *end;
  period.end = {period.horizon.data(), period.horizon.size()};
  return std::nullopt;
}

Check check_period(const DecoderSettings& settings, const MembershipFields& fields,
                   const EventFacts& facts, const Place& data, Period& period) {
  const Place place(data, "period");
  const auto start = parse_date(fields.start);
  if (!start) return Place(place, "start").fault(Reason::period_invalid);
  period.start = fields.start;
  period.end = fields.end;
  if (fields.end.empty()) {
    if (Check fault = close_period(settings, fields, facts, place, period)) return fault;
    if (period.end.empty()) return std::nullopt;
  }
  const auto end = parse_date(period.end);
  if (!end) return Place(place, "end").fault(Reason::period_invalid);
  if (*end < *start) return Place(place, "end").fault(Reason::period_reversed);
  period.last_day = static_cast<std::int32_t>(end->time_since_epoch().count());
  return std::nullopt;
}

/// FHIR R4, ContactPointSystem.
bool is_contact_system(std::string_view system) {
  static constexpr std::array<std::string_view, 7> systems{"phone", "fax", "email", "pager",
                                                           "url",   "sms", "other"};
  return std::find(systems.begin(), systems.end(), system) != systems.end();
}

Check check_location(const LocationFields& fields, const Place& place) {
  if (fields.location.line.empty()) return Place(place, "line").fault(Reason::offering_invalid);
  const Place telecoms(place, "telecom");
  for (std::size_t i = 0; i < fields.location.telecom.size(); ++i) {
    if (is_contact_system(fields.location.telecom[i].system)) continue;
    return Place(Place(telecoms, i), "system").fault(Reason::offering_invalid);
  }
  return std::nullopt;
}

/// Checks the locations and gives them their fullUrls, which have to differ (FHIR R4, bdl-7).
Check name_locations(OfferingFields& fields, std::string_view service_id, const Place& data) {
  const Place place(data, "locations");
  if (fields.locations.empty()) return place.fault(Reason::offering_invalid);
  if (fields.locations.size() > locations_max) return place.fault(Reason::change_too_large);
  std::vector<Uuid> urls;
  for (std::size_t i = 0; i < fields.locations.size(); ++i) {
    LocationFields& location = fields.locations[i];
    if (Check fault = check_location(location, Place(place, i))) return fault;
    std::string name(location.id);
    if (name.empty()) name.append("#").append(std::to_string(i));
    location.location.full_url = location_url(service_id, name);
    urls.push_back(location.location.full_url);
  }
  std::sort(urls.begin(), urls.end());
  if (std::adjacent_find(urls.begin(), urls.end()) == urls.end()) return std::nullopt;
  return place.fault(Reason::offering_invalid);
}

void append_texts(std::string& out, std::initializer_list<std::string_view> texts) {
  for (const std::string_view text : texts) {
    fhir::append_json_string(out, text);
    out += ',';
  }
}

}  // namespace

Change EventRules::start_change(Lane lane, OrganizationNumber organization,
                                const EventFacts& facts) const {
  return Change{.lane = lane,
                .organization = organization,
                .key = {},
                .event = event_digest(*hash_, facts.source, facts.id, facts.resend),
                .content = {},
                .version = facts.version,
                .full_url = entry_url(facts.source, facts.id),
                .head = {},
                .entries = 1,
                .resend = !facts.resend.empty()};
}

Check EventRules::environment(const NationalId& member, const Place& place) const {
  if (member.is_synthetic()) {
    if (settings_->synthetic_allowed) return std::nullopt;
    return Place(place, "member").fault(Reason::member_synthetic);
  }
  if (settings_->real_allowed || settings_->test_allow.count(std::string(member.reveal())) != 0) {
    return std::nullopt;
  }
  return Place(place, "member").fault(Reason::member_real);
}

Check EventRules::apply(const MembershipFields& fields, const EventFacts& facts, const Place& place,
                        std::optional<Change>& change, ChangeTexts& texts) {
  const auto organization = OrganizationNumber::parse(fields.organization);
  if (!organization) return Place(place, "organization").fault(Reason::organization_invalid);
  const auto parsed = NationalId::parse(fields.member, {.rule_2032 = settings_->rule_2032});
  if (const auto* fault = std::get_if<NationalIdFault>(&parsed)) {
    return Place(place, "member").fault(reason_of(*fault));
  }
  const auto& member = std::get<NationalId>(parsed);
  if (Check fault = environment(member, place)) return fault;
  Period period;
  if (Check fault = check_period(*settings_, fields, facts, place, period)) return fault;

  // Nine characters that make a number are its nine digits; else there are spaces between them.
  const bool plain = fields.organization.size() == 9;
  const std::string without_spaces = plain ? std::string{} : organization->digits();
  const std::string_view number = plain ? fields.organization : without_spaces;
  change = start_change(Lane::members, *organization, facts);
  change->last_day = period.last_day;
  change->key = member_key(*hash_, number, member.reveal());
  change->content = hash_->digest<ContentDigestTag>(
      {"m", number, member.reveal(), period.start, period.end, fields.ended ? "ended" : ""});
  texts.identifier = fields.member;
  texts.entry = member_entry_.fill({.full_url = change->full_url,
                                    .member = member.reveal(),
                                    .is_d_number = member.is_d_number(),
                                    .organization = number,
                                    .start = period.start,
                                    .end = period.end});
  return std::nullopt;
}

ContentDigest EventRules::offering_content(const OfferingFields& fields, std::string_view number,
                                           std::string_view service_id) {
  // JSON strings keep the parts apart whatever they hold.
  canonical_.clear();
  const fhir::Service& service = fields.service;
  append_texts(canonical_,
               {number, fields.name, fields.business_id, service_id, service.name, service.comment,
                service.her_id, service.active ? "active" : "not active"});
  for (const LocationFields& each : fields.locations) {
    const fhir::Location& location = each.location;
    canonical_ += '[';
    append_texts(canonical_, {each.id, location.city, location.postal_code});
    for (const std::string_view line : location.line) append_texts(canonical_, {line});
    canonical_ += '|';
    for (const fhir::Telecom& telecom : location.telecom) {
      append_texts(canonical_, {telecom.system, telecom.value});
    }
    canonical_ += ']';
  }
  return hash_->digest<ContentDigestTag>({"o", canonical_});
}

Check EventRules::apply(OfferingFields& fields, const EventFacts& facts, const Place& place,
                        std::optional<Change>& change, ChangeTexts& texts) {
  const auto organization = OrganizationNumber::parse(fields.number);
  if (!organization) {
    return Place(Place(place, "organization"), "number").fault(Reason::organization_invalid);
  }
  const auto guid = Uuid::parse(fields.service_id);
  if (!guid) return Place(Place(place, "service"), "id").fault(Reason::offering_invalid);
  service_id_ = guid->text();
  if (Check fault = name_locations(fields, service_id_, place)) return fault;

  const std::string number = organization->digits();
  change = start_change(Lane::offerings, *organization, facts);
  change->key = offering_key(*hash_, number, service_id_);
  change->content = offering_content(fields, number, service_id_);
  texts.identifier = service_id_;
  const fhir::Organization owner{.full_url = organization_url(number),
                                 .number = number,
                                 .name = fields.name,
                                 .business_id = fields.business_id};
  fields.service.full_url = change->full_url;
  fields.service.id = service_id_;
  std::vector<fhir::Location> locations;
  for (LocationFields& each : fields.locations) locations.push_back(std::move(each.location));
  entries_.clear();
  change->entries = static_cast<std::uint16_t>(
      fhir::append_offering_entries(entries_, settings_->form, owner, locations, fields.service));
  texts.entry = entries_;
  head_.clear();
  fhir::append_organization_entry(head_, settings_->form, owner);
  texts.head = head_;
  change->head = hash_->digest<HeadTag>({head_});
  return std::nullopt;
}

}  // namespace helsekontakter::json
