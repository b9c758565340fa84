#include "tests/unit/json/events.h"
#include "worker/domain/verdict.h"

#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>
#include <simdjson.h>

// schemas/ says what becomes of each golden example, and which reasons there are.

namespace helsekontakter::json {
namespace {

namespace dom = simdjson::dom;

std::string read_file(const std::string& name) {
  std::ifstream file(std::string(SCHEMAS_DIR) + "/" + name, std::ios::binary);
  if (!file) throw std::runtime_error("cannot open schemas/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string text_of(const dom::element& object, std::string_view name) {
  std::string_view text;
  if (object[name].get(text) != simdjson::SUCCESS) return {};
  return std::string(text);
}

std::string expected_shape(const dom::element& example) {
  const std::string reason = text_of(example, "reason");
  return reason.empty() ? text_of(example, "verdict") : reason + " " + text_of(example, "detail");
}

TEST(Examples, BecomeWhatTheIndexSays) {
  dom::parser parser;
  const simdjson::padded_string index(read_file("examples/index.json"));
  int decoded = 0;
  for (const dom::element example : parser.parse(index)["examples"].get_array()) {
    const std::string file = text_of(example, "file");
    const std::string verdict = text_of(example, "verdict");
    if (verdict.empty()) continue;
    const Delivery delivery = decode(read_file("examples/" + file));
    EXPECT_EQ(shape(delivery), expected_shape(example)) << file;
    if (const auto* finding = std::get_if<Finding>(&delivery.content)) {
      EXPECT_EQ(name(entry_of(finding->reason).verdict), verdict) << file;
    }
    ++decoded;
  }
  EXPECT_EQ(decoded, 40);
}

TEST(Reasons, AreThoseOfTheTable) {
  dom::parser parser;
  const simdjson::padded_string text(read_file("reasons.json"));
  const dom::array published = parser.parse(text)["reasons"].get_array();
  ASSERT_EQ(published.size(), reason_table().size());
  std::size_t at = 0;
  for (const dom::element reason : published) {
    const ReasonEntry& entry = reason_table()[at++];
    EXPECT_EQ(text_of(reason, "code"), entry.code);
    EXPECT_EQ(text_of(reason, "verdict"), name(entry.verdict));
    EXPECT_EQ(text_of(reason, "action"), name(entry.action));
    EXPECT_EQ(text_of(reason, "text"), entry.text);
  }
}

}  // namespace
}  // namespace helsekontakter::json
