#include "adapters/ledger/identity.h"

#include "worker/ledger/packing.h"

namespace helsekontakter::ledger {

Fingerprint fingerprint_of(const crypto::KeyedHash& hash) {
  return hash.digest<FingerprintTag>({"ledger fingerprint"});
}

std::string encode(const Identity& identity) {
  std::string bytes;
  Packer packer(bytes);
  packer.byte(format_newest);
  packer.digest(identity.fingerprint);
  packer.number(identity.partitions);
  return bytes;
}

Result<Identity> decode_identity(std::string_view bytes) {
  Unpacker unpacker(bytes);
  const std::uint8_t format = unpacker.byte();
  if (const auto known = check_format(format); !known) return tl::unexpected(known.error());
  Identity identity;
  identity.fingerprint = unpacker.digest<Fingerprint>();
  identity.partitions = unpacker.number_as<std::uint32_t>();
  if (!unpacker.done()) {
    return fail(Remedy::stop,
                "the identity of the ledger cannot be read; it was damaged, or something else "
                "was written there: restore a backup, or name an empty ledger");
  }
  return identity;
}

Result<void> compare(const Identity& stored, const Identity& ours, const std::string& where) {
  if (stored.fingerprint != ours.fingerprint) {
    return fail(Remedy::stop, where + " was written with another key than ledger.hmac_key_file (" +
                                  "fingerprint " + stored.fingerprint.hex().substr(0, 8) +
                                  ", ours " + ours.fingerprint.hex().substr(0, 8) +
                                  "); put the old key back, it never changes, or name an empty "
                                  "ledger and submit everything again");
  }
  if (stored.partitions != ours.partitions) {
    return fail(Remedy::stop, where + " was written for " + std::to_string(stored.partitions) +
                                  " partitions and the input has " +
                                  std::to_string(ours.partitions) +
                                  "; \"More partitions\" in deploy/README.md says how to grow: a "
                                  "new input, ledger and group");
  }
  return {};
}

Result<void> check_format(std::uint8_t format) {
  if (format > format_newest) {
    return fail(Remedy::stop, "the ledger holds format " + std::to_string(format) +
                                  ", written by a newer release; this one reads up to " +
                                  std::to_string(format_newest) +
                                  ": run the newer release again, nothing was changed");
  }
  if (format < format_oldest) {
    return fail(Remedy::stop, "the ledger holds format " + std::to_string(format) +
                                  ", which no release wrote; it was damaged, or something else "
                                  "was written there");
  }
  return {};
}

}  // namespace helsekontakter::ledger
