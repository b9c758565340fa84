#include "adapters/cli/check.h"
#include "tests/unit/config/sample.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::config {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// The least configuration with these sections of source and results.
std::string files(std::string_view source, std::string_view results) {
  return "environment: TEST1\nsource: {file: {" + std::string(source) + "}}\n" +
         "results: {file: {" + std::string(results) + "}}\n" + R"(
ledger:
  sqlite: {path: ledger.db}
  hmac_key_file: /run/secrets/ledger-hmac
  sealing_key_files: [/run/secrets/ledger-seal]
organizations: {"948554062": {}}
auth: {client_id: c, jwk_file: /run/secrets/helseid-jwk}
)";
}

std::string checked(std::string_view yaml) {
  std::ostringstream out;
  EXPECT_EQ(cli::check(loaded(yaml), {}, {}, out), 0);
  return out.str();
}

TEST(Files, HaveDefaults) {
  const Configuration c = loaded(files("path: in/changes.ndjson", ""));
  EXPECT_EQ(c.source_technology, Technology::file);
  EXPECT_EQ(c.results_technology, Technology::file);
  EXPECT_EQ(c.file_source.path, "in/changes.ndjson");
  EXPECT_EQ(c.file_source.checkpoint, "in/changes.ndjson.checkpoint");
  EXPECT_EQ(c.file_results.path, "-");
  EXPECT_EQ(c.file_results.source, "/helsekontakter");
  EXPECT_EQ(c.file_results.environment, "TEST1");
  EXPECT_EQ(c.decoder.event_bytes_max, file::SourceSettings{}.event_bytes_max);
  EXPECT_FALSE(c.decoder.keep_payload);
  EXPECT_THAT(c.warnings, IsEmpty()) << "Kafka's are not for files";
}

TEST(Files, AreReadAsTheyAreWritten) {
  const Configuration c = loaded(files("path: in, checkpoint: at, event_bytes_max: 2048",
                                       "path: out, dead_letter_path: letters"));
  EXPECT_EQ(c.file_source.checkpoint, "at");
  EXPECT_EQ(c.decoder.event_bytes_max, 2048u);
  EXPECT_EQ(c.file_results.path, "out");
  EXPECT_EQ(c.file_results.dead_letter_path, "letters");
  EXPECT_TRUE(c.decoder.keep_payload);
}

TEST(Files, OfResultsMayBeLeftOutWithAFileAsSource) {
  std::string yaml = files("path: in", "");
  yaml.erase(yaml.find("results:"), std::string_view("results: {file: {}}\n").size());
  EXPECT_EQ(loaded(yaml).file_results.path, "-");
}

TEST(StandardInput, HasNoCheckpoint) {
  EXPECT_THAT(loaded(files("path: \"-\"", "")).file_source.checkpoint, IsEmpty());
}

struct Wrong {
  std::string_view name;
  std::string yaml;
  std::string_view said;
};

void PrintTo(const Wrong& wrong, std::ostream* out) {
  *out << wrong.name;
}

class FilesRefused : public testing::TestWithParam<Wrong> {};

TEST_P(FilesRefused, WithOneSentence) {
  ASSERT_EQ(faults_of(GetParam().yaml).size(), 1u) << errors_of(GetParam().yaml);
  EXPECT_THAT(errors_of(GetParam().yaml), HasSubstr(GetParam().said));
}

INSTANTIATE_TEST_SUITE_P(
    Combinations, FilesRefused,
    testing::Values(
        Wrong{"no_path", files("checkpoint: at", ""), "source.file.path: is missing"},
        Wrong{"checkpoint_of_standard_input", files("path: \"-\", checkpoint: at", ""),
              "source.file.checkpoint: \"at\": standard input cannot be read again"},
        Wrong{"checkpoint_on_standard_output", files("path: in, checkpoint: \"-\"", ""),
              "source.file.checkpoint: \"-\": must be a file"},
        Wrong{"dead_letters_on_standard_output", files("path: in", "dead_letter_path: \"-\""),
              "results.file.dead_letter_path: \"-\": must be a file"},
        Wrong{"results_into_the_input", files("path: in", "path: in"),
              "results.file.path: \"in\": is the same file as source.file.path"},
        Wrong{"dead_letters_among_results", files("path: in", "path: out, dead_letter_path: out"),
              "is the same file as results.file.path"},
        Wrong{"results_over_the_checkpoint", files("path: in", "path: in.checkpoint"),
              "is the same file as source.file.checkpoint"},
        Wrong{"version_of_a_broker", files("path: in", "") + "version: {from: broker}\n",
              "version.from: \"broker\": with a file"},
        Wrong{"files_into_kafka",
              files("path: in", "")
                  .replace(files("path: in", "").find("{file: {}}"), 10, "{kafka: {topic: out}}"),
              "results.kafka: with source.file: not in this release"},
        Wrong{
            "kafka_into_files",
            with("results:\n  kafka: {topic: membership-results}", "results: {file: {path: out}}"),
            "results.file: with source.kafka: not in this release"},
        Wrong{"memory_for_too_few_events", files("path: in, event_bytes_max: 67108864", ""),
              "eight times source.file.event_bytes_max"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(Files, MayNotBeNamedAfterAPerson) {
  const std::string errors = errors_of(files("path: lists/13116900216.ndjson", ""));
  EXPECT_THAT(errors, HasSubstr("holds an identity number"));
  EXPECT_THAT(errors, Not(HasSubstr("13116900216")));
}

TEST(CheckOfFiles, SaysTheGuaranteeOfEachCombination) {
  EXPECT_THAT(checked(files("path: in", "path: out")),
              AllOf(HasSubstr("file to file: at least once"), HasSubstr("on the disk"),
                    HasSubstr("checkpoint in.checkpoint"), Not(HasSubstr("session.timeout"))));
  EXPECT_THAT(
      checked(files("path: in", "")),
      AllOf(HasSubstr("file to standard output: at least once"), HasSubstr("must keep them")));
  EXPECT_THAT(checked(files("path: \"-\"", "path: out")),
              AllOf(HasSubstr("standard input to file: at least once"),
                    HasSubstr("give the whole input once more"), Not(HasSubstr("checkpoint in"))));
}

TEST(CheckOfFiles, AsksForFilesInsteadOfABroker) {
  std::ostringstream out;
  const cli::Probes probes{.input = [] { return Result<std::string>("readable"); }};
  EXPECT_EQ(cli::check(loaded(files("path: in", "")), {.connect = true}, probes, out), 0);
  EXPECT_THAT(out.str(), AllOf(HasSubstr("ok    input: readable"), HasSubstr("-     output"),
                               Not(HasSubstr("broker"))));
}

}  // namespace
}  // namespace helsekontakter::config
