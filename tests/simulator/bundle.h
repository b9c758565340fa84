#pragma once

#include "tests/simulator/config.h"
#include "tests/simulator/encoding.h"
#include "tests/simulator/jose.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

namespace helsekontakter::simulator {

/// A Patient entry, owning all that its answer and the journal need: the request's body may be
/// gone when it is applied.
struct MemberEntry {
  MemberHash::Digest key{};
  std::array<char, 11> number{};
  std::uint32_t full_url_at = 0;  ///< in Bundle::texts
  std::uint32_t full_url_size = 0;
  std::int32_t start = 0;  ///< days since 1970-01-01
  std::int32_t end = 0;    ///< the same as start where the end was left out
  bool check_digits_right = false;

  [[nodiscard]] std::string_view member() const { return {number.data(), number.size()}; }
  /// Test feeds set period.end = start + version days.
  [[nodiscard]] std::int32_t version() const { return end - start; }
};

struct OfferingEntry {
  enum class Kind : std::uint8_t { organization, location, service };
  Kind kind = Kind::organization;
  std::string full_url;
  std::string service_id;  ///< GUID without urn:uuid:
  bool active = true;
};

/// A request's Bundle after every check of its shape: one lane, one organisation.
struct Bundle {
  bool is_transaction = false;
  std::string organization;
  std::vector<MemberEntry> members;      ///< this,
  std::vector<OfferingEntry> offerings;  ///< or this
  std::string texts;

  [[nodiscard]] std::size_t entries() const { return members.size() + offerings.size(); }
  [[nodiscard]] std::string_view full_url(const MemberEntry& entry) const {
    return std::string_view(texts).substr(entry.full_url_at, entry.full_url_size);
  }
};

/// Reads Bundles as contract/medlemstjenester 4, 5, 7 and 8 say, with simdjson. What is wrong is
/// said with the entry's number, never with a value. One per thread.
class BundleReader {
 public:
  BundleReader(const ApiBehaviour& behaviour, const MemberHash& hash)
      : behaviour_(behaviour), hash_(hash) {}

  [[nodiscard]] Checked<Bundle> read(std::string& body);

 private:
  [[nodiscard]] bool refuse(const char* reason, std::string text);
  [[nodiscard]] bool read_all(simdjson::dom::element document);
  [[nodiscard]] bool read_entry(simdjson::dom::element element);
  [[nodiscard]] bool check_type(std::string_view type);
  [[nodiscard]] bool check_request(simdjson::dom::object entry, std::string_view resource_type);
  [[nodiscard]] std::optional<std::string_view> read_full_url(simdjson::dom::object entry);
  [[nodiscard]] bool check_uniqueness();
  [[nodiscard]] bool set_organization(simdjson::dom::element identifier, const char* where);
  [[nodiscard]] bool read_patient(simdjson::dom::object patient, std::string_view full_url);
  [[nodiscard]] bool read_number(simdjson::dom::object patient, MemberEntry& entry);
  [[nodiscard]] bool read_contact(simdjson::dom::object patient, MemberEntry& entry);
  [[nodiscard]] bool read_organization(simdjson::dom::object organization);
  [[nodiscard]] bool read_location(simdjson::dom::object location);
  [[nodiscard]] bool read_service(simdjson::dom::object service, OfferingEntry& entry);
  [[nodiscard]] bool check_references();

  const ApiBehaviour& behaviour_;
  const MemberHash& hash_;
  simdjson::dom::parser parser_;
  Bundle bundle_;
  Flaw flaw_;
  std::string type_;
  std::size_t position_ = 0;
  std::vector<std::string> references_;  ///< of the services, checked when all entries are read
};

/// "YYYY-MM-DD" of the calendar, as days since 1970-01-01.
[[nodiscard]] std::optional<std::int32_t> read_date(std::string_view text);
void append_date(std::string& out, std::int32_t days);

/// Whether the two check digits of an eleven-digit number are right, by the rule of today or that
/// of 2032 (contract/medlemstjenester 11).
[[nodiscard]] bool has_right_check_digits(std::string_view number);

}  // namespace helsekontakter::simulator
