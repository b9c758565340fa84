#include "tests/integration/simulator/parties.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::simulator::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

struct FaultCase {
  const char* name;
  int status;
  bool is_cut;
  int applied;
};

class Faults : public ::testing::TestWithParam<FaultCase> {};

TEST_P(Faults, ApplyOrDoNotAndEndAsTheirNameSays) {
  Bench bench(std::string("api: {faults: {") + GetParam().name + ": 1}}");
  const Reply reply = bench.post(bench.request(members({{0, 1}, {1, 1}}), bench.token()));
  EXPECT_EQ(reply.cut, GetParam().is_cut);
  if (!reply.cut) {
    EXPECT_EQ(reply.status, GetParam().status);
  }
  EXPECT_EQ(bench.count("members.applied"), GetParam().applied);
  EXPECT_EQ(bench.count(std::string("api.faults.") + GetParam().name), 1);
  EXPECT_EQ(bench.count("api.in_progress"), 0);
}

INSTANTIATE_TEST_SUITE_P(
    All, Faults,
    ::testing::Values(FaultCase{"status_500", 500, false, 0},
                      FaultCase{"status_502", 502, false, 0},
                      FaultCase{"status_503", 503, false, 0},
                      FaultCase{"status_504", 504, false, 0}, FaultCase{"cut_before", 0, true, 0},
                      FaultCase{"cut_after", 0, true, 2}, FaultCase{"slow_body", 200, false, 2},
                      FaultCase{"wrong_count", 200, false, 2}, FaultCase{"garbage", 200, false, 2}),
    [](const auto& test) { return test.param.name; });

TEST(FaultsOfTheSimulator, WrongCountLeavesOutOneEntry) {
  Bench bench("api: {faults: {wrong_count: 1}}");
  EXPECT_EQ(bench.post(bench.request(members({{0, 1}, {1, 1}}), bench.token())).body,
            R"({"resourceType":"Bundle","type":"batch-response","entry":[{"response":{"status":)"
            R"("201 Created"}}]})");
}

TEST(FaultsOfTheSimulator, AreTheSameForTheSameSeed) {
  const auto drawn = [](std::uint64_t seed) {
    Dice dice(seed);
    std::vector<Ending> out;
    for (int i = 0; i < 50; ++i) out.push_back(dice.draw({.status_500 = 0.3, .cut_late = 0.3}));
    return out;
  };
  EXPECT_EQ(drawn(7), drawn(7));
  EXPECT_NE(drawn(7), drawn(8));
}

TEST(FaultsOfTheSimulator, LatencyGrowsWithTheEntriesUpToItsLimit) {
  Dice dice(1);
  EXPECT_EQ(dice.draw({.base_ms = 10, .per_entry_ms = 2}, 100), Millis(210));
  EXPECT_EQ(dice.draw({.base_ms = 10, .per_entry_ms = 2, .max_ms = 50}, 100), Millis(50));
}

/// Versions in the order in which they were applied.
std::vector<int> versions(const Bench& bench) {
  bench.engine->flush();
  std::vector<int> out;
  const auto read = read_journal(bench.scratch.file("journal"),
                                 [&](const JournalLine& line) { out.push_back(line.version); });
  EXPECT_TRUE(read.has_value());
  return out;
}

TEST(JournalOfTheSimulator, HoldsWhatWasAppliedInTheOrderOfApplication) {
  Bench bench;
  const auto slow = bench.admit(members({{0, 1}}));
  const auto quick = bench.admit(members({{1, 2}}));
  EXPECT_EQ(bench.engine->api().finish(*quick).status, 200);
  EXPECT_EQ(bench.engine->api().finish(*slow).status, 200);
  EXPECT_THAT(versions(bench), ElementsAre(2, 1));
  EXPECT_THAT(bench.scratch.read("journal"), Not(HasSubstr(number(0))));
}

TEST(JournalOfTheSimulator, TellsAnOlderVersionExecutedLateOverANewerOne) {
  Bench bench("api: {settle_time_s: 30, faults: {cut_late: 1}}");
  const auto late = bench.admit(members({{0, 1}}));
  bench.engine->api().part(*late);
  EXPECT_EQ(bench.count("api.late_pending"), 1);
  EXPECT_LE(late->settle, std::chrono::seconds(30));
  bench.change(R"({"api":{"faults":{"cut_late":0}}})");
  EXPECT_EQ(bench.post(bench.request(members({{0, 2}}), bench.token())).status, 200);
  EXPECT_EQ(bench.count("members.older_over_newer"), 0);
  EXPECT_EQ(bench.count("members.overlapping"), 0);
  EXPECT_EQ(bench.engine->api().finish(*late).status, 200);
  EXPECT_EQ(bench.count("members.older_over_newer"), 1);
  EXPECT_EQ(bench.count("members.applied_late"), 1);
  EXPECT_EQ(bench.count("api.late_pending"), 0);
  EXPECT_THAT(versions(bench), ElementsAre(2, 1));
  EXPECT_THAT(summarize(bench.scratch.file("journal")).value(),
              HasSubstr(R"("applied":2,"applied_late":1,"repeated":0,"older_over_newer":1,)"
                        R"("members":1,"members_left_older":1)"));
}

