#include "adapters/ledger/record_format.h"

#include "worker/domain/ensure.h"
#include "worker/ledger/packing.h"
#include "worker/ledger/parked.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

namespace helsekontakter::ledger {
namespace {

constexpr std::uint8_t flag_ever_accepted = 1;
constexpr std::uint8_t flag_offering = 2;
constexpr std::uint8_t flag_parked = 4;
constexpr std::uint8_t flags_known = 7;
constexpr std::size_t fingerprint_size = 4;

/// Stored numbers of the verdicts; they never change.
constexpr std::array<Verdict, verdicts> stored_verdicts{
    Verdict::accepted,   Verdict::unchanged,   Verdict::inactive, Verdict::rejected,
    Verdict::superseded, Verdict::undecodable, Verdict::expired};

std::uint8_t number_of(Verdict verdict) {
  const auto found = std::find(stored_verdicts.begin(), stored_verdicts.end(), verdict);
  ensure(found != stored_verdicts.end());
  return static_cast<std::uint8_t>(found - stored_verdicts.begin());
}

/// The change without what the endpoint need not know.
ParkedChange without(const ParkedChange& parked, std::initializer_list<Texts::Field> dropped) {
  ParkedChange slim = parked;
  slim.texts = {};
  for (std::size_t i = 0; i < Texts::fields; ++i) {
    const auto field = static_cast<Texts::Field>(i);
    const bool kept = std::find(dropped.begin(), dropped.end(), field) == dropped.end();
    slim.texts.append(field, kept ? parked.texts[field] : std::string_view{});
  }
  return slim;
}

/// The fields of an entry, without what is parked.
struct Fields {
  LedgerEntry entry;
  bool is_parked = false;
};

void pack_fields(Packer& packer, const LedgerEntry& entry) {
  packer.byte(static_cast<std::uint8_t>((entry.ever_accepted ? flag_ever_accepted : 0) |
                                        (entry.lane == Lane::offerings ? flag_offering : 0) |
                                        (entry.parked ? flag_parked : 0)));
  packer.number(entry.organization.number());
  packer.signed_number(entry.version);
  packer.byte(number_of(entry.verdict));
  packer.reason(entry.reason);
  packer.number(entry.attempt);
  packer.signed_number(entry.accepted_on.time_since_epoch().count());
  packer.digest(entry.event);
  packer.digest(entry.content);
}

std::optional<Fields> unpack_fields(Unpacker& unpacker) {
  const std::uint8_t flags = unpacker.byte();
  const auto organization = unpack_organization(unpacker);
  if (!organization || (flags & ~flags_known) != 0) return std::nullopt;
  Fields fields{.entry = {.organization = *organization, .parked = nullptr}};
  LedgerEntry& entry = fields.entry;
  entry.version = unpacker.signed_number();
  const std::uint8_t verdict = unpacker.byte();
  if (verdict >= stored_verdicts.size()) return std::nullopt;
  entry.verdict = stored_verdicts[verdict];
  entry.reason = unpacker.reason();
  entry.attempt = unpacker.number_as<std::uint32_t>();
  const std::int64_t day = unpacker.signed_number();
  if (day < -10'000'000 || day > 10'000'000) return std::nullopt;
  entry.accepted_on = std::chrono::sys_days{std::chrono::days{static_cast<std::int32_t>(day)}};
  entry.event = unpacker.digest<EventDigest>();
  entry.content = unpacker.digest<ContentDigest>();
  entry.ever_accepted = (flags & flag_ever_accepted) != 0;
  entry.lane = (flags & flag_offering) != 0 ? Lane::offerings : Lane::members;
  fields.is_parked = (flags & flag_parked) != 0;
  if (!unpacker.ok()) return std::nullopt;
  return fields;
}

/// What a seal binds a parked change to.
std::string bound_to(std::string_view key, std::string_view fields) {
  std::string bound(key);
  bound += fields;
  return bound;
}

}  // namespace

std::string RecordFormat::encode_whole(const MemberKey& key, const LedgerEntry& entry) const {
  std::string value;
  Packer packer(value);
  packer.byte(format_newest);
  packer.bytes(identity_.fingerprint.bytes.data(), fingerprint_size);
  packer.number(identity_.partitions);
  pack_fields(packer, entry);
  if (entry.parked) {
    const std::string packed = pack(*entry.parked, form_);
    keys_.seal(packed, bound_to(encode_key(key), value), value);
  }
  return value;
}

Result<std::string> RecordFormat::encode(const MemberKey& key, const LedgerEntry& entry,
                                         std::size_t bytes_max) const {
  using Field = Texts::Field;
  std::string value = encode_whole(key, entry);
  if (value.size() <= bytes_max) return value;
  LedgerEntry slim = entry;
  if (entry.parked) {
    slim.parked = std::make_shared<const ParkedChange>(without(
        *entry.parked, {Field::payload, Field::headers, Field::traceparent, Field::tracestate}));
    value = encode_whole(key, slim);
  }
  if (value.size() <= bytes_max) return value;
  return fail(Remedy::reject, "a parked change of " + std::to_string(value.size()) +
                                  " bytes does not fit into the ledger, which takes " +
                                  std::to_string(bytes_max) +
                                  "; raise max.message.bytes of the ledger topic, or lower "
                                  "batch.bytes_max");
}

Result<void> RecordFormat::read(std::string_view key, std::string_view value, LedgerTable& table,
                                const std::string& where) const {
  const auto damaged = [&] {
    return fail(Remedy::stop,
                where +
                    " holds a record that cannot be read: it was damaged, or a "
                    "newer release or something else wrote it; restore a backup, or name an "
                    "empty ledger and replay the input");
  };
  Unpacker unpacker(value);
  const std::uint8_t format = unpacker.byte();
  if (!unpacker.ok()) return damaged();
  if (auto known = check_format(format); !known) {
    return fail(known.error().remedy, where + ": " + known.error().message);
  }
  Identity stored = identity_;
  const std::string_view fingerprint = unpacker.bytes(fingerprint_size);
  stored.partitions = unpacker.number_as<std::uint32_t>();
  if (!unpacker.ok()) return damaged();
  if (std::memcmp(fingerprint.data(), identity_.fingerprint.bytes.data(), fingerprint_size) != 0) {
    stored.fingerprint = {};
    std::memcpy(stored.fingerprint.bytes.data(), fingerprint.data(), fingerprint_size);
  }
  if (auto same = compare(stored, identity_, where); !same) return same;
  const auto fields = unpack_fields(unpacker);
  MemberKey member;
  if (!fields || key.size() != member.bytes.size()) return damaged();
  std::memcpy(member.bytes.data(), key.data(), key.size());
  const std::string_view sealed = unpacker.rest();
  if (!fields->is_parked) {
    if (!sealed.empty()) return damaged();
    table.put(member, fields->entry, std::nullopt);
    return {};
  }
  const auto clear = value.substr(0, value.size() - sealed.size());
  const auto packed = keys_.open(sealed, bound_to(key, clear));
  if (!packed) return fail(packed.error().remedy, where + ": " + packed.error().message);
  const auto parked = unpack(*packed, member, form_);
  if (!parked) return damaged();
  table.put(member, fields->entry, LedgerTable::Parked{.packed = *packed, .due = parked->due});
  return {};
}

}  // namespace helsekontakter::ledger
