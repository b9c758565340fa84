#include "tests/fhir/broken_bundles.h"

#include "tests/unit/fhir/samples.h"
#include "worker/domain/ensure.h"

#include <string_view>
#include <utility>

namespace helsekontakter::fhir {
namespace {

std::string members() {
  return bundle_prefix({}, Lane::members) + samples::member_entry({}, samples::membership()) +
         std::string(bundle_suffix());
}

std::string offering() {
  return bundle_prefix({}, Lane::offerings) +
         samples::organization_entry({}, samples::organization()) + "," +
         samples::offering_entries({}, {samples::location()}, samples::service()) +
         std::string(bundle_suffix());
}

/// The place must be there, or nothing would be broken.
std::string replaced(std::string body, std::string_view part, std::string_view by) {
  const std::size_t at = body.find(part);
  ensure(at != std::string::npos);
  return body.replace(at, part.size(), by);
}

std::string twice(const std::string& entry) {
  return bundle_prefix({}, Lane::members) + entry + "," + entry + std::string(bundle_suffix());
}

}  // namespace

std::vector<BrokenBundle> broken_bundles() {
  const std::string url = R"("request":{"method":"POST","url":"Patient"})";
  return {
      {"batch-without-request", replaced(members(), "," + url, "")},
      {"collection-with-request", replaced(members(), R"("batch")", R"("collection")")},
      {"unknown-bundle-type", replaced(members(), R"("batch")", R"("bulk")")},
      {"request-without-url", replaced(members(), R"(,"url":"Patient")", "")},
      {"unknown-method", replaced(members(), R"("POST")", R"("SEND")")},
      {"same-full-url-twice", twice(samples::member_entry({}, samples::membership()))},
      {"reversed-period", replaced(members(), "2026-06-30", "2025-06-30")},
      {"contact-with-a-period-only",
       replaced(members(),
                R"("organization":{"identifier":{"system":"urn:oid:2.16.578.1.12.4.1.4.101",)"
                R"("value":"948554062"}},)",
                "")},
      {"unknown-element", replaced(members(), R"("contact":)", R"("membership":)")},
      {"empty-string", replaced(offering(), R"("Helse")", R"("")")},
      {"telecom-without-system", replaced(offering(), R"("system":"phone",)", "")},
      {"unknown-telecom-system", replaced(offering(), R"("phone")", R"("telephone")")},
      {"malformed-oid", replaced(members(), "urn:oid:2.16", "urn:oid:2.016")},
      {"bare-guid-as-uri", replaced(offering(), R"("value":"urn:uuid:5e5e)", R"("value":"5e5e)")},
  };
}

}  // namespace helsekontakter::fhir
