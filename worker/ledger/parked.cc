#include "worker/ledger/parked.h"

#include "worker/fhir/bundle.h"
#include "worker/ledger/packing.h"

#include <array>
#include <utility>

namespace helsekontakter::ledger {
namespace {

using Field = Texts::Field;

constexpr std::uint8_t flag_offering = 1;
constexpr std::uint8_t flag_resend = 2;
constexpr std::uint8_t flag_period_end = 4;
constexpr std::uint8_t flag_dates = 8;  // the entry is built from two dates
constexpr std::uint8_t flags_known = 15;

/// The types of nearly all events; the number is one more than the index, 0: another follows.
constexpr std::array<std::string_view, 2> known_types{"no.helsekontakter.membership.changed.v1",
                                                      "no.helsekontakter.offering.changed.v1"};
constexpr std::size_t date_size = 10;

bool is_date(std::string_view text) {
  if (text.size() != date_size || text[4] != '-' || text[7] != '-') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i != 4 && i != 7 && (text[i] < '0' || text[i] > '9')) return false;
  }
  return true;
}

/// 2026-08-01 as 20260801; 0: none.
std::uint32_t number_of(std::string_view date) {
  std::uint32_t number = 0;
  for (const char c : date) {
    if (c != '-') number = number * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return number;
}

std::string date_of(std::uint32_t number) {
  if (number == 0) return {};
  std::string date = "0000-00-00";
  for (std::size_t at = date.size(); at-- > 0;) {
    if (at == 4 || at == 7) continue;
    date[at] = static_cast<char>('0' + number % 10);
    number /= 10;
  }
  return date;
}

std::string build_entry(const Change& change, std::string_view member, MembershipPeriod period,
                        const BundleForm& form) {
  std::string entry;
  const std::string organization = change.organization.digits();
  fhir::append_member_entry(entry, form,
                            {.full_url = change.full_url,
                             .member = member,
                             .is_d_number = !member.empty() && member[0] >= '4',
                             .organization = organization,
                             .start = period.start,
                             .end = period.end});
  return entry;
}

/// The dates of which the entry can be built again, byte for byte.
std::optional<MembershipPeriod> sufficient_dates(const ParkedChange& parked,
                                                 const BundleForm& form) {
  if (parked.change.lane != Lane::members) return std::nullopt;
  const std::string_view entry = parked.texts[Field::entry];
  const auto period = read_period(entry);
  if (!period || number_of(period->start) == 0) return std::nullopt;
  if (!period->end.empty() && number_of(period->end) == 0) return std::nullopt;
  if (build_entry(parked.change, parked.texts[Field::identifier], *period, form) != entry) {
    return std::nullopt;
  }
  return period;
}

void pack_type(Packer& packer, std::string_view type) {
  for (std::size_t i = 0; i < known_types.size(); ++i) {
    if (type == known_types[i]) {
      packer.number(i + 1);
      return;
    }
  }
  packer.number(0);
  packer.text(type);
}

std::string_view unpack_type(Unpacker& unpacker) {
  const auto number = unpacker.number();
  if (number == 0) return unpacker.text();
  if (number > known_types.size()) {
    unpacker.fail();
    return {};
  }
  return known_types[number - 1];
}

/// The fields of ParkedFacts, after the flags.
void pack_facts(Packer& packer, const ParkedChange& parked) {
  packer.signed_number(parked.change.version);
  packer.digest(parked.change.event);
  packer.digest(parked.change.content);
  packer.number(parked.attempt);
  packer.number(parked.round);
  packer.reason(parked.why);
  packer.time(parked.due);
  packer.time(parked.parked_since);
}

struct Head {
  std::uint8_t flags = 0;
  ParkedFacts facts;
};

Head unpack_head(Unpacker& unpacker) {
  Head head;
  head.flags = unpacker.byte();
  if ((head.flags & ~flags_known) != 0) unpacker.fail();
  ParkedFacts& facts = head.facts;
  facts.version = unpacker.signed_number();
  facts.event = unpacker.digest<EventDigest>();
  facts.content = unpacker.digest<ContentDigest>();
  facts.attempt = unpacker.number_as<std::uint32_t>();
  facts.round = unpacker.number_as<std::uint32_t>();
  facts.why = unpacker.reason();
  facts.resend = (head.flags & flag_resend) != 0;
  facts.due = unpacker.time();
  facts.parked_since = unpacker.time();
  return head;
}

/// Fields of the texts before the identifier, in their order.
constexpr std::array<Field, 4> first_texts{Field::id, Field::source, Field::subject, Field::key};
constexpr std::array<Field, 3> trace_texts{Field::traceparent, Field::tracestate, Field::resend};

void pack_texts(Packer& packer, const Texts& texts, const std::optional<MembershipPeriod>& dates) {
  for (const Field field : first_texts) packer.text(texts[field]);
  pack_type(packer, texts[Field::type]);
  for (const Field field : trace_texts) packer.text(texts[field]);
  packer.text(texts[Field::identifier]);
  if (dates) {
    packer.number(number_of(dates->start));
    packer.number(number_of(dates->end));
  } else {
    packer.text(texts[Field::entry]);
  }
  packer.text(texts[Field::head]);
  packer.text(texts[Field::payload]);
  packer.text(texts[Field::headers]);
}

Texts unpack_texts(Unpacker& unpacker, const Change& change, bool from_dates,
                   const BundleForm& form) {
  std::array<std::string_view, Texts::fields> views{};
  const auto at = [&](Field field) -> std::string_view& {
    return views[static_cast<std::size_t>(field)];
  };
  for (const Field field : first_texts) at(field) = unpacker.text();
  at(Field::type) = unpack_type(unpacker);
  for (const Field field : trace_texts) at(field) = unpacker.text();
  at(Field::identifier) = unpacker.text();
  std::string entry;
  if (from_dates) {
    const std::string start = date_of(unpacker.number_as<std::uint32_t>());
    const std::string end = date_of(unpacker.number_as<std::uint32_t>());
    if (unpacker.ok()) entry = build_entry(change, at(Field::identifier), {start, end}, form);
    at(Field::entry) = entry;
  } else {
    at(Field::entry) = unpacker.text();
  }
  for (const Field field : {Field::head, Field::payload, Field::headers}) {
    at(field) = unpacker.text();
  }
  std::size_t bytes = 0;
  for (const std::string_view view : views) bytes += view.size();
  Texts texts;
  texts.reserve(bytes);
  for (std::size_t i = 0; i < views.size(); ++i) texts.append(static_cast<Field>(i), views[i]);
  return texts;
}

}  // namespace

