#include "adapters/cli/check.h"

#include "tests/unit/config/sample.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::cli {
namespace {

using config::least;
using config::loaded;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Checked {
  int status = 0;
  std::string text;
};

Checked checked(const CheckOptions& options, const Probes& probes, std::string_view yaml = least) {
  std::ostringstream out;
  const int status = check(loaded(yaml), options, probes, out);
  return {status, out.str()};
}

Result<std::string> fine() {
  return std::string("fine");
}

Probes all_fine() {
  return {.broker = fine,
          .topics = [](bool) { return fine(); },
          .token = [](OrganizationNumber) { return fine(); },
          .status_token = [](OrganizationNumber) { return fine(); },
          .endpoint = fine,
          .clock_skew = [] { return Result<Milliseconds>(Milliseconds(200)); }};
}

TEST(Check, SaysTheGuaranteeAndTheNumbersThatHangTogether) {
  const Checked result = checked({}, {});
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.text, AllOf(HasSubstr("one transaction"), HasSubstr("session.timeout 60 s"),
                                 HasSubstr("coordinator silence 10 s"),
                                 HasSubstr("synthetic ones only"), Not(HasSubstr("broker"))));
}

TEST(Check, ShowsWarnings) {
  EXPECT_THAT(checked({}, {}, config::with("    tls_ca_file: /etc/kafka/ca.pem\n", "")).text,
              HasSubstr("warn  source.kafka: neither user nor tls_* is said"));
}

TEST(Check, AsksTheOutsideOnlyWhenTold) {
  Probes probes = all_fine();
  int asked = 0;
  probes.broker = [&] {
    ++asked;
    return fine();
  };
  EXPECT_EQ(checked({}, probes).status, 0);
  EXPECT_EQ(asked, 0);
  EXPECT_EQ(checked({.connect = true}, probes).status, 0);
  EXPECT_EQ(asked, 1);
}

TEST(Check, GoesOnAfterAFailureAndEndsWithStatusOne) {
  Probes probes = all_fine();
  probes.broker = [] { return Result<std::string>(fail(Remedy::retry, "no broker answers")); };
  const Checked result = checked({.connect = true}, probes);
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.text, AllOf(HasSubstr("FAIL  broker: no broker answers"),
                                 HasSubstr("ok    token for 948554062: fine")));
}

TEST(Check, RefusesAClockThatIsFarOff) {
  Probes probes = all_fine();
  probes.clock_skew = [] { return Result<Milliseconds>(Milliseconds(-31'000)); };
  const Checked result = checked({.connect = true}, probes);
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.text, HasSubstr("differ by 31 s"));
}

TEST(Check, MakesTopicsOnlyWhenTold) {
  Probes probes = all_fine();
  bool created = false;
  probes.topics = [&](bool create) {
    created = create;
    return fine();
  };
  EXPECT_EQ(checked({.connect = true}, probes).status, 0);
  EXPECT_FALSE(created);
  EXPECT_EQ(checked({.connect = true, .create = true}, probes).status, 0);
  EXPECT_TRUE(created);
}

TEST(Check, SaysWhatItCouldNotAsk) {
  EXPECT_THAT(checked({.connect = true}, {}).text, HasSubstr("-     broker: not asked"));
}

TEST(Check, AsksForTheFileOfTheLedgerWhateverTheSource) {
  Probes probes = all_fine();
  probes.input = fine;
  probes.output = fine;
  probes.ledger = [] { return Result<std::string>(fail(Remedy::stop, "no such folder")); };
  const Checked queues = checked({.connect = true}, probes, R"(
environment: TEST1
source: {amqp: {url: [amqps://b], address: in, user: u, password_file: /p}}
results: {amqp: {address: out}}
ledger: {sqlite: {path: /l.db}, hmac_key_file: /k, sealing_key_files: [/s]}
organizations: {"948554062": {}}
auth: {client_id: c, jwk_file: /j}
)");
  EXPECT_EQ(queues.status, 1);
  EXPECT_THAT(queues.text, HasSubstr("FAIL  ledger: no such folder"));
  EXPECT_EQ(checked({.connect = true}, probes).status, 0) << "a topic has no file";
}

}  // namespace
}  // namespace helsekontakter::cli
