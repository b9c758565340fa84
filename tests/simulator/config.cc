#include "tests/simulator/config.h"

#include "tests/simulator/yaml_section.h"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace helsekontakter::simulator {
namespace {

constexpr double unlimited = 1e12;

void take_helseid(YamlSection section, HelseIdBehaviour& out) {
  section.take("issuer", out.issuer);
  section.take_seconds("token_life_s", out.token_life);
  section.take_seconds("assertion_life_max_s", out.assertion_life_max);
  section.take_seconds("clock_skew_s", out.clock_skew);
  section.take_seconds("proof_life_max_s", out.proof_life_max);
  section.take("nonce", out.nonce);
  section.take("dpop", out.dpop,
               {{"as_asked", DpopRule::as_asked},
                {"required", DpopRule::required},
                {"ignored", DpopRule::ignored}});
  section.take("assertion_typ", out.assertion_typ);
  section.take("algorithms", out.algorithms);
  section.take("org_claims", out.org_claims);
  section.take("rejected_scope_organizations", out.rejected_scope_organizations);
  section.take("revoked_organizations", out.revoked_organizations);
  section.take("fault", out.fault,
               {{"none", HelseIdFault::none},
                {"invalid_client", HelseIdFault::invalid_client},
                {"server_error", HelseIdFault::server_error},
                {"slow", HelseIdFault::slow},
                {"garbage", HelseIdFault::garbage},
                {"down", HelseIdFault::down}});
  section.take("fault_probability", out.fault_probability, 0, 1);
  section.take_seconds("slow_s", out.slow);
  section.done();
}

void take_member_rule(YamlSection section, MemberRule& out, const std::string& directory) {
  section.take("share", out.share, 0, 1);
  const std::string before = out.file;
  section.take("file", out.file);
  if (out.file != before) {
    out.numbers.clear();
    std::ifstream stream(std::filesystem::path(directory) / out.file);
    if (!out.file.empty() && !stream) section.complain("file", "cannot be read");
    for (std::string line; std::getline(stream, line);) {
      std::uint64_t number = 0;
      const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
      if (error == std::errc{}) out.numbers.insert(number);
    }
  }
  section.done();
}

void take_faults(YamlSection section, ApiFaults& out) {
  section.take("seed", out.seed);
  section.take("status_500", out.status_500, 0, 1);
  section.take("status_502", out.status_502, 0, 1);
  section.take("status_503", out.status_503, 0, 1);
  section.take("status_504", out.status_504, 0, 1);
  section.take("cut_before", out.cut_before, 0, 1);
  section.take("cut_after", out.cut_after, 0, 1);
  section.take("cut_late", out.cut_late, 0, 1);
  section.take("slow_body", out.slow_body, 0, 1);
  section.take("wrong_count", out.wrong_count, 0, 1);
  section.take("garbage", out.garbage, 0, 1);
  section.take_seconds("slow_body_pause_s", out.slow_body_pause);
  if (out.sum() > 1.000001) section.complain("*", "the probabilities add up to more than 1");
  section.done();
}

void take_shape(YamlSection& section, const std::string& key, AnswerShape& out) {
  section.take(key, out,
               {{"batch_response", AnswerShape::batch_response},
                {"batch_response_full_url", AnswerShape::batch_response_full_url},
                {"resources", AnswerShape::resources},
                {"list", AnswerShape::list},
                {"map", AnswerShape::map},
                {"empty", AnswerShape::empty}});
}

void take_demands(YamlSection& section, ApiBehaviour& out) {
  section.take("path", out.path);
  section.take("status_path", out.status_path);
  section.take("status_scope", out.status_scope);
  section.take("status_spelling", out.status_spelling,
               {{"present", StatusSpelling::present}, {"earlier", StatusSpelling::earlier}});
  section.take("status_fault", out.status_fault, 0, 1);
  section.take("scope", out.scope);
  section.take(
      "token_scheme", out.token_scheme,
      {{"any", TokenScheme::any}, {"bearer", TokenScheme::bearer}, {"dpop", TokenScheme::dpop}});
  section.take("token_required", out.token_required);
  section.take("media_types", out.media_types);
  section.take("bundle_types_members", out.bundle_types_members);
  section.take("bundle_types_offerings", out.bundle_types_offerings);
  section.take("member_systems", out.member_systems);
  section.take("organization_systems", out.organization_systems);
  section.take("period_end_required", out.period_end_required);
  section.take("her_id_required", out.her_id_required);
  section.take("check_digits", out.check_digits);
  section.take("entries_max", out.entries_max);
  section.take("bytes_max", out.bytes_max);
}

void take_api(YamlSection section, ApiBehaviour& out, const std::string& directory) {
  take_demands(section, out);
  take_shape(section, "answer_members", out.answer_members);
  take_shape(section, "answer_offerings", out.answer_offerings);
  section.take("organization_must_be_known", out.organization_must_be_known);
  take_member_rule(section.section("inactive"), out.inactive, directory);
  take_member_rule(section.section("invalid"), out.invalid, directory);
  YamlSection latency = section.section("latency");
  latency.take("base_ms", out.latency.base_ms, 0, 600'000);
  latency.take("per_entry_ms", out.latency.per_entry_ms, 0, 60'000);
  latency.take("sigma", out.latency.sigma, 0, 5);
  latency.take("max_ms", out.latency.max_ms, 0, 600'000);
  latency.done();
  section.take("parallel_max", out.parallel_max);
  section.take("requests_per_second_max", out.requests_per_second_max, 0, unlimited);
  section.take_seconds("retry_after_s", out.retry_after);
  section.take_seconds("settle_time_s", out.settle_time);
  take_faults(section.section("faults"), out.faults);
  section.take("down", out.down);
  section.take("expired_certificate", out.expired_certificate);
  section.done();
}

void take_client(YamlSection section, Config& out) {
  Client client;
  section.take("client_id", client.client_id);
  if (client.client_id.empty()) section.complain("client_id", "is needed");
  section.take("tenancy", client.multi_tenant, {{"single", false}, {"multi", true}});
  section.take("organization", client.organization);
  if (!client.multi_tenant && client.organization.empty()) {
    section.complain("organization", "is needed for a single-tenant client");
  }
  section.take("delegations", client.delegations);
  section.take("scopes", client.scopes);
  section.take("jwk_files", client.jwk_files);
  if (client.jwk_files.empty()) section.complain("jwk_files", "names no public key");
  section.done();
  out.clients.push_back(std::move(client));
}

void take_listen(YamlSection section, Config& out) {
  section.take("helseid", out.listen_helseid);
  section.take("api", out.listen_api);
  section.take("control", out.listen_control);
  section.take("plain", out.listen_plain);
  section.take("host_names", out.host_names);
  const auto check = [&](const char* key, const std::string& address, bool loopback_only) {
    if (address.empty()) return;
    const auto split = split_address(address);
    if (!split) {
      section.complain(key, split.error().message);
    } else if (loopback_only && !split->first.starts_with("127.") && split->first != "::1") {
      section.complain(key, "must be a loopback address");
    }
  };
  check("helseid", out.listen_helseid, false);
  check("api", out.listen_api, false);
  check("control", out.listen_control, true);
  check("plain", out.listen_plain, true);
  section.done();
}

void take_all(YamlSection root, Config& out, const std::string& directory) {
  take_listen(root.section("listen"), out);
  YamlSection tls = root.section("tls");
  tls.take("certificate_file", out.certificate_file);
  tls.take("key_file", out.key_file);
  tls.take("expired_certificate_file", out.expired_certificate_file);
  tls.take("ca_file", out.ca_file);
  tls.done();
  const bool needs_tls = !out.listen_helseid.empty() || !out.listen_api.empty();
  if (needs_tls && (out.certificate_file.empty() || out.key_file.empty())) {
    tls.complain("certificate_file", "and key_file are needed; `keys --out DIR` makes them");
  }
  YamlSection journal = root.section("journal");
  journal.take("file", out.journal_file);
  journal.take("hmac_key_file", out.journal_key_file);
  journal.done();
  YamlSection log = root.section("log");
  log.take("refusals", out.log_refusals);
  log.done();
  for (YamlSection& client : root.list("clients")) take_client(client, out);
  take_helseid(root.section("helseid"), out.behaviour.helseid);
  take_api(root.section("api"), out.behaviour.api, directory);
  root.done();
}

void resolve(std::string& file, const std::filesystem::path& directory) {
  if (!file.empty()) file = (directory / file).string();
}

tl::unexpected<Error> all(const std::vector<std::string>& mistakes) {
  std::string text;
  for (const std::string& mistake : mistakes) text.append(text.empty() ? "" : "\n").append(mistake);
  return fail(Remedy::stop, text);
}

}  // namespace

Result<Config> parse_config(const std::string& text, const std::string& directory) {
  Config config;
  std::vector<std::string> mistakes;
  try {
    take_all(YamlSection(YAML::Load(text), "", mistakes), config, directory);
  } catch (const YAML::Exception& fault) {
    mistakes.push_back(std::string("not YAML: ") + fault.what());
  }
  if (!mistakes.empty()) return all(mistakes);
  for (std::string* file :
       {&config.certificate_file, &config.key_file, &config.expired_certificate_file,
        &config.ca_file, &config.journal_file, &config.journal_key_file}) {
    resolve(*file, directory);
  }
  for (Client& client : config.clients) {
    for (std::string& file : client.jwk_files) resolve(file, directory);
  }
  return config;
}

Result<Config> read_config(const std::string& file) {
  const std::ifstream stream(file);
  if (!stream) return fail(Remedy::stop, file + " cannot be read");
  std::ostringstream text;
  text << stream.rdbuf();
  return parse_config(text.str(), std::filesystem::path(file).parent_path().string());
}

Result<void> change(Behaviour& behaviour, const std::string& text) {
  Behaviour changed = behaviour;
  std::vector<std::string> mistakes;
  try {
    YamlSection root(YAML::Load(text), "", mistakes);
    take_helseid(root.section("helseid"), changed.helseid);
    take_api(root.section("api"), changed.api, "");
    root.done();
  } catch (const YAML::Exception& fault) {
    mistakes.push_back(std::string("neither JSON nor YAML: ") + fault.what());
  }
  if (!mistakes.empty()) return all(mistakes);
  behaviour = std::move(changed);
  return {};
}

Result<std::pair<std::string, std::uint16_t>> split_address(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  std::uint16_t port = 0;
  if (colon == std::string::npos) return fail(Remedy::stop, "must be host:port");
  const char* first = text.data() + colon + 1;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(first, last, port);
  if (error != std::errc{} || end != last || colon == 0) {
    return fail(Remedy::stop, "must be host:port");
  }
  std::string host = text.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return std::pair{host == "localhost" ? "127.0.0.1" : host, port};
}

}  // namespace helsekontakter::simulator
