#include "adapters/config/describe.h"
#include "adapters/config/nearest.h"
#include "adapters/config/option.h"
#include "tests/unit/config/sample.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

namespace helsekontakter::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(OptionTable, SaysWhatEachKeyMeansAndNamesItOnce) {
  std::set<std::string_view> paths;
  for (const Option& option : option_table()) {
    EXPECT_TRUE(paths.insert(option.path).second) << option.path << " stands twice";
    EXPECT_THAT(option.meaning, Not(IsEmpty())) << option.path;
    EXPECT_FALSE(is_section(option.path)) << option.path << " is a key and a section";
    const int sources =
        !option.fallback.empty() + !option.derived.empty() + !option.example.empty();
    EXPECT_TRUE(!option.available || sources == 1)
        << option.path << ": default, derived or example";
    if (option.type == OptionType::choice && option.available) {
      EXPECT_THAT(option.choices, Not(IsEmpty())) << option.path;
    }
  }
}

TEST(OptionTable, WritesUnitsAsTheNamesDo) {
  for (const Option& option : option_table()) {
    if (option.path.ends_with("_s")) {
      EXPECT_EQ(option.unit, "s") << option.path;
    }
    if (option.path.ends_with("_ms")) {
      EXPECT_EQ(option.unit, "ms") << option.path;
    }
    if (option.path.ends_with("_h")) {
      EXPECT_EQ(option.unit, "h") << option.path;
    }
    if (option.path.ends_with("_d")) {
      EXPECT_EQ(option.unit, "d") << option.path;
    }
    if (option.path.ends_with("bytes_max")) {
      EXPECT_EQ(option.unit, "bytes") << option.path;
    }
  }
}

TEST(OptionsAsYaml, LoadAndMeanTheDefaults) {
  const std::string yaml = describe_options(OptionsFormat::yaml);
  ASSERT_EQ(errors_of(yaml), "");
  const Configuration written = loaded(yaml);
  const Configuration left_out = loaded(least);
  EXPECT_EQ(written.endpoint.url.text(), left_out.endpoint.url.text());
  EXPECT_EQ(written.worker.api.settle_time, left_out.worker.api.settle_time);
  EXPECT_EQ(written.helseid.scope, left_out.helseid.scope);
  EXPECT_EQ(written.shutdown_timeout, left_out.shutdown_timeout);
  EXPECT_EQ(written.decoder.keep_payload, left_out.decoder.keep_payload);
}

TEST(OptionsAsYaml, NameEveryKeyOfThisRelease) {
  const std::string yaml = describe_options(OptionsFormat::yaml);
  for (const Option& option : option_table()) {
    const std::string name(option.path.substr(option.path.rfind('.') + 1));
    if (option.available) {
      EXPECT_THAT(yaml, HasSubstr(name + ":")) << option.path;
    }
  }
  EXPECT_THAT(yaml, Not(HasSubstr("admin_socket")));
}

TEST(OptionsAsTable, NameEveryKeyAndWhatIsNotInThisRelease) {
  const std::string table = describe_options(OptionsFormat::table);
  for (const Option& option : option_table()) {
    const std::size_t at = table.find("\n" + std::string(option.path) + " ");
    ASSERT_NE(at, std::string::npos) << option.path;
    const std::string line = table.substr(at + 1, table.find('\n', at + 1) - at - 1);
    EXPECT_EQ(line.find("not in this release") != std::string::npos, !option.available) << line;
  }
}

TEST(OptionsAsJsonSchema, AreJsonThatDescribesEveryKeyOfThisRelease) {
  const simdjson::padded_string text(describe_options(OptionsFormat::json_schema));
  simdjson::dom::parser parser;
  const simdjson::dom::element schema = parser.parse(text);
  for (const Option& option : option_table()) {
    std::string pointer = "/properties/" + std::string(option.path);
    for (std::size_t dot = pointer.find('.'); dot != std::string::npos; dot = pointer.find('.')) {
      pointer.replace(dot, 1, "/properties/");
    }
    const auto found = schema.at_pointer(pointer + "/description");
    EXPECT_EQ(found.error() == simdjson::SUCCESS, option.available) << pointer;
  }
}

TEST(NearestKey, IsFoundByLooks) {
  EXPECT_EQ(edit_distance("brokers", "borkers"), 1u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(nearest_key("source.kafka.borkers"), "source.kafka.brokers");
  EXPECT_EQ(nearest_key("source.kafka.password"), "source.kafka.password_file");
  EXPECT_EQ(nearest_key("results.kafka.dead_letters_topic"), "results.kafka.dead_letter_topic");
  EXPECT_EQ(nearest_key("enviroment"), "environment");
  EXPECT_EQ(nearest_key("qqqqqqqqqqqqq"), "");
}

}  // namespace
}  // namespace helsekontakter::config
