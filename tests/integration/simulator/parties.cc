#include "tests/integration/simulator/parties.h"

#include <array>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

namespace helsekontakter::simulator::testing {
namespace {

std::string member(const std::string& name, const std::string& text) {
  std::string out = ",\"" + name + "\":";
  append_json(out, text);
  return out;
}

std::string seconds(Time time) {
  return std::to_string(
      std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count());
}

std::string new_id() {
  return base64url(random_octets(16));
}

std::string form(std::string_view text) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_') {
      out += c;
    } else {
      const auto code = static_cast<unsigned char>(c);
      out.append(1, '%').append(1, digits[code >> 4]).append(1, digits[code & 15]);
    }
  }
  return out;
}

std::string uuid(int i) {
  std::string tail = std::to_string(i);
  return "urn:uuid:00000000-0000-4000-8000-" + std::string(12 - tail.size(), '0') + tail;
}

constexpr const char* enh = "urn:oid:2.16.578.1.12.4.1.4.101";

}  // namespace

Scratch::Scratch() {
  path_ = std::filesystem::temp_directory_path() / ("simulator-test-" + new_id());
  std::filesystem::create_directories(path_);
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void Scratch::write(const std::string& name, const std::string& text) const {
  std::ofstream(file(name)) << text;
}

std::string Scratch::read(const std::string& name) const {
  std::ostringstream text;
  text << std::ifstream(file(name)).rdbuf();
  return text.str();
}

Party::Party() : key_(EVP_EC_gen("P-256")), other_(EVP_EC_gen("P-256")) {}

std::string Party::public_jwk(const std::string& kid) const {
  return R"({"kty":"EC","crv":"P-256")" +
         member("x", key_number(*key_, OSSL_PKEY_PARAM_EC_PUB_X, 32)) +
         member("y", key_number(*key_, OSSL_PKEY_PARAM_EC_PUB_Y, 32)) +
         (kid.empty() ? "" : member("kid", kid)) + "}";
}

std::string Party::assertion(const AssertionWish& wish, Time now) const {
  const Time issued = now + std::chrono::seconds(wish.issued_s);
  const std::string header = "{\"a\":0" + member("alg", wish.alg) + member("typ", wish.typ) +
                             (wish.kid.empty() ? "" : member("kid", wish.kid)) + "}";
  const std::string payload =
      "{\"iat\":" + seconds(issued) + ",\"nbf\":" + seconds(issued) +
      ",\"exp\":" + seconds(issued + std::chrono::seconds(wish.life_s)) + ",\"aud\":" + wish.aud +
      member("iss", wish.iss) + member("sub", wish.sub) +
      member("jti", wish.jti.empty() ? new_id() : wish.jti) +
      (wish.details.empty() ? "" : ",\"" + wish.claim + "\":" + wish.details) + "}";
  return sign_compact(wish.is_forged ? *other_ : *key_, "ES256", header, payload);
}

std::string Party::proof(const ProofWish& wish, Time now) const {
  std::string jwk = public_jwk("");
  if (wish.shows_private_key) jwk = jwk.substr(0, jwk.size() - 1) + ",\"d\":\"AA\"}";
  const std::string header =
      "{\"alg\":\"ES256\"" + member("typ", wish.typ) + ",\"jwk\":" + jwk + "}";
  const std::string payload =
      "{\"iat\":" + seconds(now + std::chrono::seconds(wish.issued_s)) + member("htm", wish.htm) +
      member("htu", wish.htu) + member("jti", wish.jti.empty() ? new_id() : wish.jti) +
      (wish.nonce.empty() ? "" : member("nonce", wish.nonce)) +
      (wish.token.empty() ? "" : member("ath", base64url(sha256(wish.token)))) + "}";
  return sign_compact(*key_, "ES256", header, payload);
}

HttpRequest Party::token_request(const AssertionWish& wish, Time now,
                                 const std::string& more) const {
  HttpRequest request;
  request.method = "POST";
  request.target = "/connect/token";
  request.origin = origin;
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  request.body =
      "grant_type=client_credentials&client_id=" + client_id +
      "&client_assertion_type=" + form("urn:ietf:params:oauth:client-assertion-type:jwt-bearer") +
      "&client_assertion=" + assertion(wish, now) + more;
  return request;
}

std::string details(const std::string& value, const std::string& system) {
  return R"({"type":"helseid_authorization","practitioner_role":{"organization":{"identifier":)"
         R"({"type":"ENH")" +
         member("system", system) + member("value", value) + "}}}}";
}

std::string number(int i) {
  // Counts the individual numbers of one synthetic day; those without check digits are left out.
  static constexpr std::array<int, 9> first{3, 7, 6, 1, 8, 9, 4, 5, 2};
  static constexpr std::array<int, 10> second{5, 4, 3, 2, 7, 6, 5, 4, 3, 2};
  for (int serial = 0, found = -1; serial < 100'000; ++serial) {
    std::string text = std::to_string(218'100'000 + serial);
    for (const bool is_second : {false, true}) {
      int sum = 0;
      for (std::size_t k = 0; k < text.size(); ++k) {
        sum += (is_second ? second[k] : first[k]) * (text[k] - '0');
      }
      const int digit = (11 - sum % 11) % 11;
      if (digit < 10) text += std::to_string(digit);
    }
    if (text.size() == 11 && ++found == i) return text;
  }
  throw std::out_of_range("no such test number");
}

std::string members(const std::vector<std::pair<int, int>>& changes,
                    const std::string& organization) {
  std::string out = R"({"resourceType":"Bundle","type":"batch","entry":[)";
  int position = 0;
  for (const auto& [who, version] : changes) {
    std::string end;
    append_date(end, read_date("2026-01-01").value() + version);
    if (position > 0) out += ',';
    ++position;
    out += "{\"fullUrl\":\"" + uuid(position) +
           R"(","resource":{"resourceType":"Patient","identifier":[{"system":)"
           R"("urn:oid:2.16.578.1.12.4.1.4.1","value":")" +
           number(who) + R"("}],"contact":[{"organization":{"identifier":{"system":")" + enh +
           R"(","value":")" + organization + R"("}},"period":{"start":"2026-01-01","end":")" + end +
           R"("}}]},"request":{"method":"POST","url":"Patient"}})";
  }
  return out + "]}";
}

