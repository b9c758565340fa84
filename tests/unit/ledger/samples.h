#pragma once

#include "worker/ports/ledger.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>

// Ledger entries as the tests write them: key(7), entry(3), parked(key(7), 3, at(60s)).

namespace helsekontakter {

inline bool operator==(const Change& a, const Change& b) {
  return a.lane == b.lane && a.organization == b.organization && a.key == b.key &&
         a.event == b.event && a.content == b.content && a.version == b.version &&
         a.full_url == b.full_url && a.head == b.head && a.entries == b.entries &&
         a.resend == b.resend;
}

/// All that is kept of the texts: everything but the detail.
inline bool operator==(const Texts& a, const Texts& b) {
  for (std::size_t i = 0; i < Texts::fields; ++i) {
    const auto field = static_cast<Texts::Field>(i);
    if (field != Texts::Field::detail && a[field] != b[field]) return false;
  }
  return true;
}

inline bool operator==(const ParkedChange& a, const ParkedChange& b) {
  return a.change == b.change && a.texts == b.texts && a.offset == b.offset &&
         a.attempt == b.attempt && a.round == b.round && a.why == b.why && a.due == b.due &&
         a.parked_since == b.parked_since && a.period_end == b.period_end &&
         a.interval == b.interval && a.failing_for == b.failing_for && a.failed_at == b.failed_at;
}

inline bool operator==(const LedgerEntry& a, const LedgerEntry& b) {
  const bool both = (a.parked == nullptr) == (b.parked == nullptr);
  return a.version == b.version && a.event == b.event && a.content == b.content &&
         a.verdict == b.verdict && a.reason == b.reason && a.attempt == b.attempt &&
         a.accepted_on == b.accepted_on && a.ever_accepted == b.ever_accepted && a.lane == b.lane &&
         a.organization == b.organization && both && (!a.parked || *a.parked == *b.parked);
}

inline void PrintTo(const LedgerEntry& entry, std::ostream* out) {
  *out << "version " << entry.version << ' ' << name(entry.verdict) << " attempt " << entry.attempt;
  if (entry.parked) *out << ", parked version " << entry.parked->change.version;
}

namespace ledger::samples {

using namespace std::chrono_literals;

template <class D>
D digest(std::uint64_t number) {
  // Spreads the number over all bytes, as a keyed hash would.
  D digest;
  std::uint64_t word = number * 2;
  for (std::size_t i = 0; i < digest.bytes.size(); i += 8) {
    word = (word + 0x9E3779B97F4A7C15) * 0xBF58476D1CE4E5B9;
    word ^= word >> 29;
    for (std::size_t byte = 0; byte < 8; ++byte) {
      digest.bytes[i + byte] = static_cast<std::uint8_t>(word >> (byte * 8));
    }
  }
  return digest;
}

inline MemberKey key(std::uint64_t number) {
  return digest<MemberKey>(number);
}

inline WallTime at(Milliseconds since) {
  return WallTime{std::chrono::sys_days{std::chrono::year{2026} / 11 / 23}} + since;
}

inline OrganizationNumber organization() {
  return *OrganizationNumber::parse("948554062");
}

inline LedgerEntry entry(std::int64_t version, Verdict verdict = Verdict::accepted) {
  return {.version = version,
          .event = digest<EventDigest>(static_cast<std::uint64_t>(version) + 1000),
          .content = digest<ContentDigest>(static_cast<std::uint64_t>(version) + 2000),
          .verdict = verdict,
          .reason = verdict == Verdict::rejected ? Reason::refused_by_endpoint : Reason::none,
          .attempt = 3,
          .accepted_on = std::chrono::sys_days{std::chrono::year{2026} / 11 / 22},
          .ever_accepted = true,
          .lane = Lane::members,
          .organization = organization(),
          .parked = nullptr};
}

/// A membership that waits; its entry is not one of ours, so it is kept as it is.
inline ParkedChange waiting(const MemberKey& key, std::int64_t version, WallTime due) {
  ParkedChange parked{.change = {.organization = organization(), .key = key, .version = version},
                      .offset = 41,
                      .attempt = 2,
                      .round = 1,
                      .why = Reason::not_digitally_active,
                      .due = due,
                      .parked_since = due - 24h,
                      .period_end = due + 1000h,
                      .interval = 24h,
                      .failing_for = 3h,
                      .failed_at = due - 2h};
  parked.change.event = digest<EventDigest>(static_cast<std::uint64_t>(version));
  parked.change.content = digest<ContentDigest>(static_cast<std::uint64_t>(version) + 1);
  using Field = Texts::Field;
  parked.texts.append(Field::id, "e-" + std::to_string(version));
  parked.texts.append(Field::source, "/sio/crm");
  parked.texts.append(Field::type, "no.helsekontakter.membership.changed.v1");
  parked.texts.append(Field::key, "k-1");
  parked.texts.append(Field::identifier, "13116900216");
  parked.texts.append(Field::entry, R"({"resource":"another form"})");
  return parked;
}

/// Accepted as version - 1, and `version` waits.
inline LedgerEntry parked(const MemberKey& key, std::int64_t version, WallTime due) {
  LedgerEntry made = entry(version - 1);
  made.parked = std::make_shared<const ParkedChange>(waiting(key, version, due));
  return made;
}

}  // namespace ledger::samples
}  // namespace helsekontakter
