// What the status API's answer says of each member.

#include "adapters/json/status_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::json {
namespace {

using namespace std::chrono_literals;
using enum DigitalStatus;
using Kind = StatusFailure::Kind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const std::vector<std::string> asked{"21814497167", "26908896636"};

struct Said {
  std::string fields;
  DigitalStatus status;
};

class StatusOfAMember : public ::testing::TestWithParam<Said> {};

TEST_P(StatusOfAMember, IsReadInBothSpellings) {
  const std::string body = R"({"erAktivListe":{"26908896636":{"erDigitaltAktivSelv":false},)"
                           R"("21814497167":)" +
                           GetParam().fields + "}}";
  const auto read = read_statuses(200, body, asked, {});
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_THAT(*read, ElementsAre(GetParam().status, inactive)) << body;
}

INSTANTIATE_TEST_SUITE_P(
    Table, StatusOfAMember,
    ::testing::Values(
        Said{R"({"erDigitaltAktivSelv":true,"erDigitaltAktivViaAndre":false})", active},
        Said{R"({"erDigitaltAktivSelv":false,"erDigitaltAktivViaAndre":true})", active},
        Said{R"({"erDigitaltAktivSelv":false,"tildeltFullmakt":true})", active},
        Said{R"({"erDigitaltAktivSelv":false,"tildeltFullmakt":false})", inactive},
        Said{R"({"erAktivSelv":true,"erAktivViaAndre":false})", active},
        Said{R"({"erAktivSelv":false,"erAktivViaAndre":true})", active},
        Said{R"({"erAktivSelv":false,"erAktivViaAndre":false})", inactive},
        Said{R"({"erAktivSelv":false,"nytt":true})", inactive}, Said{R"({"nytt":true})", unknown},
        Said{R"({"erAktivSelv":"true"})", unknown}, Said{R"({})", unknown}, Said{"true", unknown},
        Said{"null", unknown}));

TEST(Statuses, OfMembersWhomTheAnswerLeavesOutAreUnknown) {
  const auto read = read_statuses(200,
                                  R"({"erAktivListe":{"26908896636":{"erAktivSelv":true},)"
                                  R"("41814061033":{"erAktivSelv":true}}})",
                                  asked, {});
  ASSERT_TRUE(read);
  EXPECT_THAT(*read, ElementsAre(unknown, active));
}

class UnreadableStatuses : public ::testing::TestWithParam<std::string> {};

TEST_P(UnreadableStatuses, SayTheirShapeAndNoNumber) {
  const auto read = read_statuses(200, GetParam(), asked, {});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, Kind::unreadable);
  EXPECT_THAT(read.error().text, HasSubstr("cannot be read"));
  EXPECT_THAT(read.error().text, Not(HasSubstr("21814497167")));
}

INSTANTIATE_TEST_SUITE_P(
    Table, UnreadableStatuses,
    ::testing::Values("", "<html>21814497167</html>", "[]", "true", "{}",
                      R"({"erAktivListe":[{"21814497167":true}]})", R"({"erAktivListe":{}})",
                      R"({"erAktivListe":{"21814497167":{"aktiv":true}}})",
                      R"({"liste":{"21814497167":{"erAktivSelv":true}}})",
                      R"({"erAktivListe":{"21814497167":{"erAktivSelv":true}})"));

struct RefusedWith {
  int status;
  Kind kind;
};

class RefusedStatuses : public ::testing::TestWithParam<RefusedWith> {};

TEST_P(RefusedStatuses, AreOfTheListOrNot) {
  const auto read = read_statuses(GetParam().status,
                                  R"({"code":"X-1","message":"nei 21814497167 nei"})", asked, 7s);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, GetParam().kind);
  EXPECT_EQ(read.error().retry_after, 7s);
  EXPECT_THAT(read.error().text, HasSubstr("HTTP " + std::to_string(GetParam().status)));
  EXPECT_THAT(read.error().text, Not(HasSubstr("21814497167")));
}

INSTANTIATE_TEST_SUITE_P(
    Table, RefusedStatuses,
    ::testing::Values(RefusedWith{400, Kind::refused_list}, RefusedWith{413, Kind::refused_list},
                      RefusedWith{422, Kind::refused_list}, RefusedWith{401, Kind::refused},
                      RefusedWith{403, Kind::refused}, RefusedWith{404, Kind::refused},
                      RefusedWith{429, Kind::refused}, RefusedWith{500, Kind::refused},
                      RefusedWith{503, Kind::refused}));

}  // namespace
}  // namespace helsekontakter::json
