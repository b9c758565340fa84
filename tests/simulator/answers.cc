#include "tests/simulator/answers.h"

namespace helsekontakter::simulator {
namespace {

std::string bundle_head(std::string_view type) {
  std::string out = R"({"resourceType":"Bundle","type":")";
  return out.append(type).append(R"(","entry":[)");
}

void append_outcome(std::string& out, Fate fate) {
  const Explanation why = explain(fate);
  out += operation_outcome(why.code, why.text);
}

void append_batch_entry(std::string& out, std::string_view full_url, Fate fate) {
  out += '{';
  if (!full_url.empty()) out.append("\"fullUrl\":\"").append(full_url).append("\",");
  if (fate == Fate::accepted) {
    out += R"("response":{"status":"201 Created"}})";
  } else {
    out += R"("response":{"status":"400 Bad Request","outcome":)";
    append_outcome(out, fate);
    out += "}}";
  }
}

void append_resource(std::string& out, std::string_view full_url, const MemberEntry& entry,
                     Fate fate) {
  out.append(R"({"fullUrl":")").append(full_url).append(R"(","resource":)");
  if (fate == Fate::accepted) {
    out.append(R"({"resourceType":"Patient","identifier":[{"system":)")
        .append(R"("urn:oid:2.16.578.1.12.4.1.4.1","value":")")
        .append(entry.member())
        .append("\"}]}}");
  } else {
    append_outcome(out, fate);
    out += '}';
  }
}

void append_list_item(std::string& out, const MemberEntry& entry, Fate fate) {
  out.append(R"({"fnr":")").append(entry.member());
  if (fate == Fate::accepted) {
    out += R"(","returKode":"ok","instansEndret":"endret"})";
  } else {
    const Explanation why = explain(fate);
    out.append(R"(","returKode":"ikkeOk","code":")").append(why.code);
    out.append(R"(","message":")").append(why.text).append("\"}");
  }
}

void append_map_item(std::string& out, const MemberEntry& entry, Fate fate) {
  out.append(1, '"').append(entry.member());
  if (fate == Fate::accepted) {
    out += R"(":{"status":201})";
  } else {
    const Explanation why = explain(fate);
    out.append(R"(":{"status":400,"code":")").append(why.code);
    out.append(R"(","message":")").append(why.text).append("\"}");
  }
}

void append_member(std::string& out, AnswerShape shape, const Bundle& bundle,
                   const MemberEntry& entry, Fate fate) {
  switch (shape) {
    case AnswerShape::batch_response:
      return append_batch_entry(out, "", fate);
    case AnswerShape::batch_response_full_url:
      return append_batch_entry(out, bundle.full_url(entry), fate);
    case AnswerShape::resources:
      return append_resource(out, bundle.full_url(entry), entry, fate);
    case AnswerShape::list:
      return append_list_item(out, entry, fate);
    case AnswerShape::map:
      return append_map_item(out, entry, fate);
    case AnswerShape::empty:
      return;
  }
}

std::string_view resource_name(OfferingEntry::Kind kind) {
  switch (kind) {
    case OfferingEntry::Kind::organization:
      return "Organization";
    case OfferingEntry::Kind::location:
      return "Location";
    case OfferingEntry::Kind::service:
      return "HealthcareService";
  }
  return "";
}

std::string opening(AnswerShape shape, bool is_transaction) {
  switch (shape) {
    case AnswerShape::batch_response:
    case AnswerShape::batch_response_full_url:
      return bundle_head(is_transaction ? "transaction-response" : "batch-response");
    case AnswerShape::resources:
      return bundle_head("collection");
    case AnswerShape::list:
      return "[";
    case AnswerShape::map:
      return "{";
    case AnswerShape::empty:
      break;
  }
  return {};
}

std::string_view closing(AnswerShape shape) {
  switch (shape) {
    case AnswerShape::list:
      return "]";
    case AnswerShape::map:
      return "}";
    case AnswerShape::empty:
      return "";
    default:
      return "]}";
  }
}

}  // namespace

Explanation explain(Fate fate) {
  switch (fate) {
    case Fate::accepted:
      break;
    case Fate::inactive:
      return {"2118", "Pasienten er ikke digitalt aktiv for tjeneste: OmradeHelsehjelp"};
    case Fate::invalid:
      return {"2109", "Ugyldig innhold for pasienten"};
    case Fate::organization_unknown:
      return {"organization-unknown", "Organisasjonen er ukjent"};
  }
  return {};
}

std::string operation_outcome(std::string_view code, std::string_view text) {
  std::string out =
      R"({"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"processing",)"
      R"("details":{"coding":[{"system":"http://nhn.no/hit/fhir/error/CodeSystem/ErrorCode",)"
      R"("code":)";
  append_json(out, code);
  out += "}]},\"diagnostics\":";
  append_json(out, text);
  return out + "}]}";
}

std::string answer_members(AnswerShape shape, const Bundle& bundle, const std::vector<Fate>& fates,
                           bool omit_last) {
  if (shape == AnswerShape::empty) return {};
  std::string out = opening(shape, bundle.is_transaction);
  const std::size_t count = bundle.members.size() - (omit_last ? 1 : 0);
  out.reserve(out.size() + count * 128);
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out += ',';
    append_member(out, shape, bundle, bundle.members[i], fates[i]);
  }
  return out.append(closing(shape));
}

std::string answer_offerings(AnswerShape shape, const Bundle& bundle, bool omit_last) {
  if (shape == AnswerShape::empty) return {};
  std::string out = opening(AnswerShape::batch_response, bundle.is_transaction);
  const std::size_t count = bundle.offerings.size() - (omit_last ? 1 : 0);
  for (std::size_t i = 0; i < count; ++i) {
    const OfferingEntry& entry = bundle.offerings[i];
    if (i > 0) out += ',';
    out += '{';
    if (shape != AnswerShape::batch_response) {
      out.append(R"("fullUrl":")").append(entry.full_url).append("\",");
    }
    out.append(R"("response":{"status":"201 Created","location":")")
        .append(resource_name(entry.kind))
        .append("/")
        .append(std::to_string(i + 1))
        .append("\"}}");
  }
  return out.append(closing(AnswerShape::batch_response));
}

}  // namespace helsekontakter::simulator
