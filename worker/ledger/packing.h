#pragma once

#include "worker/domain/bytes.h"
#include "worker/domain/organization_number.h"
#include "worker/domain/time.h"
#include "worker/domain/verdict.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

// Fields one after the other, as the ledger stores them: numbers in groups of seven bits (lowest
// first, the eighth bit says that more follow), signed ones with the sign in the lowest bit, texts
// after their length. Reason and verdict are stored by code and number that never change, so that
// their enumerations may grow.

namespace helsekontakter::ledger {

class Packer {
 public:
  explicit Packer(std::string& out) : out_(&out) {}

  void byte(std::uint8_t value) { out_->push_back(static_cast<char>(value)); }
  void number(std::uint64_t value);
  void signed_number(std::int64_t value);
  void time(WallTime time) { signed_number(time.time_since_epoch().count()); }
  void text(std::string_view text);
  /// Without a length: the reader knows it.
  void bytes(const void* data, std::size_t size) {
    out_->append(static_cast<const char*>(data), size);
  }
  template <class Tag>
  void digest(const Digest<Tag>& digest) {
    bytes(digest.bytes.data(), digest.bytes.size());
  }
  void reason(Reason reason);

 private:
  std::string* out_;
};

/// Reads what Packer wrote. After a fault (too short, a number or text that cannot be) everything
/// reads as zero or empty, and ok() is false: check once, at the end.
class Unpacker {
 public:
  explicit Unpacker(std::string_view in) : in_(in) {}

  [[nodiscard]] bool ok() const { return ok_; }
  /// Nothing failed, and nothing is left.
  [[nodiscard]] bool done() const { return ok_ && in_.empty(); }
  [[nodiscard]] std::string_view rest() const { return in_; }

  std::uint8_t byte();
  std::uint64_t number();
  /// A number that fits T.
  template <class T>
  T number_as() {
    const std::uint64_t value = number();
    const auto cast = static_cast<T>(value);
    if (static_cast<std::uint64_t>(cast) != value) fail();
    return ok_ ? cast : T{};
  }
  std::int64_t signed_number();
  WallTime time() { return WallTime{Milliseconds{signed_number()}}; }
  std::string_view text();
  std::string_view bytes(std::size_t size);
  template <class D>
  D digest() {
    D digest;
    const std::string_view from = bytes(digest.bytes.size());
    if (ok_) std::memcpy(digest.bytes.data(), from.data(), from.size());
    return digest;
  }
  Reason reason();
  void fail() {
    ok_ = false;
    in_ = {};
  }

 private:
  std::string_view in_;
  bool ok_ = true;
};

/// An organisation number, stored as its number. Nothing when its check digit is wrong.
[[nodiscard]] std::optional<OrganizationNumber> unpack_organization(Unpacker& unpacker);

}  // namespace helsekontakter::ledger
