#include "adapters/json/answer_reader.h"

#include "worker/domain/national_id.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// The forms of an answer: contract/medlemstjenester 9.

namespace helsekontakter::json {
namespace {

const std::vector<std::string> numbers{"13116900216", "02013299997", "30108299920"};
const std::string outsider = "21814497167";

Uuid url(std::size_t at) {
  return *Uuid::parse("00000000-0000-5000-8000-00000000000" + std::to_string(at));
}

std::vector<EntryReference> members(std::size_t count) {
  std::vector<EntryReference> entries;
  for (std::size_t i = 0; i < count; ++i) entries.push_back({url(i), numbers[i]});
  return entries;
}

std::vector<EntryReference> services(std::size_t count) {
  std::vector<EntryReference> entries;
  for (std::size_t i = 0; i < count; ++i) {
    entries.push_back({url(i), "3f2504e0-4f89-41d3-9a0c-0305e82c330" + std::to_string(i)});
  }
  return entries;
}

/// "201 400!2118": an answer for each entry; ! marks a fault, then comes the code.
std::string shape(const SubmissionOutcome& outcome) {
  const auto one = [](const EntryAnswer& answer) {
    std::string out = std::to_string(answer.status);
    if (answer.fault) out += "!";
    return out + answer.code;
  };
  if (const auto* answered = std::get_if<Answered>(&outcome)) {
    std::string out;
    for (const EntryAnswer& answer : answered->entries) {
      if (!out.empty()) out += ' ';
      out += one(answer);
    }
    return out;
  }
  if (const auto* refused = std::get_if<Refused>(&outcome))
    return "refused " + one(refused->reason);
  return std::holds_alternative<Unreadable>(outcome) ? "unreadable" : "something else";
}

std::string outcome(const std::string& code, const std::string& severity = "error") {
  return R"({"resourceType":"OperationOutcome","id":"ev-9","issue":[{"severity":")" + severity +
         R"(","code":"processing","details":{"coding":[{"system":)" +
         R"("http://nhn.no/hit/fhir/error/CodeSystem/ErrorCode","code":")" + code +
         R"("}]},"diagnostics":"ikke digitalt aktiv"}]})";
}

std::string bundle(const std::string& type, const std::string& entries) {
  return R"({"resourceType":"Bundle","type":")" + type + R"(","entry":[)" + entries + "]}";
}

std::string patient(const std::string& number) {
  return R"({"resource":{"resourceType":"Patient","identifier":[{"system":"x","value":")" + number +
         R"("}]}})";
}

const std::string created = R"({"response":{"status":"201 Created"}})";
const std::string refused = R"({"response":{"status":"400","outcome":)" + outcome("2118") + "}}";

struct Case {
  std::string name;
  std::size_t entries;
  std::string body;
  std::string shape;
};

