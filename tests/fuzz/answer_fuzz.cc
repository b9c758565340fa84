#include "adapters/json/answer_reader.h"
#include "tests/fuzz/mutation.h"
#include "worker/domain/national_id.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace helsekontakter::json {
namespace {

const std::vector<std::string> answers{
    R"({"resourceType":"Bundle","type":"batch-response","entry":[{"response":{"status":"201"}},)"
    R"({"fullUrl":"urn:uuid:00000000-0000-0000-0000-000000000000","response":{"status":"400",)"
    R"("outcome":{"resourceType":"OperationOutcome","id":"e","issue":[{"severity":"error",)"
    R"("diagnostics":"nei 02013299997"}]}}}]})",
    R"([{"fnr":"13116900216","returKode":"ok"},{"fnr":"02013299997","code":"X",)"
    R"("message":"13116900216"}])",
    R"({"13116900216":{"status":201},"02013299997":{"status":400,"message":"nei"}})",
    R"({"resourceType":"OperationOutcome","issue":[{"severity":"fatal","diagnostics":)"
    R"({"errorCode":"1","errorMessage":"13116900216","eventId":"2"}}]})",
    R"({"resourceType":"Bundle","type":"collection","entry":[{"resource":)"
    R"({"resourceType":"Patient","identifier":[{"value":"13116900216"}]}},)"
    R"({"resource":{"resourceType":"Patient",)"
    R"("identifier":[{"value":"02013299997"}]}}]})"};

void check_text(const std::string& text, const std::string& body) {
  ASSERT_LE(text.size(), 256u) << body;
  ASSERT_FALSE(contains_national_id(text)) << body;
  ASSERT_TRUE(fuzz::is_utf8(text)) << body;
}

void check(const EntryAnswer& answer, const std::string& body) {
  check_text(answer.code, body);
  check_text(answer.text, body);
  check_text(answer.event_id, body);
}

class AnswerFuzz : public testing::TestWithParam<std::uint64_t> {};

TEST_P(AnswerFuzz, IsReadOrRefusedWhateverComesIn) {
  std::mt19937_64 random(GetParam());
  Uuid second;
  second.bytes[15] = 1;
  const std::vector<EntryReference> entries{{Uuid{}, "13116900216"}, {second, "02013299997"}};
  for (std::size_t i = 0; i < fuzz::rounds(); ++i) {
    const std::string body = fuzz::mutated(answers[random() % answers.size()], random);
    const Lane lane = random() % 2 == 0 ? Lane::members : Lane::offerings;
    const int status = random() % 3 == 0 ? 400 : 200;
    const SubmissionOutcome outcome = read_answer(status, body, lane, entries, std::nullopt);
    if (const auto* answered = std::get_if<Answered>(&outcome)) {
      ASSERT_EQ(answered->entries.size(), entries.size()) << body;
      for (const EntryAnswer& answer : answered->entries) check(answer, body);
    } else if (const auto* unreadable = std::get_if<Unreadable>(&outcome)) {
      ASSERT_FALSE(contains_national_id(unreadable->shape)) << body;
      ASSERT_TRUE(fuzz::is_utf8(unreadable->shape)) << body;
    } else {
      ASSERT_EQ(status, 400) << body;
      check(std::get<Refused>(outcome).reason, body);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnswerFuzz, testing::Range<std::uint64_t>(1, 10));

}  // namespace
}  // namespace helsekontakter::json