TEST(JournalOfTheSimulator, CountsARepeatedVersionApartFromAnOlderOne) {
  Bench bench;
  for (const int version : {1, 1, 2}) {
    EXPECT_EQ(bench.post(bench.request(members({{0, version}}), bench.token())).status, 200);
  }
  EXPECT_EQ(bench.count("members.repeated"), 1);
  EXPECT_EQ(bench.count("members.older_over_newer"), 0);
}

TEST(JournalOfTheSimulator, KeepsTheSameMemberOfTwoOrganisationsApart) {
  Bench bench;
  EXPECT_EQ(bench.post(bench.request(members({{0, 5}}), bench.token())).status, 200);
  EXPECT_EQ(bench
                .post(bench.request(members({{0, 1}}, other_organization),
                                    bench.token(other_organization)))
                .status,
            200);
  EXPECT_EQ(bench.count("members.known"), 2);
  EXPECT_EQ(bench.count("members.older_over_newer"), 0);
}

std::string expectation(int member, int version) {
  return R"({"organization":")" + our_organization + R"(","member":")" + number(member) +
         R"(","version":)" + std::to_string(version) + "}\n";
}

TEST(JournalOfTheSimulator, IsComparedWithTheExpectedFinalVersions) {
  Bench bench;
  EXPECT_EQ(bench.post(bench.request(members({{0, 3}, {1, 4}}), bench.token())).status, 200);
  bench.engine->flush();
  const std::string journal = bench.scratch.file("journal");
  const std::string key = journal_key(journal + ".key", false).value();
  const auto compared = [&](const std::string& lines, bool exact) {
    bench.scratch.write("expected", lines);
    return compare(journal, key, bench.scratch.file("expected"), exact).value();
  };
  EXPECT_TRUE(compared(expectation(0, 3) + expectation(1, 4), true).agrees);
  EXPECT_TRUE(compared(expectation(0, 3), false).agrees);
  EXPECT_FALSE(compared(expectation(0, 3), true).agrees);
  const Comparison wrong = compared(expectation(0, 2) + expectation(2, 1), false);
  EXPECT_FALSE(wrong.agrees);
  EXPECT_THAT(wrong.json, HasSubstr(R"("mismatched":1,"missing":1,"unexpected":1)"));
  EXPECT_THAT(wrong.json, Not(HasSubstr(number(0))));
}

TEST(JournalOfTheSimulator, GoesOnAfterARestart) {
  Bench bench;
  EXPECT_EQ(bench.post(bench.request(members({{0, 3}}), bench.token())).status, 200);
  bench.engine->flush();
  auto config = parse_config("listen: {helseid: '', api: ''}\njournal: {file: journal}\n" +
                                 std::string("api: {token_required: false}"),
                             bench.scratch.file(""));
  bench.engine = Engine::create(config.value(), [](std::string_view) {}).value();
  EXPECT_EQ(bench.count("members.known"), 1);
  EXPECT_EQ(bench.post(bench.request(members({{0, 2}}))).status, 200);
  EXPECT_EQ(bench.count("members.older_over_newer"), 1);
  EXPECT_THAT(versions(bench), ElementsAre(3, 2));
  EXPECT_THAT(bench.scratch.read("journal"), HasSubstr("{\"seq\":2,"));
}

TEST(LogOfTheSimulator, ShowsNoIdentityNumber) {
  EXPECT_EQ(scrubbed("typ 21814497167!"), "typ [number]!");
  EXPECT_EQ(scrubbed("218144971670"), "218144971670");
  EXPECT_THAT(scrubbed(std::string(295, 'x') + "21814497167"), Not(HasSubstr("21814")));
}

TEST(MemberHash, IsHmacSha256) {
  // The expectation comes from
  // `printf 'Hi\x1fThere' | openssl dgst -sha256 -hmac key`.
  std::string hex;
  for (const std::uint8_t byte : MemberHash("key")("Hi", "There")) {
    constexpr std::string_view digits = "0123456789abcdef";
    hex.append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
  }
  EXPECT_EQ(hex, "da8cc27dfaf840d552e074bcb36a5211");
}

}  // namespace
}  // namespace helsekontakter::simulator::testing