std::string name_of(const testing::TestParamInfo<Case>& info) {
  std::string name = info.param.name;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

class MemberAnswers : public testing::TestWithParam<Case> {};

TEST_P(MemberAnswers, AreAttributedOrUnreadable) {
  const Case& given = GetParam();
  const auto read =
      read_answer(200, given.body, Lane::members, members(given.entries), std::nullopt);
  EXPECT_EQ(shape(read), given.shape);
  if (const auto* unreadable = std::get_if<Unreadable>(&read)) {
    EXPECT_FALSE(contains_national_id(unreadable->shape)) << unreadable->shape;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Bundles, MemberAnswers,
    testing::Values(
        Case{"by position", 2, bundle("batch-response", created + "," + refused), "201 400!2118"},
        Case{"transaction response", 2, bundle("transaction-response", created + "," + created),
             "201 201"},
        Case{"status number", 1, bundle("batch-response", R"({"response":{"status":201}})"), "201"},
        Case{"too few", 3, bundle("batch-response", created + "," + created), "unreadable"},
        Case{"too many", 1, bundle("batch-response", created + "," + created), "unreadable"},
        Case{"none", 1, bundle("batch-response", ""), "unreadable"},
        Case{"no entry", 1, R"({"resourceType":"Bundle","type":"batch-response"})", "unreadable"},
        Case{"entry without status", 1, bundle("batch-response", R"({"response":{}})"),
             "unreadable"},
        Case{"by fullUrl, out of order", 2,
             bundle("batch-response", R"({"fullUrl":"urn:uuid:)" + url(1).text() +
                                          R"(","response":{"status":"400"}},)" +
                                          R"({"fullUrl":"urn:uuid:)" + url(0).text() +
                                          R"(","response":{"status":"201"}})"),
             "201 400"},
        Case{"by location", 2,
             bundle("batch-response", R"({"response":{"status":"200","location":"Patient/)" +
                                          url(1).text() + R"(/_history/1"}},)" +
                                          R"({"response":{"status":"201","location":"Patient/)" +
                                          url(0).text() + R"("}})"),
             "201 200"},
        Case{"fullUrls of the server", 2,
             bundle("batch-response",
                    R"({"fullUrl":"https://x/Patient/1","response":{"status":"201"}},)"
                    R"({"fullUrl":"https://x/Patient/2","response":{"status":"200"}})"),
             "201 200"},
        Case{"patients, out of order", 2,
             bundle("collection", patient(numbers[1]) + "," + patient(numbers[0])), "0 0"},
        Case{"patient and outcome at its place", 2,
             bundle("collection", patient(numbers[0]) + R"(,{"resource":)" + outcome("2118") + "}"),
             "0 0!2118"},
        Case{"outcome at another place", 2,
             bundle("collection", R"({"resource":)" + outcome("2118") + "}," + patient(numbers[0])),
             "unreadable"},
        Case{
            "outcome that mentions its patient", 2,
            bundle("collection",
                   R"({"resource":{"resourceType":"OperationOutcome","issue":[{"severity":"error",)"
                   R"("expression":["Patient?identifier=02013299997"],"diagnostics":"2109"}]}},)" +
                       patient(numbers[0])),
            "0 0!2109"},
        Case{"a stranger", 1, bundle("collection", patient(outsider)), "unreadable"},
        Case{"one twice, one never", 2,
             bundle("collection", patient(numbers[0]) + "," + patient(numbers[0])), "unreadable"},
        Case{"our own question", 1, bundle("batch", patient(numbers[0])), "unreadable"},
        Case{"a fault inside 2xx", 1,
             bundle("batch-response",
                    R"({"response":{"status":"200","outcome":)" + outcome("2109") + "}}"),
             "200!2109"},
        Case{"a warning inside 2xx", 1,
             bundle("batch-response",
                    R"({"response":{"status":"200","outcome":)" + outcome("1", "warning") + "}}"),
             "2001"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    OwnForms, MemberAnswers,
    testing::Values(
        Case{"list", 2,
             R"([{"fnr":"02013299997","returKode":"ikkeOk","code":"EPVK-101518","message":"nei"},)"
             R"({"fnr":"13116900216","returKode":"ok","instansEndret":"endret"}])",
             "0 0!EPVK-101518"},
        Case{"list by position", 2, R"([{"status":201},{"status":400,"code":"2109"}])",
             "201 4002109"},
        Case{"list in an envelope", 2,
             R"({"antall":2,"resultater":[{"fnr":"02013299997","status":"400"},)"
             R"({"fnr":"13116900216","status":"201"}]})",
             "201 400"},
        Case{"map", 2,
             R"({"02013299997":{"status":400,"code":"2118"},"13116900216":{"status":201}})",
             "201 4002118"},
        Case{"map in an envelope", 1, R"({"svar":{"13116900216":{"success":false}}})", "0!"},
        Case{"map with a stranger", 1,
             R"({"13116900216":{"status":201},"21814497167":{"status":201}})", "unreadable"},
        Case{"map that lacks one", 2, R"({"13116900216":{"status":201}})", "unreadable"},
        Case{"numbers as numbers", 2,
             R"([{"fnr":2013299997,"status":400},{"fnr":13116900216,"status":201}])", "201 400"},
        Case{"no verdict", 1, R"([{"fnr":"13116900216","resultat":"AVVIST"}])", "unreadable"},
        Case{"PVK fault", 1, R"({"code":"EPVK-101518","message":"nei","errorCategory":1})",
             "0!EPVK-101518"},
        Case{"PVK fault of several", 2, R"({"code":"EPVK-101518","message":"nei"})", "unreadable"},
        Case{"PVK ok", 1, R"({"returKode":"ok","instansEndret":"ikkeEndret"})", "0"},
        Case{"the resource", 1, R"({"resourceType":"Patient","id":"17"})", "0"},
        Case{"an outcome for one", 1, outcome("2118"), "0!2118"},
        Case{"an outcome for two", 2, outcome("2118"), "unreadable"},
        Case{"code and text as two issues", 1,
             R"({"resourceType":"OperationOutcome","issue":[{"severity":"error",)"
             R"("diagnostics":"2118"},{"severity":"error","diagnostics":"ikke aktiv"}]})",
             "0!2118"},
        Case{"diagnostics as object", 1,
             R"({"resourceType":"OperationOutcome","issue":[{"severity":"fatal","diagnostics":)"
             R"({"errorCode":"X-1","errorMessage":"nei","eventId":"ev-1"}}]})",
             "0!X-1"},
        Case{"nothing", 1, "", "unreadable"}, Case{"blank", 1, " \n", "unreadable"},
        Case{"HTML", 1, "<html>13116900217</html>", "unreadable"},
        Case{"broken", 1, R"({"fnr":)", "unreadable"}, Case{"true", 1, "true", "unreadable"}),
    name_of);

class OfferingAnswers : public testing::TestWithParam<Case> {};

TEST_P(OfferingAnswers, AreAcceptedUnlessTheyReportAFault) {
  const Case& given = GetParam();
  EXPECT_EQ(
      shape(read_answer(200, given.body, Lane::offerings, services(given.entries), std::nullopt)),
      given.shape);
}

INSTANTIATE_TEST_SUITE_P(
    All, OfferingAnswers,
    testing::Values(
        Case{"nothing", 2, "", "0 0"}, Case{"any JSON", 2, R"({"hei":[1,{"a":"b"}]})", "0 0"},
        Case{"more entries than offerings", 2,
             bundle("transaction-response",
                    created + "," + created + "," + created + "," + created + "," + created),
             "0 0"},
        Case{"by fullUrl", 2,
             bundle("batch-response", created + R"(,{"fullUrl":"urn:uuid:)" + url(1).text() +
                                          R"(","response":{"status":"422"}},)" + created),
             "0 422"},
        Case{"by service id", 2,
             bundle("collection",
                    R"({"resource":{"resourceType":"HealthcareService","identifier":[{"value":)"
                    R"("urn:uuid:3f2504e0-4f89-41d3-9a0c-0305e82c3301"}]}})"),
             "0 0"},
        Case{"a fault of the only one", 1,
             bundle("transaction-response", created + "," + refused + "," + created), "400!2118"},
        Case{"a fault of nobody", 2,
             bundle("transaction-response", created + "," + refused + "," + created), "unreadable"},
        Case{"an outcome", 1, outcome("2109"), "0!2109"},
        Case{"an outcome for information", 2, outcome("1", "information"), "0 0"},
        Case{"a fault within an unknown form", 1, R"({"a":[{"b":)" + outcome("2109") + "}]}",
             "0!2109"},
        Case{"HTML", 1, "<html>", "unreadable"}),
    name_of);

