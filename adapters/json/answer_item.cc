#include "adapters/json/answer_item.h"

#include "adapters/json/characters.h"
#include "adapters/json/plain_text.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <span>
#include <string>

namespace helsekontakter::json {
namespace {

namespace dom = simdjson::dom;

/// No answer of ours needs more words; the rest of a long list is not read.
constexpr std::size_t issues_max = 32;

std::optional<dom::object> object_at(const dom::object& object, std::string_view name) {
  dom::object found;
  if (object[name].get(found) != simdjson::SUCCESS) return std::nullopt;
  return found;
}

/// A string, or a whole number as text; empty for anything else.
std::string text_or_number(const dom::object& object, std::string_view name) {
  std::int64_t number = 0;
  if (object[name].get(number) == simdjson::SUCCESS) return std::to_string(number);
  return std::string(text_at(object, name));
}

std::string first_of(const dom::object& object, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    std::string text = text_or_number(object, name);
    if (!text.empty()) return text;
  }
  return {};
}

/// "201", "201 Created" or 201.
std::optional<int> read_status(const dom::object& object, std::string_view name) {
  std::int64_t number = 0;
  if (object[name].get(number) != simdjson::SUCCESS) {
    const std::string_view text = text_at(object, name);
    if (text.size() < 3 || (text.size() > 3 && text[3] != ' ')) return std::nullopt;
    for (const char c : text.substr(0, 3)) {
      if (c < '0' || c > '9') return std::nullopt;
      number = number * 10 + (c - '0');
    }
  }
  if (number < 100 || number > 599) return std::nullopt;
  return static_cast<int>(number);
}

/// "2118" or "EHSEC-110002": letters, digits and hyphens, at least one digit.
bool looks_like_a_code(std::string_view text) {
  if (text.empty() || text.size() > 32) return false;
  bool digit = false;
  for (const char c : text) {
    const bool other = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
    if (!is_digit(c) && !other) return false;
    digit = digit || is_digit(c);
  }
  return digit;
}

/// Adds one text of an issue: some endpoints give code and text as two issues.
void add_text(EntryAnswer& answer, std::string_view text) {
  if (text.empty()) return;
  if (looks_like_a_code(text)) {
    if (answer.code.empty()) answer.code = text;
    return;
  }
  if (answer.text.size() > shown_bytes_max) return;
  if (!answer.text.empty()) answer.text += "; ";
  answer.text += text;
}

void read_details(const dom::object& issue, EntryAnswer& answer) {
  const auto details = object_at(issue, "details");
  if (!details) return;
  dom::array codings;
  if ((*details)["coding"].get(codings) == simdjson::SUCCESS) {
    for (const dom::element element : codings) {
      dom::object coding;
      if (element.get(coding) != simdjson::SUCCESS) continue;
      const std::string code = text_or_number(coding, "code");
      const bool own = text_at(coding, "system").find("ErrorCode") != std::string_view::npos;
      if (!code.empty() && (own || answer.code.empty())) answer.code = code;
    }
  }
  add_text(answer, text_at(*details, "text"));
}

/// `diagnostics` is a string in FHIR; one endpoint sends an object.
void read_diagnostics(const dom::object& issue, EntryAnswer& answer) {
  const auto object = object_at(issue, "diagnostics");
  if (!object) return add_text(answer, text_at(issue, "diagnostics"));
  const std::string code = first_of(*object, {"errorCode", "code"});
  if (!code.empty()) answer.code = code;
  add_text(answer, first_of(*object, {"errorMessage", "message"}));
  if (answer.event_id.empty()) answer.event_id = first_of(*object, {"eventId"});
}

void read_issue(const dom::object& issue, EntryAnswer& answer) {
  const std::string_view severity = text_at(issue, "severity");
  // A missing severity is no promise that all is well.
  if (severity != "warning" && severity != "information" && severity != "success") {
    answer.fault = true;
  }
  read_details(issue, answer);
  read_diagnostics(issue, answer);
}

/// Adds what an OperationOutcome says; false when it is none.
bool read_outcome(const dom::object& outcome, EntryAnswer& answer) {
  dom::array issues;
  if (outcome["issue"].get(issues) != simdjson::SUCCESS) return false;
  if (answer.event_id.empty()) answer.event_id = text_at(outcome, "id");
  std::size_t count = 0;
  for (const dom::element element : issues) {
    dom::object issue;
    if (count++ >= issues_max) break;
    if (element.get(issue) == simdjson::SUCCESS) read_issue(issue, answer);
  }
  return true;
}

/// {"returKode"}, {"success"}, {"code", "message"} and the like; false when none of it is there.
bool read_own_form(const dom::object& object, EntryAnswer& answer) {
  bool known = false;
  for (const std::string_view name : {"status", "statusCode", "httpStatus", "statusKode"}) {
    if (const auto status = read_status(object, name); status && !known) {
      answer.status = *status;
      known = true;
    }
  }
  if (const std::string_view said = text_at(object, "returKode"); !said.empty()) {
    answer.fault = !equal_ignoring_case(said, "ok");
    known = true;
  }
  for (const std::string_view name : {"success", "ok", "accepted"}) {
    bool said = false;
    if (object[name].get(said) != simdjson::SUCCESS) continue;
    answer.fault = answer.fault || !said;
    known = true;
  }
  answer.code = first_of(object, {"code", "errorCode", "kode", "feilkode", "error"});
  answer.text = first_of(object, {"message", "errorMessage", "melding", "feilmelding",
                                  "error_description", "detail", "title"});
  answer.event_id = first_of(object, {"eventId", "traceId", "correlationId"});
  if (known || answer.code.empty()) return known;
  answer.fault = !equal_ignoring_case(answer.code, "ok");
  return true;
}

bool read_response(const dom::object& entry, EntryAnswer& answer) {
  const auto response = object_at(entry, "response");
  if (!response) return false;
  bool known = false;
  if (const auto status = read_status(*response, "status")) {
    answer.status = *status;
    known = true;
  }
  if (const auto outcome = object_at(*response, "outcome")) {
    known = read_outcome(*outcome, answer) || known;
  }
  return known;
}

bool read_resource(const dom::object& resource, EntryAnswer& answer) {
  const std::string_view type = text_at(resource, "resourceType");
  if (type == "OperationOutcome") return read_outcome(resource, answer);
  // Any other resource is the endpoint's copy of what it stored.
  return !type.empty() && type != "Bundle" && type != "Parameters";
}

void make_presentable(EntryAnswer& answer) {
  for (std::string* text : {&answer.code, &answer.text, &answer.event_id}) {
    if (!text->empty()) *text = shown(std::move(*text));
  }
}

bool read_any_form(const dom::object& object, EntryAnswer& answer) {
  if (object["resourceType"].error() == simdjson::SUCCESS) return read_resource(object, answer);
  const bool response = read_response(object, answer);
  if (const auto resource = object_at(object, "resource")) {
    return read_resource(*resource, answer) || response;
  }
  return response || read_outcome(object, answer) || read_own_form(object, answer);
}

}  // namespace

std::string_view text_at(const dom::object& object, std::string_view name) {
  std::string_view text;
  if (object[name].get(text) != simdjson::SUCCESS) return {};
  return text;
}

std::optional<EntryAnswer> read_item(const dom::element& item) {
  dom::object object;
  if (item.get(object) != simdjson::SUCCESS) return std::nullopt;
  EntryAnswer answer;
  if (!read_any_form(object, answer)) return std::nullopt;
  make_presentable(answer);
  return answer;
}

EntryAnswer read_refusal(const dom::element& body) {
  EntryAnswer answer;
  dom::object object;
  // Whether the form is known matters for an answer per entry only; words are words.
  if (body.get(object) == simdjson::SUCCESS) static_cast<void>(read_any_form(object, answer));
  make_presentable(answer);
  return answer;
}

}  // namespace helsekontakter::json
