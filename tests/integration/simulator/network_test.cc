#include "tests/integration/simulator/parties.h"
#include "tests/integration/simulator/wire_client.h"
#include "tests/simulator/keys.h"
#include "tests/simulator/server.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::simulator::testing {
namespace {

using ::testing::HasSubstr;

/// The simulator with its listeners on free ports, on a thread of its own. The client's key is the
/// party's, so that tokens can be asked for.
class Running {
 public:
  explicit Running(const std::string& more_yaml = "") {
    if (!make_keys({.directory = scratch.file(""), .alg = "ES256"})) {
      throw std::runtime_error("no keys");
    }
    scratch.write("public.json", party.public_jwk());
    const std::string yaml =
        "listen: {plain: '127.0.0.1:0'}\n"
        "tls: {certificate_file: server.pem, key_file: server-key.pem,"
        " expired_certificate_file: server-expired.pem}\n"
        "journal: {file: journal}\nclients:\n  - client_id: " +
        client_id + "\n    tenancy: multi\n    jwk_files: [public.json]\n" + more_yaml;
    auto config = parse_config(yaml, scratch.file(""));
    if (!config) throw std::runtime_error(config.error().message);
    server = Server::create(*config, [](std::string_view) {}).value();
    thread = std::thread([this] { server->run(false); });
  }
  ~Running() {
    server->stop();
    thread.join();
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  [[nodiscard]] std::string token() const {
    const std::string issuer = server->addresses().helseid;
    const HttpRequest asked = party.token_request(
        {.aud = "\"" + issuer + "\"", .details = details("NO:ORGNR:" + our_organization)},
        std::chrono::system_clock::now());
    const auto answer = exchange(issuer, scratch.file("ca.pem"), "POST", asked.target,
                                 "Content-Type: application/x-www-form-urlencoded\r\n", asked.body);
    if (!answer) return {};
    const std::size_t at = answer->body.find(":\"") + 2;
    return answer->body.substr(at, answer->body.find('"', at) - at);
  }
  [[nodiscard]] std::optional<WireAnswer> post(const std::string& body,
                                               const std::string& token) const {
    return exchange(
        server->addresses().api, scratch.file("ca.pem"), "POST", "/helsekontakter/api/v1",
        "Content-Type: application/fhir+json\r\nAuthorization: Bearer " + token + "\r\n", body);
  }
  void change(const std::string& json) const {
    const auto answer = exchange(server->addresses().control, "", "PUT", "/control", "", json);
    EXPECT_TRUE(answer && answer->status == 200) << (answer ? answer->body : "no answer");
  }
  [[nodiscard]] std::string statistics() const {
    return exchange(server->addresses().control, "", "GET", "/control/statistics", "", "")
        .value()
        .body;
  }

  Scratch scratch;
  Party party;
  std::unique_ptr<Server> server;
  std::thread thread;
};

TEST(NetworkOfTheSimulator, IssuesATokenAndAnswersABundleOverTls) {
  const Running simulator;
  const auto answer = simulator.post(members({{0, 1}}), simulator.token());
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 200);
  EXPECT_THAT(answer->head, HasSubstr("Content-Type: application/fhir+json\r\n"));
  EXPECT_THAT(answer->head, HasSubstr("\r\nDate: "));
  EXPECT_THAT(answer->body, HasSubstr("201 Created"));
  EXPECT_THAT(simulator.statistics(), HasSubstr("\"applied\":1"));
  EXPECT_THAT(simulator.scratch.read("journal"), HasSubstr("\"version\":1"));
}

TEST(NetworkOfTheSimulator, ServesBothServicesOverPlainHttpOnLoopback) {
  const Running simulator("api: {token_required: false}");
  const std::string plain = simulator.server->addresses().plain;
  const auto metadata = exchange(plain, "", "GET", "/.well-known/openid-configuration", "", "");
  ASSERT_TRUE(metadata.has_value());
  EXPECT_THAT(metadata->body, HasSubstr("\"issuer\":\"" + plain + "\""));
  const auto answer = exchange(plain, "", "POST", "/helsekontakter/api/v1",
                               "Content-Type: application/fhir+json\r\n", members({{0, 1}}));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 200);
}

TEST(NetworkOfTheSimulator, CutsTheConnectionBeforeOrAfterApplying) {
  const Running simulator("api: {faults: {cut_before: 1}}");
  EXPECT_FALSE(simulator.post(members({{0, 1}}), simulator.token()).has_value());
  EXPECT_THAT(simulator.statistics(), HasSubstr("\"applied\":0"));
  simulator.change(R"({"api":{"faults":{"cut_before":0,"cut_after":1}}})");
  EXPECT_FALSE(simulator.post(members({{0, 1}}), simulator.token()).has_value());
  EXPECT_THAT(simulator.statistics(), HasSubstr("\"applied\":1"));
}