struct Refusal {
  int status;
  std::string body;
  std::string shape;
  std::string text;
};

class Refusals : public testing::TestWithParam<Refusal> {};

TEST_P(Refusals, SayWhy) {
  const auto read = read_answer(GetParam().status, GetParam().body, Lane::members, members(2),
                                Milliseconds{3000});
  EXPECT_EQ(shape(read), GetParam().shape);
  EXPECT_EQ(std::get<Refused>(read).reason.text, GetParam().text);
  EXPECT_EQ(std::get<Refused>(read).retry_after, Milliseconds{3000});
}

INSTANTIATE_TEST_SUITE_P(
    All, Refusals,
    testing::Values(
        Refusal{400, outcome("2109"), "refused 400!2109", "ikke digitalt aktiv"},
        Refusal{401, R"({"code":"EHSEC-110002","message":"Token is expired or invalid"})",
                "refused 401!EHSEC-110002", "Token is expired or invalid"},
        Refusal{400, R"({"title":"Bad","status":400,"detail":"for 13116900216"})", "refused 400",
                "for ***********"},
        Refusal{503, "upstream\ndown 13116900216", "refused 503", "upstream down ***********"},
        Refusal{502, "l\xE6rere", "refused 502", "l?rere"}, Refusal{500, "", "refused 500", ""},
        Refusal{302, "", "refused 302", ""}, Refusal{400, "[]", "refused 400", ""}));

