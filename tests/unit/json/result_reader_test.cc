#include "adapters/json/result_reader.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>

namespace helsekontakter::json {
namespace {

std::string example(const std::string& name) {
  std::ifstream in(std::filesystem::path(SCHEMAS_DIR) / "examples" / name);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(ResultReader, ReadsAResult) {
  ResultReader reader;
  const std::string text = example("result-inactive.json");
  const auto result = reader.read(text);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->id.text(), "6c1a2b3d-4e5f-5061-9273-8495a6b7c8d9");
  EXPECT_EQ(result->event_id, "5f0c8f6e-6f9c-4d7e-9d5e-6a1b8c0f7d21");
  EXPECT_EQ(result->event_source, "/sio/crm");
  EXPECT_EQ(result->subject, "m-0048151");
  EXPECT_EQ(result->organization, OrganizationNumber::parse("948554062"));
  EXPECT_EQ(result->version, 1042);
  EXPECT_EQ(result->verdict, Verdict::inactive);
  EXPECT_EQ(result->reason_code, "not_digitally_active");
  EXPECT_EQ(result->attempt, 1);
  EXPECT_EQ(result->next_attempt_at, "2026-01-02T12:00:03Z");
  EXPECT_EQ(result->origin_topic, "membership-changes");
  EXPECT_EQ(result->origin, (Position{Partition{2}, 41}));
  EXPECT_EQ(result->resend, "");
}

TEST(ResultReader, ReadsEveryGoldenResult) {
  ResultReader reader;
  std::size_t found = 0;
  for (const auto& entry : std::filesystem::directory_iterator(SCHEMAS_DIR "/examples")) {
    const std::string name = entry.path().filename();
    if (!name.starts_with("result-")) continue;
    ++found;
    EXPECT_TRUE(reader.read(example(name))) << name;
  }
  EXPECT_GE(found, 4);
}

TEST(ResultReader, TakesNothingElseForAResult) {
  ResultReader reader;
  EXPECT_FALSE(reader.read(""));
  EXPECT_FALSE(reader.read("[]"));
  EXPECT_FALSE(reader.read(example("membership.json")));
  std::string text = example("result-accepted.json");
  text.replace(text.find("accepted"), 8, "excepted");
  EXPECT_FALSE(reader.read(text));
}

TEST(VerdictOf, KnowsEachName) {
  for (std::size_t i = 0; i < verdicts; ++i) {
    const auto verdict = static_cast<Verdict>(i);
    EXPECT_EQ(verdict_of(name(verdict)), verdict);
  }
  EXPECT_FALSE(verdict_of("parked"));
}

}  // namespace
}  // namespace helsekontakter::json
