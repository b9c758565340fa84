#include "adapters/ledger/record_format.h"

#include "tests/unit/ledger/samples.h"
#include "worker/ledger/ledger.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace helsekontakter::ledger {
namespace {

using samples::at;
using samples::entry;
using samples::key;
using samples::parked;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

crypto::KeyedHash::Key secret(std::uint8_t byte) {
  crypto::KeyedHash::Key key;
  key.fill(byte);
  return key;
}

Identity identity(std::uint8_t hmac = 1, std::uint32_t partitions = 16) {
  return {fingerprint_of(crypto::KeyedHash(secret(hmac))), partitions};
}

RecordFormat format_with(std::vector<crypto::KeyedHash::Key> keys, Identity whose = identity()) {
  auto made = SealingKeys::make(keys);
  EXPECT_TRUE(made);
  return RecordFormat(whose, *made, BundleForm{});
}

const RecordFormat& usual() {
  static const RecordFormat format = format_with({secret(2)});
  return format;
}

std::string value_of(const RecordFormat& format, const LedgerEntry& what) {
  auto value = format.encode(key(1), what);
  EXPECT_TRUE(value);
  return value.value_or("");
}

/// What a format makes of a record: nothing, or why it was refused.
std::string refusal(const RecordFormat& format, std::string_view value,
                    const MemberKey& member = key(1)) {
  LedgerTable table;
  const auto read = format.read(RecordFormat::encode_key(member), value, table, "ledger topic L");
  EXPECT_EQ(table.size(), read ? 1U : 0U);
  if (read) return "";
  EXPECT_EQ(read.error().remedy, Remedy::stop);
  return read.error().message;
}

std::optional<LedgerEntry> read_back(const RecordFormat& format, std::string_view value) {
  LedgerTable table;
  const auto read = format.read(RecordFormat::encode_key(key(1)), value, table, "ledger topic L");
  EXPECT_TRUE(read) << read.error().message;
  return find(table, key(1), BundleForm{});
}

std::vector<LedgerEntry> entries() {
  std::vector<LedgerEntry> all{entry(5), entry(0, Verdict::rejected), parked(key(1), 9, at(100s))};
  all.push_back(entry(9'007'199'254'740'991, Verdict::superseded));
  all.back().reason = Reason::version_equal;
  all.back().ever_accepted = false;
  all.back().accepted_on = {};
  all.back().attempt = 0;
  all.back().lane = Lane::offerings;
  all.push_back(parked(key(1), 4, at(-100s)));
  all.back().version = LedgerEntry::nothing_concluded;
  all.back().verdict = Verdict::inactive;
  all.back().reason = Reason::not_digitally_active;
  for (const Verdict verdict : {Verdict::unchanged, Verdict::undecodable, Verdict::expired}) {
    all.push_back(entry(7, verdict));
  }
  return all;
}

class RecordOfEachKind : public ::testing::TestWithParam<LedgerEntry> {};

TEST_P(RecordOfEachKind, ComesBackAsItWas) {
  EXPECT_EQ(read_back(usual(), value_of(usual(), GetParam())), GetParam());
}

TEST_P(RecordOfEachKind, IsNotReadWhenItIsCutAnywhere) {
  const std::string value = value_of(usual(), GetParam());
  for (std::size_t size = 0; size < value.size(); ++size) {
    EXPECT_NE(refusal(usual(), std::string_view(value).substr(0, size)), "") << size;
  }
  EXPECT_NE(refusal(usual(), value + "x"), "");
}

INSTANTIATE_TEST_SUITE_P(Entries, RecordOfEachKind, ::testing::ValuesIn(entries()));

TEST(RecordFormat, IsSmall) {
  EXPECT_LE(value_of(usual(), entry(5)).size(), 64U);
}

TEST(RecordFormat, ShowsNothingOfAParkedChange) {
  const std::string value = value_of(usual(), parked(key(1), 9, at(0s)));
  EXPECT_THAT(value, Not(HasSubstr("13116900216")));
  EXPECT_THAT(value, Not(HasSubstr("/sio/crm")));
  EXPECT_NE(value, value_of(usual(), parked(key(1), 9, at(0s)))) << "the nonce was used twice";
}

TEST(RecordFormat, RefusesAParkedChangeOfWhichAByteWasChanged) {
  const std::string value = value_of(usual(), parked(key(1), 9, at(0s)));
  for (std::size_t i = 0; i < value.size(); ++i) {
    std::string changed = value;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_NE(refusal(usual(), changed), "") << i;
  }
}

TEST(RecordFormat, RefusesAParkedChangeUnderAnotherMembersKey) {
  const std::string value = value_of(usual(), parked(key(1), 9, at(0s)));
  EXPECT_THAT(refusal(usual(), value, key(2)), HasSubstr("its seal does not fit"));
}

TEST(RecordFormat, SealsWithTheNewestKeyAndOpensWithEach) {
  const LedgerEntry waits = parked(key(1), 9, at(0s));
  const RecordFormat before = format_with({secret(2)});
  const RecordFormat rotated = format_with({secret(3), secret(2)});
  const RecordFormat after = format_with({secret(3)});
  EXPECT_EQ(read_back(rotated, value_of(before, waits)), waits);
  EXPECT_EQ(read_back(after, value_of(rotated, waits)), waits);
  EXPECT_THAT(refusal(before, value_of(rotated, waits)),
              HasSubstr("which is not among ledger.sealing_key_files"));
}

TEST(RecordFormat, NamesTheSealingKeyThatIsMissing) {
  const RecordFormat other = format_with({secret(3)});
  const std::string value = value_of(usual(), parked(key(1), 9, at(0s)));
  const std::string first = refusal(other, value);
  EXPECT_THAT(first, ::testing::ContainsRegex("sealed with key [0-9a-f]{8}, which is not among"));
  EXPECT_EQ(first, refusal(other, value_of(usual(), parked(key(1), 8, at(5s)))));
  EXPECT_EQ(read_back(other, value_of(usual(), entry(5))), entry(5)) << "nothing sealed in it";
}

TEST(RecordFormat, RefusesANewerFormatSayingWhatToDo) {
  std::string value = value_of(usual(), entry(5));
  value[0] = 2;
  EXPECT_THAT(refusal(usual(), value),
              AllOf(HasSubstr("ledger topic L"), HasSubstr("holds format 2"),
                    HasSubstr("run the newer release again")));
  value[0] = 0;
  EXPECT_THAT(refusal(usual(), value), HasSubstr("which no release wrote"));
}

TEST(RecordFormat, RefusesWhatAnotherHmacKeyWrote) {
  const RecordFormat other = format_with({secret(2)}, identity(9));
  EXPECT_THAT(
      refusal(usual(), value_of(other, entry(5))),
      AllOf(HasSubstr("another key than ledger.hmac_key_file"), HasSubstr("put the old key back")));
}

TEST(RecordFormat, RefusesWhatWasWrittenForAnotherNumberOfPartitions) {
  const RecordFormat other = format_with({secret(2)}, identity(1, 8));
  EXPECT_THAT(refusal(usual(), value_of(other, entry(5))),
              HasSubstr("was written for 8 partitions and the input has 16"));
}

TEST(RecordFormat, RefusesAKeyThatIsNoMemberKey) {
  LedgerTable table;
  EXPECT_FALSE(usual().read("short", value_of(usual(), entry(5)), table, "L"));
}

TEST(RecordFormat, ALargeParkedChangeGivesUpItsPayloadAndThenIsRefused) {
  ParkedChange large = samples::waiting(key(1), 9, at(0s));
  large.texts.append(Texts::Field::payload, std::string(5000, 'p'));
  large.texts.append(Texts::Field::headers, std::string(5000, 'h'));
  LedgerEntry waits = entry(8);
  waits.parked = std::make_shared<const ParkedChange>(large);
  EXPECT_EQ(read_back(usual(), *usual().encode(key(1), waits, 20'000)), waits);
  const auto slim = read_back(usual(), *usual().encode(key(1), waits, 1000));
  ASSERT_TRUE(slim && slim->parked);
  EXPECT_EQ(slim->parked->texts[Texts::Field::payload], "");
  EXPECT_EQ(slim->parked->texts[Texts::Field::id], "e-9");
  const auto refused = usual().encode(key(1), waits, 100);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().remedy, Remedy::reject);
}

TEST(SealingKeys, NeedAtLeastOne) {
  EXPECT_FALSE(SealingKeys::make({}));
}

TEST(SealingKeys, NameTheFileThatHoldsNone) {
  const std::vector<std::string> files{"/dev/null"};
  const auto read = SealingKeys::read(files, crypto::ModeCheck::off, {});
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("/dev/null"));
}

TEST(Identity, ComesBackAndRefusesWhatIsNone) {
  const auto read = decode_identity(encode(identity()));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, identity());
  EXPECT_FALSE(decode_identity(""));
  EXPECT_FALSE(decode_identity(encode(identity()) + "x"));
  std::string newer = encode(identity());
  newer[0] = 2;
  EXPECT_THAT(decode_identity(newer).error().message, HasSubstr("newer release"));
}

TEST(Identity, TellsKeysApartWithoutShowingThem) {
  EXPECT_NE(identity(1).fingerprint, identity(2).fingerprint);
  EXPECT_TRUE(compare(identity(), identity(), "L"));
  EXPECT_FALSE(compare(identity(1), identity(2), "L"));
}

}  // namespace
}  // namespace helsekontakter::ledger