TEST(ReadAnswer, ScrubsAndShortensTextsAtACharacter) {
  std::string text(255, 'a');
  text += "\xC3\xA5 13116900216";
  const auto read = read_answer(200, R"([{"status":400,"code":"x","message":")" + text + R"("}])",
                                Lane::members, members(1), std::nullopt);
  EXPECT_EQ(std::get<Answered>(read).entries[0].text, std::string(255, 'a'));
  const auto cut = read_answer(400, std::string(250, 'a') + " 13116900216", Lane::members,
                               members(1), std::nullopt);
  EXPECT_EQ(std::get<Refused>(cut).reason.text, std::string(250, 'a') + " *****");
}

TEST(ReadAnswer, KeepsTheEventIdForSupport) {
  const auto read = read_answer(400, outcome("1"), Lane::members, members(1), std::nullopt);
  EXPECT_EQ(std::get<Refused>(read).reason.event_id, "ev-9");
}

TEST(ReadAnswer, ShowsTheShapeOfWhatItCannotRead) {
  const auto read =
      read_answer(200, R"({"Ola Nordmann":{"a":[{"b_c":1.5}]},"21814497167":{"a":true},"t":null})",
                  Lane::members, members(1), std::nullopt);
  EXPECT_EQ(std::get<Unreadable>(read).shape, "{*:{a:[1 {b_c:number}]},t:null}");
}

/// Answers in the reverse order, each naming its entry; `more` goes into each of them.
std::string reversed(const std::vector<EntryReference>& entries, const std::string& more) {
  std::string body = R"({"resourceType":"Bundle","type":"batch-response","entry":[)";
  for (std::size_t i = entries.size(); i-- > 0;) {
    body += R"({"fullUrl":"urn:uuid:)" + entries[i].full_url.text() + R"(",)" + more +
            R"("response":{"status":")" + std::to_string(200 + i % 50) + "\"}}";
    body += i > 0 ? "," : "]}";
  }
  return body;
}

TEST(ReadAnswer, FindsEachOfFiveHundredByItsFullUrlInAnyOrderWhateverTheSize) {
  std::vector<EntryReference> entries;
  for (std::size_t i = 0; i < 500; ++i) {
    Uuid uuid;
    uuid.bytes[0] = static_cast<std::uint8_t>(i % 16);  // many begin alike
    uuid.bytes[14] = static_cast<std::uint8_t>(i >> 8);
    uuid.bytes[15] = static_cast<std::uint8_t>(i);
    entries.push_back({uuid, numbers[0]});
  }
  for (const std::size_t padding : {0U, 1000U, 0U}) {
    const std::string more = R"("note":")" + std::string(padding, 'x') + R"(",)";
    const auto read =
        read_answer(200, reversed(entries, more), Lane::members, entries, std::nullopt);
    const auto* answered = std::get_if<Answered>(&read);
    ASSERT_NE(answered, nullptr);
    ASSERT_EQ(answered->entries.size(), 500u);
    for (std::size_t i = 0; i < 500; ++i) {
      EXPECT_EQ(answered->entries[i].status, static_cast<int>(200 + i % 50)) << i;
    }
  }
}

TEST(ReadAnswer, ReadsFiveHundredEntries) {
  std::vector<EntryReference> entries;
  std::string body;
  for (std::size_t i = 0; i < 500; ++i) {
    Uuid uuid;
    uuid.bytes[0] = static_cast<std::uint8_t>(i);
    uuid.bytes[1] = static_cast<std::uint8_t>(i >> 8);
    entries.push_back({uuid, std::to_string(10'000'000'000 + i)});
    if (i > 0) body += ',';
    body += i == 123 ? refused : created;
  }
  const auto read =
      read_answer(200, bundle("batch-response", body), Lane::members, entries, std::nullopt);
  const auto& answers = std::get<Answered>(read).entries;
  ASSERT_EQ(answers.size(), 500u);
  EXPECT_EQ(answers[123].code, "2118");
  EXPECT_EQ(answers[122].status, 201);
  EXPECT_EQ(answers[124].status, 201);
}

}  // namespace
}  // namespace helsekontakter::json
