#include "adapters/json/member_entry.h"

#include "adapters/crypto/uuid_text.h"
#include "worker/domain/ensure.h"

#include <algorithm>
#include <cstring>

namespace helsekontakter::json {
namespace {

using fhir::Membership;

constexpr std::size_t member_length = 11;
constexpr std::size_t organization_length = 9;
constexpr std::size_t date_length = 10;

std::string written(const BundleForm& form, const Membership& membership) {
  std::string text;
  fhir::append_member_entry(text, form, membership);
  return text;
}

/// Where two texts of one length differ first; npos: nowhere.
std::size_t first_difference(std::string_view one, std::string_view other) {
  ensure(one.size() == other.size());
  const auto at = std::mismatch(one.begin(), one.end(), other.begin()).first;
  return at == one.end() ? std::string_view::npos : static_cast<std::size_t>(at - one.begin());
}

void put(std::string& text, std::size_t at, std::string_view part, std::size_t length) {
  ensure(part.size() == length);
  std::memcpy(text.data() + at, part.data(), length);
}

std::size_t index_of(bool is_d_number, bool has_end) {
  return (is_d_number ? 2U : 0U) + (has_end ? 1U : 0U);
}

}  // namespace

MemberEntry::MemberEntry(const BundleForm& form)
    : templates_{make(form, false, false), make(form, false, true), make(form, true, false),
                 make(form, true, true)} {}

/// Writes entries that differ in one part each, from its first character on.
MemberEntry::Template MemberEntry::make(const BundleForm& form, bool is_d_number, bool has_end) {
  const Membership blank{.full_url = {},
                         .member = "00000000000",
                         .is_d_number = is_d_number,
                         .organization = "000000000",
                         .start = "0000-00-00",
                         .end = has_end ? "0000-00-00" : ""};
  const std::string text = written(form, blank);
  const auto place = [&](const Membership& other) {
    return first_difference(text, written(form, other));
  };
  Membership other = blank;
  other.full_url.bytes.fill(0xff);
  const std::size_t full_url = place(other);
  other = blank;
  other.member = "11111111111";
  const std::size_t member = place(other);
  other = blank;
  other.organization = "111111111";
  const std::size_t organization = place(other);
  other = blank;
  other.start = "1111-11-11";
  const std::size_t start = place(other);
  other = blank;
  if (has_end) other.end = "1111-11-11";
  return {text, full_url, member, organization, start, place(other)};
}

std::string_view MemberEntry::fill(const Membership& membership) {
  Template& entry = templates_[index_of(membership.is_d_number, !membership.end.empty())];
  crypto::write_text(membership.full_url, entry.text.data() + entry.full_url);
  put(entry.text, entry.member, membership.member, member_length);
  put(entry.text, entry.organization, membership.organization, organization_length);
  put(entry.text, entry.start, membership.start, date_length);
  if (entry.end != std::string::npos) put(entry.text, entry.end, membership.end, date_length);
  return entry.text;
}

}  // namespace helsekontakter::json