std::optional<MembershipPeriod> read_period(std::string_view member_entry) {
  constexpr std::string_view opening = R"("period":{"start":")";
  constexpr std::string_view between = R"(","end":")";
  const std::size_t found = member_entry.rfind(opening);
  if (found == std::string_view::npos) return std::nullopt;
  std::string_view rest = member_entry.substr(found + opening.size());
  MembershipPeriod period{.start = rest.substr(0, date_size), .end = {}};
  if (!is_date(period.start)) return std::nullopt;
  rest.remove_prefix(date_size);
  if (rest.starts_with(between)) {
    period.end = rest.substr(between.size(), date_size);
    if (!is_date(period.end)) return std::nullopt;
  }
  return period;
}

std::string pack(const ParkedChange& parked, const BundleForm& form) {
  const Change& change = parked.change;
  const auto dates = sufficient_dates(parked, form);
  const bool offering = change.lane == Lane::offerings;
  std::string out;
  Packer packer(out);
  packer.byte(static_cast<std::uint8_t>(
      (offering ? flag_offering : 0) | (change.resend ? flag_resend : 0) |
      (parked.period_end ? flag_period_end : 0) | (dates ? flag_dates : 0)));
  pack_facts(packer, parked);
  packer.number(change.organization.number());
  packer.bytes(change.full_url.bytes.data(), change.full_url.bytes.size());
  if (offering) packer.digest(change.head);
  packer.number(change.entries);
  packer.signed_number(parked.offset);
  packer.signed_number(parked.interval.count());
  packer.signed_number(parked.failing_for.count());
  packer.time(parked.failed_at);
  if (parked.period_end) packer.time(*parked.period_end);
  pack_texts(packer, parked.texts, dates);
  return out;
}

std::optional<ParkedChange> unpack(std::string_view packed, const MemberKey& key,
                                   const BundleForm& form) {
  Unpacker unpacker(packed);
  const Head head = unpack_head(unpacker);
  const auto organization = unpack_organization(unpacker);
  if (!unpacker.ok() || !organization) return std::nullopt;
  const bool offering = (head.flags & flag_offering) != 0;
  Change change{.lane = offering ? Lane::offerings : Lane::members,
                .organization = *organization,
                .key = key,
                .event = head.facts.event,
                .content = head.facts.content,
                .version = head.facts.version,
                .resend = head.facts.resend};
  change.full_url = unpacker.digest<Uuid>();
  if (offering) change.head = unpacker.digest<decltype(change.head)>();
  change.entries = unpacker.number_as<std::uint16_t>();
  ParkedChange parked{.change = change,
                      .offset = unpacker.signed_number(),
                      .attempt = head.facts.attempt,
                      .round = head.facts.round,
                      .why = head.facts.why,
                      .due = head.facts.due,
                      .parked_since = head.facts.parked_since,
                      .interval = Milliseconds{unpacker.signed_number()},
                      .failing_for = Milliseconds{unpacker.signed_number()},
                      .failed_at = unpacker.time()};
  if ((head.flags & flag_period_end) != 0) {
    parked.period_end = unpacker.time();
    const auto end = std::chrono::floor<std::chrono::days>(*parked.period_end);
    parked.change.last_day = static_cast<std::int32_t>(end.time_since_epoch().count()) - 1;
  }
  parked.texts = unpack_texts(unpacker, change, (head.flags & flag_dates) != 0, form);
  if (!unpacker.done()) return std::nullopt;
  return parked;
}

std::optional<ParkedFacts> read_facts(std::string_view packed) {
  Unpacker unpacker(packed);
  const Head head = unpack_head(unpacker);
  if (!unpacker.ok()) return std::nullopt;
  return head.facts;
}

}  // namespace helsekontakter::ledger