std::string offerings(const std::string& organization) {
  const std::string request = R"("request":{"method":"POST","url":")";
  return R"({"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":")" + uuid(1) +
         R"(","resource":{"resourceType":"Organization","identifier":[{"system":")" + enh +
         R"(","value":")" + organization +
         R"("}],"name":"Samskipnaden","endpoint":[{"id":"7"}]},)" + request +
         R"(Organization"}},{"fullUrl":")" + uuid(2) +
         R"(","resource":{"resourceType":"Location","address":{"line":["Veien 1"],"city":"Oslo",)"
         R"("postalCode":"0150"}},)" +
         request + R"(Location"}},{"fullUrl":")" + uuid(3) +
         R"(","resource":{"resourceType":"HealthcareService","identifier":[{"value":")" + uuid(3) +
         R"("}],"name":"Helse","providedBy":{"reference":")" + uuid(1) +
         R"("},"location":[{"reference":")" + uuid(2) +
         R"("}],"endpoint":[{"identifier":)"
         R"({"value":"129688"}}]},)" +
         request + R"(HealthcareService"}}]})";
}

Bench::Bench(const std::string& more_yaml) {
  scratch.write("public.json", party.public_jwk());
  const std::string yaml =
      "listen: {helseid: '', api: ''}\njournal: {file: journal}\nclients:\n  - client_id: " +
      client_id + "\n    tenancy: multi\n    jwk_files: [public.json]\n" + more_yaml;
  auto config = parse_config(yaml, scratch.file(""));
  if (!config) throw std::runtime_error(config.error().message);
  auto made = Engine::create(*config, [this](std::string_view line) { last_log = line; });
  if (!made) throw std::runtime_error(made.error().message);
  engine = std::move(*made);
}

std::string Bench::token(const std::string& organization) {
  const Reply reply = engine->helseid().answer(
      party.token_request({.details = details("NO:ORGNR:" + organization)}, now), now);
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(reply.body).get(object) != simdjson::SUCCESS) return {};
  return std::string(text_of(object, "access_token").value_or(""));
}

HttpRequest Bench::request(std::string body, const std::string& token) const {
  HttpRequest request;
  request.method = "POST";
  request.target = "/helsekontakter/api/v1";
  request.origin = origin;
  request.headers = {{"Content-Type", "application/fhir+json; charset=utf-8"},
                     {"Authorization", "Bearer " + token}};
  request.body = std::move(body);
  return request;
}

HttpRequest Bench::request(std::string body) const {
  return request(std::move(body), "");
}

Reply Bench::post(HttpRequest request) {
  auto admitted = engine->api().admit(request, now);
  if (auto* reply = std::get_if<Reply>(&admitted)) return *reply;
  return engine->api().finish(*std::get<std::unique_ptr<Pending>>(admitted));
}

std::unique_ptr<Pending> Bench::admit(std::string body) {
  HttpRequest asked = request(std::move(body), token());
  auto admitted = engine->api().admit(asked, now);
  auto* pending = std::get_if<std::unique_ptr<Pending>>(&admitted);
  if (pending == nullptr) throw std::runtime_error("refused: " + std::get<Reply>(admitted).body);
  return std::move(*pending);
}

void Bench::change(const std::string& json) {
  HttpRequest request;
  request.method = "PUT";
  request.target = "/control";
  request.body = json;
  const Reply reply = engine->control(request);
  if (reply.status != 200) throw std::runtime_error(reply.body);
}

std::uint64_t Bench::count(const std::string& name) const {
  return engine->statistics().value(name);
}

}  // namespace helsekontakter::simulator::testing
