#include "adapters/kafka/shared_topic_format.h"

#include "worker/ledger/packing.h"

#include <utility>

namespace helsekontakter::kafka {
namespace {

using ledger::Packer;
using ledger::Unpacker;

constexpr std::string_view identity_key = "identity";
constexpr std::string_view offering_prefix = "offering/";
constexpr std::string_view operator_hold_prefix = "hold/operator/";
constexpr std::string_view worker_hold_prefix = "hold/worker/";
constexpr std::string_view brake_prefix = "brake/";
constexpr std::string_view retry_after_key = "retry-after";
constexpr std::string_view retry_now_prefix = "retry-now/";
constexpr std::size_t why_max = 256;

constexpr std::uint8_t flag_first = 1;   // concluded, held, pulled
constexpr std::uint8_t flag_second = 2;  // accepted
constexpr std::uint8_t flag_organization = 4;

using Organization = std::optional<OrganizationNumber>;

std::string key_of(std::string_view prefix, const Organization& organization,
                   std::string_view otherwise) {
  std::string key(prefix);
  if (organization) {
    key += organization->digits();
  } else {
    key += otherwise;
  }
  return key;
}

/// At most why_max bytes, and no half character at the end.
std::string_view shortened(std::string_view text) {
  if (text.size() <= why_max) return text;
  std::size_t end = why_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

/// Flags, and the organisation where there is one.
void pack_head(Packer& packer, bool first, bool second, const Organization& organization) {
  packer.byte(ledger::format_newest);
  packer.byte(static_cast<std::uint8_t>((first ? flag_first : 0) | (second ? flag_second : 0) |
                                        (organization ? flag_organization : 0)));
  if (organization) packer.number(organization->number());
}

struct Head {
  bool first = false;
  bool second = false;
  Organization organization;
};

Head unpack_head(Unpacker& unpacker) {
  Head head;
  const std::uint8_t flags = unpacker.byte();
  head.first = (flags & flag_first) != 0;
  head.second = (flags & flag_second) != 0;
  if ((flags & flag_organization) == 0) return head;
  head.organization = ledger::unpack_organization(unpacker);
  if (!head.organization) unpacker.fail();
  return head;
}

struct Encode {
  SharedRecord operator()(const SharedOffering& fact) const {
    SharedRecord record{std::string(offering_prefix) + fact.key.hex(), {}};
    Packer packer(record.value);
    pack_head(packer, fact.concluded, fact.accepted, fact.organization);
    packer.digest(fact.key);
    packer.signed_number(fact.version);
    packer.number(static_cast<std::uint32_t>(fact.partition));
    packer.number(fact.author);
    return record;
  }
  SharedRecord operator()(const SharedHold& fact) const {
    const auto prefix = fact.by_operator ? operator_hold_prefix : worker_hold_prefix;
    SharedRecord record{key_of(prefix, fact.organization, "endpoint"), {}};
    Packer packer(record.value);
    pack_head(packer, fact.held, fact.by_operator, fact.organization);
    packer.time(fact.since);
    packer.text(shortened(fact.why));
    packer.number(fact.author);
    return record;
  }
  SharedRecord operator()(const SharedBrake& fact) const {
    SharedRecord record{key_of(brake_prefix, fact.organization, "source"), {}};
    Packer packer(record.value);
    pack_head(packer, fact.pulled, false, fact.organization);
    packer.time(fact.since);
    return record;
  }
  SharedRecord operator()(const SharedRetryAfter& fact) const {
    SharedRecord record{std::string(retry_after_key), {}};
    Packer packer(record.value);
    pack_head(packer, false, false, {});
    packer.time(fact.until);
    return record;
  }
  SharedRecord operator()(const SharedRetryNow& fact) const {
    SharedRecord record{key_of(retry_now_prefix, fact.organization, "all"), {}};
    Packer packer(record.value);
    pack_head(packer, false, false, fact.organization);
    packer.time(fact.at);
    return record;
  }
};

std::optional<SharedFact> decode_fact(std::string_view key, Unpacker& unpacker) {
  if (key.starts_with(offering_prefix)) {
    const Head head = unpack_head(unpacker);
    if (!head.organization) unpacker.fail();
    if (!unpacker.ok()) return std::nullopt;
    SharedOffering fact{.organization = *head.organization};
    fact.key = unpacker.digest<MemberKey>();
    fact.version = unpacker.signed_number();
    fact.partition = Partition{static_cast<std::int32_t>(unpacker.number_as<std::uint32_t>())};
    fact.author = unpacker.number();
    fact.concluded = head.first;
    fact.accepted = head.second;
    return fact;
  }
  if (key.starts_with(operator_hold_prefix) || key.starts_with(worker_hold_prefix)) {
    const Head head = unpack_head(unpacker);
    SharedHold fact{.organization = head.organization,
                    .by_operator = head.second,
                    .held = head.first,
                    .since = unpacker.time(),
                    .why = std::string(unpacker.text()),
                    .author = unpacker.number()};
    return fact;
  }
  const Head head = unpack_head(unpacker);
  const WallTime time = unpacker.time();
  if (key.starts_with(brake_prefix)) return SharedBrake{head.organization, head.first, time};
  if (key.starts_with(retry_now_prefix)) return SharedRetryNow{head.organization, time};
  return SharedRetryAfter{time};
}

bool is_known(std::string_view key) {
  if (key == identity_key || key == retry_after_key) return true;
  for (const std::string_view prefix : {offering_prefix, operator_hold_prefix, worker_hold_prefix,
                                        brake_prefix, retry_now_prefix}) {
    if (key.starts_with(prefix)) return true;
  }
  return false;
}

tl::unexpected<Error> unreadable(std::string_view key) {
  return fail(Remedy::stop, "the shared topic holds a record of the kind \"" +
                                std::string(key.substr(0, key.find('/'))) +
                                "\" that cannot be read; it was damaged, or something else wrote "
                                "there: delete the record (write its key with a null value), or "
                                "name another ledger.kafka.shared_topic");
}

}  // namespace

SharedRecord encode_shared(const SharedFact& fact) {
  return std::visit(Encode{}, fact);
}

SharedRecord encode_shared(const ledger::Identity& identity) {
  return {std::string(identity_key), ledger::encode(identity)};
}

Result<SharedContent> decode_shared(std::string_view key, std::string_view value) {
  if (!is_known(key) || value.empty()) return SharedContent{};
  Unpacker unpacker(value);
  if (auto known = ledger::check_format(unpacker.byte()); !known) {
    return fail(known.error().remedy, "the shared topic: " + known.error().message);
  }
  if (key == identity_key) {
    const auto identity = ledger::decode_identity(value);
    if (!identity) return tl::unexpected(identity.error());
    return SharedContent{*identity};
  }
  auto fact = decode_fact(key, unpacker);
  if (!fact || !unpacker.done()) return unreadable(key);
  // The key must name the subject of the value, or compaction would keep the wrong one.
  if (encode_shared(*fact).key != key) return unreadable(key);
  return SharedContent{std::move(*fact)};
}

}  // namespace helsekontakter::kafka
