#include "tests/simulator/helsekontakter_service.h"

#include <charconv>

#include <simdjson.h>

namespace helsekontakter::simulator {
namespace {

Reply server_error() {
  Reply reply;
  reply.status = 500;
  return reply;
}

void append_status(std::string& out, bool is_active, StatusSpelling spelling) {
  const bool is_earlier = spelling == StatusSpelling::earlier;
  out.append(is_earlier ? ":{\"erAktivSelv\":" : ":{\"erDigitaltAktivSelv\":");
  out.append(is_active ? "true" : "false");
  out.append(is_earlier ? ",\"erAktivViaAndre\":false}"
                        : ",\"erDigitaltAktivViaAndre\":false,\"tildeltFullmakt\":false}");
}

}  // namespace

bool picks(const MemberRule& rule, std::string_view number, std::uint64_t salt) {
  if (rule.share <= 0 && rule.numbers.empty()) return false;
  std::uint64_t value = 0;
  std::from_chars(number.data(), number.data() + number.size(), value);
  if (rule.numbers.contains(value)) return true;
  // The finaliser of splitmix64: cheap, and spreads numbers that differ little.
  std::uint64_t mixed = value + (salt << 40);
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
  mixed ^= mixed >> 31;
  return static_cast<double>(mixed >> 11) * 0x1.0p-53 < rule.share;
}

/// HelsenorgeAktivSjekken: contract/medlemstjenester 10. It answers by the rule `inactive`.
Reply HelsekontakterService::digital_status(const HttpRequest& request, Time now) {
  constexpr std::size_t numbers_max = 1'000;
  statistics_.count("status.requests");
  if (request.method != "POST") return refuse(405, {"status_method", "only POST is served here"});
  if (behaviour_.api.token_required) {
    const auto authorized = authorize(request, behaviour_.api.status_scope, now);
    if (!authorized) return unauthorized(authorized.error());
    if (behaviour_.helseid.revoked_organizations.contains((*authorized)->organization)) {
      return refuse(403, {"status_not_delegated", "the organisation's delegation was withdrawn"});
    }
  }
  if (behaviour_.api.status_fault > 0 && dice_.uniform() < behaviour_.api.status_fault) {
    statistics_.count("status.faults");
    return server_error();
  }
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  simdjson::dom::array numbers;
  if (parser.parse(request.body.data(), request.body.size()).get(object) != simdjson::SUCCESS ||
      object["fnrListe"].get(numbers) != simdjson::SUCCESS) {
    return refuse(400, {"status_body", "needs fnrListe and omraade"});
  }
  if (numbers.size() > numbers_max)
    return refuse(400, {"status_numbers", "more than 1000 numbers"});
  const std::string_view area = text_of(object, "omraade").value_or("");
  const auto code = integer_of(object, "omraade");
  if (area != "Helsehjelp" && area != "Ungdom" && code != 3 && code != 6) {
    return refuse(400, {"status_area", "omraade must be Helsehjelp or Ungdom"});
  }
  statistics_.count(code ? "status.area_as_number" : "status.area_as_text");
  Reply reply;
  reply.body = "{\"erAktivListe\":{";
  bool is_first = true;
  for (const auto item : numbers) {
    std::string_view number;
    if (item.get(number) != simdjson::SUCCESS || number.size() != 11) {
      return refuse(400, {"status_number", "an item of fnrListe is not eleven characters"});
    }
    const bool is_active = !picks(behaviour_.api.inactive, number, inactive_salt);
    if (!is_first) reply.body += ',';
    is_first = false;
    append_json(reply.body, number);
    append_status(reply.body, is_active, behaviour_.api.status_spelling);
    statistics_.count("status.numbers");
    statistics_.count("status.active", is_active ? 1 : 0);
  }
  reply.body += "}}";
  return reply;
}

}  // namespace helsekontakter::simulator
