#pragma once

#include "tests/simulator/bundle.h"
#include "tests/simulator/encoding.h"
#include "worker/domain/result.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace helsekontakter::simulator {

/// What is known of one member: the last and the newest version that were applied.
struct Member {
  std::int32_t last = 0;
  std::int32_t newest = 0;
  std::uint32_t in_progress = 0;  ///< requests at work on it whose connection we have not cut
  bool is_applied = false;
};

struct DigestOrder {
  std::size_t operator()(const MemberHash::Digest& digest) const noexcept;
};

/// Members by the keyed hash of their number; pointers into it stay valid. About 70 bytes each.
using Members = std::unordered_map<MemberHash::Digest, Member, DigestOrder>;

/// What an application did to a member.
enum class Landing : std::uint8_t { first, newer, repeated, older_over_newer };
[[nodiscard]] Landing land(Member& member, std::int32_t version);

/// One line of the journal about a member.
struct JournalLine {
  std::uint64_t sequence = 0;
  MemberHash::Digest key{};
  std::string_view organization;
  std::int32_t version = 0;
  bool is_late = false;
};

/// Append-only NDJSON of what was applied, in order of application. Written when 256 KiB are
/// gathered, and by flush(), which the server calls every 200 ms and at the end.
class Journal {
 public:
  /// Opens the file for appending; an empty name makes a journal that writes nothing.
  [[nodiscard]] static Result<Journal> open(const std::string& file);
  Journal(Journal&& other) noexcept;
  Journal& operator=(Journal&&) = delete;
  ~Journal();

  void member(const Bundle& bundle, const MemberEntry& entry, bool is_late, std::uint64_t request);
  void offering(const Bundle& bundle, const OfferingEntry& entry, bool is_late,
                std::uint64_t request);
  /// False when the file could not be written; then the journal is incomplete.
  bool flush();

  /// Goes on from what an earlier run wrote.
  void continue_after(std::uint64_t sequence) { sequence_ = sequence; }

 private:
  explicit Journal(int descriptor) : descriptor_(descriptor) {}
  void append_head(std::string_view organization, bool is_late, std::uint64_t request);

  int descriptor_ = -1;
  std::uint64_t sequence_ = 0;
  bool is_whole_ = true;
  std::string buffer_;
};

/// The HMAC key beside a journal: read from the file, or made and written there (mode 0600).
[[nodiscard]] Result<std::string> journal_key(const std::string& file, bool may_create);

/// Calls `each` for every member line; a last line cut short by a crash is left out.
[[nodiscard]] Result<void> read_journal(const std::string& file,
                                        const std::function<void(const JournalLine&)>& each);

/// Totals of a journal as JSON.
[[nodiscard]] Result<std::string> summarize(const std::string& file);

struct Comparison {
  std::string json;
  bool agrees = false;
};
/// Compares the last applied version of each member with NDJSON lines {"organization", "member",
/// "version"}; members that nobody expected count only when `exact`.
[[nodiscard]] Result<Comparison> compare(const std::string& file, const std::string& key,
                                         const std::string& expected_file, bool exact);

}  // namespace helsekontakter::simulator
