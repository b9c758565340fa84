#pragma once

#include "worker/domain/verdict.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <simdjson.h>

namespace helsekontakter::json {

/// Why an event cannot become a change, and where: a JSON pointer or a header's name, never a
/// value.
struct Fault {
  Reason reason = Reason::not_json;
  std::string detail;
};

/// Nothing: it holds.
using Check = std::optional<Fault>;

/// A place in the event. Lives on the stack of whoever walks down, so that the way costs nothing
/// until a fault needs its name.
class Place {
 public:
  Place() = default;
  Place(const Place& parent, std::string_view name) : parent_(&parent), name_(name) {}
  Place(const Place& parent, std::size_t index) : parent_(&parent), index_(index) {}

  /// JSON pointer (RFC 6901), at most 256 bytes, scrubbed: a member name can be a number too.
  [[nodiscard]] std::string pointer() const;
  [[nodiscard]] Check fault(Reason reason) const { return Fault{reason, pointer()}; }

 private:
  void append_to(std::string& out) const;

  const Place* parent_ = nullptr;
  std::string_view name_;
  std::size_t index_ = 0;
};

/// The members of one JSON object by the names that a schema gives them. A null counts as absent
/// (CloudEvents JSON format 2.2), a name that stands twice is a fault wherever it stands.
class Fields {
 public:
  static constexpr std::size_t names_max = 16;

  /// Adds the members that no name is given for to `unknown`. Also after a fault the members
  /// whose name stood once can be read.
  [[nodiscard]] Check read(const simdjson::dom::object& object,
                           std::span<const std::string_view> names, const Place& place,
                           std::uint64_t& unknown);

  /// The value of names[at]; nothing when absent.
  [[nodiscard]] const simdjson::dom::element* find(std::size_t at) const {
    return (present_ >> at & 1) != 0 ? &values_[at] : nullptr;
  }
  /// True when the name stands there, be it with null.
  [[nodiscard]] bool mentions(std::size_t at) const { return (seen_ >> at & 1) != 0; }

  /// A string that must be there and not be empty.
  [[nodiscard]] Check required_text(std::size_t at, std::string_view& out) const;
  /// A string, or absent, which leaves `out` as it is.
  [[nodiscard]] Check optional_text(std::size_t at, std::string_view& out) const {
    const simdjson::dom::element* value = find(at);
    if (value == nullptr || value->get(out) == simdjson::SUCCESS) return std::nullopt;
    return fault(at, Reason::wrong_type);
  }
  [[nodiscard]] Check required_object(std::size_t at, simdjson::dom::object& out) const;
  [[nodiscard]] Check required_array(std::size_t at, simdjson::dom::array& out) const;
  [[nodiscard]] Check required_flag(std::size_t at, bool& out) const;
  [[nodiscard]] Check optional_flag(std::size_t at, bool& out) const;

  [[nodiscard]] Check fault(std::size_t at, Reason reason) const;
  /// The text of names[at] where there is a string, else an empty one. For findings.
  [[nodiscard]] std::string_view text_or_empty(std::size_t at) const;

 private:
  std::array<simdjson::dom::element, names_max> values_{};
  std::uint32_t present_ = 0;
  std::uint32_t seen_ = 0;
  std::span<const std::string_view> names_;
  const Place* place_ = nullptr;
};

/// Finds a name that stands twice in one object, anywhere in the value.
[[nodiscard]] Check check_duplicates(const simdjson::dom::element& value, const Place& place);

}  // namespace helsekontakter::json
