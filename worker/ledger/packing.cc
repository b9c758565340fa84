#include "worker/ledger/packing.h"

namespace helsekontakter::ledger {

void Packer::number(std::uint64_t value) {
  while (value > 0x7f) {
    byte(static_cast<std::uint8_t>(value | 0x80));
    value >>= 7;
  }
  byte(static_cast<std::uint8_t>(value));
}

void Packer::signed_number(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  number(value < 0 ? (~bits << 1 | 1) : bits << 1);
}

void Packer::text(std::string_view text) {
  number(text.size());
  out_->append(text);
}

void Packer::reason(Reason reason) {
  text(reason == Reason::none ? std::string_view{} : entry_of(reason).code);
}

std::uint8_t Unpacker::byte() {
  const std::string_view one = bytes(1);
  return one.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(one[0]);
}

std::uint64_t Unpacker::number() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const std::uint8_t group = byte();
    const std::uint64_t bits = group & 0x7f;
    if (shift == 63 && bits > 1) break;
    value |= bits << shift;
    if ((group & 0x80) == 0) return ok_ ? value : 0;
  }
  fail();
  return 0;
}

std::int64_t Unpacker::signed_number() {
  const std::uint64_t bits = number();
  return static_cast<std::int64_t>((bits & 1) != 0 ? ~(bits >> 1) : bits >> 1);
}

std::string_view Unpacker::text() {
  return bytes(number_as<std::size_t>());
}

std::string_view Unpacker::bytes(std::size_t size) {
  if (size > in_.size()) {
    fail();
    return {};
  }
  const std::string_view taken = in_.substr(0, size);
  in_.remove_prefix(size);
  return taken;
}

Reason Unpacker::reason() {
  const std::string_view code = text();
  if (code.empty()) return Reason::none;
  for (const ReasonEntry& entry : reason_table()) {
    if (entry.code == code) return entry.reason;
  }
  fail();
  return Reason::none;
}

std::optional<OrganizationNumber> unpack_organization(Unpacker& unpacker) {
  std::string digits = std::to_string(unpacker.number_as<std::uint32_t>());
  if (digits.size() < 9) digits.insert(0, 9 - digits.size(), '0');
  if (!unpacker.ok()) return std::nullopt;
  return OrganizationNumber::parse(digits);
}

}  // namespace helsekontakter::ledger
