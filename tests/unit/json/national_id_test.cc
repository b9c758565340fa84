#include "worker/domain/national_id.h"

#include <string>

#include <gtest/gtest.h>

// Rules and vectors: contract/medlemstjenester 11.

namespace helsekontakter {
namespace {

std::string origin_name(NationalIdOrigin origin) {
  switch (origin) {
    case NationalIdOrigin::real:
      return "real";
    case NationalIdOrigin::tenor:
      return "tenor";
    case NationalIdOrigin::syntpop:
      return "syntpop";
    case NationalIdOrigin::dolly:
      break;
  }
  return "dolly";
}

/// "real", "tenor D", …, or the fault.
std::string verdict(std::string_view text, bool rule_2032) {
  const auto parsed = NationalId::parse(text, {.rule_2032 = rule_2032});
  if (const auto* fault = std::get_if<NationalIdFault>(&parsed)) {
    if (*fault == NationalIdFault::date) return "date";
    return *fault == NationalIdFault::check_digit ? "check digit" : "not eleven digits";
  }
  const auto& id = std::get<NationalId>(parsed);
  EXPECT_EQ(id.reveal(), text);
  EXPECT_EQ(id.is_synthetic(), id.origin() != NationalIdOrigin::real);
  return origin_name(id.origin()) + (id.is_d_number() ? " D" : "");
}

struct Vector {
  std::string number;
  std::string today;
  std::string from_2032;
};

class NationalIds : public testing::TestWithParam<Vector> {
 protected:
  static bool is_valid(const std::string& verdict) {
    return verdict != "date" && verdict != "check digit" && verdict != "not eleven digits";
  }
};

TEST_P(NationalIds, FollowTheRules) {
  EXPECT_EQ(verdict(GetParam().number, false), GetParam().today);
  EXPECT_EQ(verdict(GetParam().number, true), GetParam().from_2032);
}

TEST_P(NationalIds, AreFoundInTextWhenValid) {
  const auto& [number, today, from_2032] = GetParam();
  const bool valid = is_valid(from_2032);
  EXPECT_EQ(contains_national_id(number), valid);
  EXPECT_EQ(contains_national_id("member-" + number + "/x"), valid);
  EXPECT_EQ(scrub_national_ids("a " + number + "."),
            valid ? "a ***********." : "a " + number + ".");
}

INSTANTIATE_TEST_SUITE_P(Contract, NationalIds,
                         testing::Values(Vector{"02013299997", "real", "real"},
                                         Vector{"30108299920", "real", "real"},
                                         Vector{"13116900216", "real", "real"},
                                         Vector{"30108299939", "check digit", "real"},
                                         Vector{"02013299903", "check digit", "real"},
                                         Vector{"13116900217", "check digit", "check digit"},
                                         Vector{"13116900226", "check digit", "check digit"},
                                         Vector{"12345678901", "date", "date"},
                                         Vector{"00000000000", "date", "date"}));

INSTANTIATE_TEST_SUITE_P(Synthetic, NationalIds,
                         testing::Values(Vector{"21814497167", "tenor", "tenor"},
                                         Vector{"26908896636", "tenor", "tenor"},
                                         Vector{"41814061033", "tenor D", "tenor D"},
                                         Vector{"31739556891", "syntpop", "syntpop"},
                                         Vector{"13717404089", "syntpop", "syntpop"},
                                         Vector{"44722264549", "syntpop D", "syntpop D"},
                                         // H-numbers have this form too; nobody can tell.
                                         Vector{"15507600333", "dolly", "dolly"},
                                         Vector{"55507608360", "dolly D", "dolly D"}));

INSTANTIATE_TEST_SUITE_P(
    Malformed, NationalIds,
    testing::Values(Vector{"", "not eleven digits", "not eleven digits"},
                    Vector{"1311690021", "not eleven digits", "not eleven digits"},
                    Vector{"131169 0021", "not eleven digits", "not eleven digits"},
                    Vector{"1311690021a", "not eleven digits", "not eleven digits"}));

/// The number of this date and year whose individual digits give two valid check digits.
std::string number_of(const std::string& day_month, const std::string& year) {
  for (int individual = 0; individual < 1000; ++individual) {
    std::string digits = day_month + year + std::to_string(1000 + individual).substr(1);
    const auto sum = [&digits](std::initializer_list<int> weights) {
      int total = 0;
      std::size_t at = 0;
      for (const int weight : weights) total += weight * (digits[at++] - '0');
      return (11 - total % 11) % 11;
    };
    const int first = sum({3, 7, 6, 1, 8, 9, 4, 5, 2});
    if (first == 10) continue;
    digits += static_cast<char>('0' + first);
    const int second = sum({5, 4, 3, 2, 7, 6, 5, 4, 3, 2});
    if (second == 10) continue;
    return digits + static_cast<char>('0' + second);
  }
  return "";
}

struct Date {
  std::string day_month;
  std::string year;
  std::string verdict;
};

class Dates : public testing::TestWithParam<Date> {};

TEST_P(Dates, DecideByTheCalendarOfATwoDigitYear) {
  const Date& date = GetParam();
  EXPECT_EQ(verdict(number_of(date.day_month, date.year), false), date.verdict);
}

INSTANTIATE_TEST_SUITE_P(Calendar, Dates,
                         testing::Values(Date{"2902", "00", "real"}, Date{"2902", "96", "real"},
                                         Date{"2902", "97", "date"}, Date{"3002", "96", "date"},
                                         Date{"3104", "80", "date"}, Date{"3112", "80", "real"},
                                         Date{"3212", "80", "date"}, Date{"0012", "80", "date"},
                                         Date{"0100", "80", "date"}, Date{"0113", "80", "date"},
                                         Date{"2982", "96", "tenor"}, Date{"2982", "97", "date"},
                                         Date{"0180", "80", "date"}, Date{"0192", "80", "tenor"},
                                         Date{"0193", "80", "date"}, Date{"0165", "80", "date"},
                                         Date{"0177", "80", "syntpop"}, Date{"0178", "80", "date"},
                                         Date{"0140", "80", "date"}, Date{"0152", "80", "dolly"},
                                         Date{"0153", "80", "date"}, Date{"6902", "96", "real D"},
                                         Date{"6902", "97", "date"}, Date{"4001", "80", "date"},
                                         Date{"7201", "80", "date"}, Date{"8101", "80", "date"}));

struct Text {
  std::string text;
  std::string scrubbed;
};

class Texts : public testing::TestWithParam<Text> {};

TEST_P(Texts, LoseExactlyTheirNumbers) {
  const auto& [text, scrubbed] = GetParam();
  EXPECT_EQ(scrub_national_ids(text), scrubbed);
  EXPECT_EQ(contains_national_id(text), text != scrubbed);
}

INSTANTIATE_TEST_SUITE_P(
    Neighbours, Texts,
    testing::Values(
        Text{"13116900216", "***********"}, Text{"13116900216x", "13116900216x"},
        Text{"x13116900216", "x13116900216"}, Text{"113116900216", "113116900216"},
        Text{"131169002161", "131169002161"}, Text{"id_13116900216", "id_***********"},
        Text{"\xC3\xA5"
             "13116900216",
             "\xC3\xA5"
             "13116900216"},
        Text{"13116900216\xC3\xB8", "13116900216\xC3\xB8"},
        Text{"\xC3\x97"
             "13116900216",
             "\xC3\x97***********"},
        Text{"\xE2\x80\x93"
             "13116900216\xE2\x80\x93",
             "\xE2\x80\x93***********\xE2\x80\x93"},
        Text{"13116900216,30108299939;21814497167", "***********,***********;***********"},
        Text{"131169 00216", "131169 00216"}, Text{"13116900217", "13116900217"},
        Text{"1 2 3 13116900216", "1 2 3 ***********"}, Text{"", ""},
        Text{"3f2504e0-4f89-41d3-9a0c-0305e82c3301", "3f2504e0-4f89-41d3-9a0c-0305e82c3301"}));

TEST(ScrubNationalIds, FindsANumberAtEveryPlaceOfALongText) {
  for (std::size_t before = 0; before < 40; ++before) {
    for (std::size_t after = 0; after < 12; ++after) {
      const std::string text = std::string(before, '.') + "13116900216" + std::string(after, '.');
      const std::string expected =
          std::string(before, '.') + "***********" + std::string(after, '.');
      EXPECT_EQ(scrub_national_ids(text), expected) << before << ' ' << after;
    }
  }
}

}  // namespace
}  // namespace helsekontakter