TEST(NetworkOfTheSimulator, ExecutesLateAfterCuttingAtOnce) {
  const Running simulator("api: {settle_time_s: 0.3, faults: {cut_late: 1}}");
  EXPECT_FALSE(simulator.post(members({{0, 1}}), simulator.token()).has_value());
  simulator.change(R"({"api":{"faults":{"cut_late":0},"latency":{"base_ms":320}}})");
  // This answer takes longer than the settle time, so whatever was late is applied by then.
  EXPECT_TRUE(simulator.post(members({{1, 1}}), simulator.token()).has_value());
  const std::string statistics = simulator.statistics();
  EXPECT_THAT(statistics, HasSubstr("\"applied\":2,\"applied_late\":1"));
  EXPECT_THAT(statistics, HasSubstr("\"late_pending\":0"));
}

TEST(NetworkOfTheSimulator, ServesAnExpiredCertificateWhenTold) {
  const Running simulator;
  const std::string token = simulator.token();
  simulator.change(R"({"api":{"expired_certificate":true}})");
  EXPECT_FALSE(simulator.post(members({{0, 1}}), token).has_value());
  EXPECT_THAT(simulator.statistics(), HasSubstr("\"handshake_failed\":1"));
  simulator.change(R"({"api":{"expired_certificate":false}})");
  EXPECT_TRUE(simulator.post(members({{0, 1}}), token).has_value());
}

TEST(NetworkOfTheSimulator, IsDownAndUpAgain) {
  const Running simulator;
  const std::string token = simulator.token();
  simulator.change(R"({"api":{"down":true}})");
  EXPECT_FALSE(simulator.post(members({{0, 1}}), token).has_value());
  simulator.change(R"({"api":{"down":false}})");
  EXPECT_TRUE(simulator.post(members({{0, 1}}), token).has_value());
}

TEST(NetworkOfTheSimulator, SendsASlowBodyWholeIfTheClientWaits) {
  const Running simulator("api: {faults: {slow_body: 1, slow_body_pause_s: 0.05}}");
  const auto answer = simulator.post(members({{0, 1}}), simulator.token());
  ASSERT_TRUE(answer.has_value());
  EXPECT_THAT(answer->body, ::testing::EndsWith("]}"));
}

TEST(NetworkOfTheSimulator, LetsRequestsBeyondParallelMaxWaitTheirTurn) {
  const Running simulator("api: {parallel_max: 1, latency: {base_ms: 50}}");
  const std::string token = simulator.token();
  std::vector<std::thread> clients;
  const auto begun = std::chrono::steady_clock::now();
  std::array<bool, 4> answered{};
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&, i] {
      answered[static_cast<std::size_t>(i)] = simulator.post(members({{i, 1}}), token).has_value();
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(200));
  EXPECT_THAT(answered, ::testing::Each(true));
}

TEST(NetworkOfTheSimulator, RefusesAHostThatItIsNotCalled) {
  const Running simulator;
  const auto answer =
      exchange("http://example.org:" + simulator.server->addresses().plain.substr(17), "", "GET",
               "/.well-known/openid-configuration", "", "");
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 421);
}

TEST(ConfigurationOfTheSimulator, NamesEveryMistakeAtOnce) {
  const auto config = parse_config(
      "listen: {control: '0.0.0.0:1', helseid: ''}\napi: {faults: {cut_late: 0.6, garbage: 0.6}}\n"
      "token: x\n",
      "");
  ASSERT_FALSE(config.has_value());
  EXPECT_THAT(config.error().message, HasSubstr("listen.control: must be a loopback address"));
  EXPECT_THAT(config.error().message, HasSubstr("add up to more than 1"));
  EXPECT_THAT(config.error().message, HasSubstr("token: unknown key"));
  EXPECT_THAT(config.error().message, HasSubstr("tls.certificate_file"));
}

TEST(KeysOfTheSimulator, AreMadeForEveryAlgorithmAndCanBeRegistered) {
  for (const char* alg : {"PS256", "RS512", "ES256", "ES384", "ES512"}) {
    const auto key = make_client_key(alg);
    ASSERT_TRUE(key.has_value()) << key.error().message;
    const auto jwk = read_jwk(key->public_jwk);
    ASSERT_TRUE(jwk.has_value()) << jwk.error().text;
    EXPECT_FALSE(jwk->has_private_members);
    EXPECT_TRUE(read_jwk(key->private_jwk)->has_private_members);
  }
  EXPECT_FALSE(make_client_key("HS256").has_value());
}

}  // namespace
}  // namespace helsekontakter::simulator::testing
