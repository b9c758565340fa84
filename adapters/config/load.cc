#include "adapters/config/sections.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include <unistd.h>

namespace helsekontakter::config {
namespace {

/// A checkpoint's file has room for more than a broker: a file is one partition, so more of it is
/// under way in one place.
constexpr std::size_t checkpoint_characters_max = 65'536;

void read_core(const Values& values, WorkerSettings& out) {
  out.batch = {.entries_max = values.size("batch.entries_max"),
               .bytes_max = values.size("batch.bytes_max"),
               .age_max = values.duration("batch.age_max_ms")};
  out.api = {
      .in_flight_max = values.size("api.in_flight_max"),
      .in_flight_per_organization_max = values.size("api.in_flight_per_organization_max"),
      .requests_per_second_max = values.number("api.requests_per_second_max"),
      .request_timeout = values.duration("api.request_timeout_s"),
      .settle_time = values.duration("api.settle_time_s"),
  };
  out.retry = {.attempts_max = static_cast<std::uint32_t>(values.size("retry.attempts_max")),
               .backoff_first = values.duration("retry.backoff_first_ms"),
               .backoff_max = values.duration("retry.backoff_max_ms"),
               .park_after = values.duration("retry.park_after_s"),
               .exhausted_expiry = values.duration("retry.exhausted_expiry_d")};
  out.brake = {
      .rejected_in_row_max = static_cast<std::uint32_t>(values.size("brake.rejected_in_row_max")),
      .rejected_share_max = values.number("brake.rejected_share_max")};
  out.gate = values.choice<OfferingGate>("offering.gate");
  out.member = {.skip_unchanged = values.boolean("member.skip_unchanged"),
                .inactive_retry = values.duration("member.inactive_retry_h"),
                .inactive_retry_factor = values.number("member.inactive_retry_factor"),
                .inactive_retry_max = values.duration("member.inactive_retry_max_h"),
                .inactive_expiry = values.duration("member.inactive_expiry_d"),
                .every_inactive = values.text("results.inactive") == "every"};
  out.digital_status = {.enabled = values.boolean("digital_status.enabled"),
                        .list_max = values.size("digital_status.list_max")};
  out.memory_bytes_max = values.size("memory.bytes_max");
}

void read_form(const Values& values, const std::string& endpoint_url, BundleForm& out) {
  out.bundle_type_offerings = values.choice<BundleType>("fhir.bundle_type_offerings");
  out.bundle_type_members = values.choice<BundleType>("fhir.bundle_type_members");
  out.entry_request = values.choice<EntryRequest>("fhir.entry_request");
  const std::string url = values.text("fhir.entry_request_url");
  if (url == "resource_type") {
    out.entry_request_url_prefix = "";
  } else if (url == "empty") {
    out.entry_request_url_prefix = std::nullopt;
  } else {
    out.entry_request_url_prefix = url == "absolute" ? endpoint_url + "/" : url;
  }
  out.system_fnr = values.text("fhir.system_fnr");
  out.system_dnr = values.text("fhir.system_dnr");
  out.system_orgnr = values.text("fhir.system_orgnr");
  out.system_her = values.text("fhir.system_her");
  out.system_service_id = values.text("fhir.system_service_id");
  out.service_id_bare = values.boolean("fhir.service_id_bare");
  out.reference_form = values.choice<ReferenceForm>("fhir.reference_form");
  out.organization_endpoint_form =
      values.choice<OrganizationEndpointForm>("fhir.organization_endpoint_form");
  out.meta_security_area = values.text("fhir.meta_security_area");
  out.member_end_form = values.choice<MembershipEndForm>("member.end_form");
  out.offering_end_form = values.choice<OfferingEndForm>("offering.end_form");
}

void read_decoder(const Values& values, Configuration& out) {
  json::DecoderSettings& decoder = out.decoder;
  decoder.version_from = values.choice<json::VersionFrom>("version.from");
  decoder.open_end = values.choice<json::OpenEnd>("member.open_end");
  decoder.horizon = std::chrono::round<std::chrono::days>(values.duration("member.horizon_d"));
  decoder.rule_2032 = values.boolean("identifier.rule_2032");
  for (std::string& number : values.list("identifier.test_allow")) {
    decoder.test_allow.insert(std::move(number));
  }
  decoder.form = out.worker.form;
}

/// A text below this section, or the same below the other one.
std::string text_or(const Values& values, std::string_view section, std::string_view other,
                    std::string_view name) {
  const std::string path = below(section, name);
  return values.text(values.given(path) ? path : below(other, name));
}

kafka::Connection read_kafka_connection(const Values& values, std::string_view section) {
  constexpr std::string_view source = "source.kafka";
  const auto at = [&](std::string_view name) { return below(section, name); };
  // A user and its password, a certificate and its key go together.
  const std::string_view user = values.given(at("user")) ? section : source;
  const std::string_view tls = values.given(at("tls_certificate_file")) ? section : source;
  const std::string_view brokers = values.given(at("brokers")) ? section : source;
  const std::string_view properties = values.given(at("properties")) ? section : source;
  return {.brokers = values.list(std::string(brokers) + ".brokers"),
          .user = values.text(std::string(user) + ".user"),
          .password_file = values.text(std::string(user) + ".password_file"),
          .tls_ca_file = text_or(values, section, source, "tls_ca_file"),
          .tls_certificate_file = values.text(std::string(tls) + ".tls_certificate_file"),
          .tls_key_file = values.text(std::string(tls) + ".tls_key_file"),
          .properties = values.map(std::string(properties) + ".properties")};
}

void read_kafka(const Values& values, Configuration& out) {
  out.source.connection = read_kafka_connection(values, "source.kafka");
  out.source.topic = values.text("source.kafka.topic");
  out.source.group = values.text("source.kafka.group");
  out.source.instance_id = values.text("source.kafka.instance_id");
  out.source.start = values.choice<kafka::Start>("source.kafka.start");
  out.source.event_bytes_max = values.size("source.kafka.event_bytes_max");

  out.record.connection = read_kafka_connection(values, "results.kafka");
  out.record.topic = values.text("results.kafka.topic");
  out.record.dead_letter_topic = values.text("results.kafka.dead_letter_topic");
  out.record.source = values.text("results.source");
  out.record.environment = out.environment;
  if (!out.source.instance_id.empty()) {
    out.record.transactional_id = out.source.group + "-" + out.source.instance_id;
  }
}

void read_ledger(const Values& values, Configuration& out) {
  out.hmac_key_file = values.text("ledger.hmac_key_file");
  out.ledger = {.is_sqlite = out.ledger.is_sqlite,
                .kafka_topic = values.text("ledger.kafka.topic"),
                .kafka_shared_topic = values.text("ledger.kafka.shared_topic"),
                .sqlite_path = values.text("ledger.sqlite.path"),
                .sealing_key_files = values.list("ledger.sealing_key_files"),
                .members_max = values.size("ledger.members_max"),
                .parked_max = values.size("ledger.parked_max")};
}

/// What core and decoder must know of the chosen source and results.
void fit_to_technology(const Values& values, Configuration& out) {
  switch (out.source_technology) {
    case Technology::kafka:
      out.worker.metadata_characters_max = values.size("source.kafka.metadata_characters_max");
      out.decoder.event_bytes_max = out.source.event_bytes_max;
      break;
    case Technology::amqp:
      // It is not kept anywhere, so nothing but our own patience limits it.
      out.worker.metadata_characters_max = checkpoint_characters_max;
      out.decoder.event_bytes_max = values.size("source.amqp.event_bytes_max");
      break;
    case Technology::file:
      out.worker.metadata_characters_max = checkpoint_characters_max;
      out.decoder.event_bytes_max = out.file_source.event_bytes_max;
      break;
  }
  switch (out.results_technology) {
    case Technology::kafka:
      out.decoder.keep_payload = !out.record.dead_letter_topic.empty();
      break;
    case Technology::amqp:
      out.decoder.keep_payload = values.given("results.amqp.dead_letter_address");
      break;
    case Technology::file:
      out.decoder.keep_payload = !out.file_results.dead_letter_path.empty();
      break;
  }
}

void read_auth(const Values& values, helseid::Settings& out) {
  using std::chrono::seconds;
  out.none = values.boolean("auth.none");
  out.token_endpoint = values.text("auth.token_endpoint");
  out.client_id = values.text("auth.client_id");
  out.jwk_file = values.text("auth.jwk_file");
  out.scope = values.text("auth.scope");
  out.resource = values.text("auth.resource");
  out.token_mode = values.choice<helseid::TokenMode>("auth.token_mode");
  out.tenancy = values.choice<helseid::Tenancy>("auth.tenancy");
  out.org_claim = values.text("auth.org_claim");
  out.org_claim_form = values.choice<helseid::OrgClaimForm>("auth.org_claim_form");
  out.org_child_empty_form = values.choice<helseid::OrgChildEmptyForm>("auth.org_child_empty_form");
  out.org_child_system = values.text("auth.org_child_system");
  out.assertion_typ = values.text("auth.assertion_typ");
  out.assertion_audience = values.text("auth.assertion_audience");
  out.alg = values.text("auth.alg");
  out.assertion_life = std::chrono::round<seconds>(values.duration("auth.assertion_life_s"));
  out.expiry_margin_percent = static_cast<int>(values.size("auth.expiry_margin_percent"));
  out.expiry_margin_max = std::chrono::round<seconds>(values.duration("auth.expiry_margin_max_s"));
  out.clock_correction = values.boolean("auth.clock_correction");
  out.metadata_life =
      std::chrono::round<std::chrono::hours>(values.duration("auth.metadata_life_h"));
  out.request_timeout = values.duration("auth.request_timeout_s");
  out.mode_check = values.choice<crypto::ModeCheck>("secrets.mode_check");
}

void read_https(const Values& values, Configuration& out) {
  out.https.ca_file = values.text("api.ca_file");
  if (values.given("api.proxy")) out.https.proxy = values.text("api.proxy");
  out.https.connections_max = values.size("api.in_flight_max") + 2;
  out.https.idle_max = values.duration("api.idle_max_s");
  out.auth_https = out.https;
  out.auth_https.section = "auth";
  out.auth_https.ca_file = values.text("auth.ca_file");
  out.endpoint.media_type = values.text("api.media_type");
  out.endpoint.accept = values.text("api.accept");
  for (auto& [name, value] : values.map("api.headers")) {
    out.endpoint.headers.push_back({name, value});
  }
  out.endpoint.request_timeout = values.duration("api.request_timeout_s");
  out.endpoint.connect_timeout = values.duration("api.connect_timeout_s");
}

void read_status(const Values& values, Configuration& out) {
  endpoint::StatusSettings& status = out.status;
  status.area = values.choice<endpoint::Area>("digital_status.area");
  status.area_form = values.choice<endpoint::AreaForm>("digital_status.area_form");
  status.scope = values.text("digital_status.scope");
  status.headers = out.endpoint.headers;
  status.request_timeout = out.endpoint.request_timeout;
  status.connect_timeout = out.endpoint.connect_timeout;
  // Questions go beside submissions, over connections of their own.
  if (out.worker.digital_status.enabled) out.https.connections_max += out.worker.api.in_flight_max;
}

/// Options that have no default, as far as the chosen source and results ask for them.
void check_required(const Values& values, const Configuration& out, Errors& errors) {
  for (const Option& option : option_table()) {
    if (!option.required || !option.available || values.mentions(option.path)) continue;
    const std::string_view section = technology_section(option.path);
    if (!section.empty() && !is_chosen(out, section)) continue;
    if (section.starts_with("source.") && !values.mentions("source")) continue;  // said below
    errors.push_back({.key = std::string(option.path),
                      .message = "is missing; " + allowed_values(option) + ", for example " +
                                 std::string(option.example)});
  }
  const bool has_source = values.mentions("source.kafka") || values.mentions("source.amqp") ||
                          values.mentions("source.file");
  if (!has_source) {
    errors.push_back(
        {.key = "source", .message = "is missing; say source.kafka, source.amqp or source.file"});
  }
}

}  // namespace

Loaded load_text(std::string_view yaml, const Environment& environment) {
  const auto file = parse_yaml(yaml);
  if (!file) {
    return tl::unexpected<Errors>(Errors{{.message = "the file " + file.error().message}});
  }
  if (file->kind != Value::Kind::map && file->kind != Value::Kind::null) {
    return tl::unexpected<Errors>(
        Errors{{.message = "the file must be a map of sections, such as `api:`"}});
  }
  Errors errors;
  const Values values(*file, environment, errors);
  Configuration out;
  out.environment = values.text("environment");
  choose_technologies(values, out, errors);
  check_required(values, out, errors);
  check_environment(values, out, errors);
  read_core(values, out.worker);
  read_form(values, out.endpoint.url.text(), out.worker.form);
  read_decoder(values, out);
  read_kafka(values, out);
  read_amqp(values, out, errors);
  read_files(values, out, errors);
  read_ledger(values, out);
  fit_to_technology(values, out);
  read_auth(values, out.helseid);
  read_https(values, out);
  read_status(values, out);
  out.mode_check = values.choice<crypto::ModeCheck>("secrets.mode_check");
  out.log = {.level = values.choice<telemetry::Level>("log.level"),
             .format = values.choice<telemetry::Format>("log.format")};
  out.shutdown_timeout = values.duration("shutdown.timeout_s");
  read_organizations(values, out, errors);
  read_rules(values, out, errors);
  check_kafka(values, out, errors);
  check_together(values, out, errors);
  if (!errors.empty()) return tl::unexpected<Errors>(std::move(errors));
  return out;
}

Loaded load(const std::filesystem::path& path, const Environment& environment) {
  std::ifstream in(path, std::ios::binary);
  std::string text;
  constexpr std::size_t chunk = 64 * 1024;
  // A device or an endless pipe must not fill the memory: parse_yaml refuses more than 1 MiB.
  while (in && text.size() <= 1024 * 1024) {
    const std::size_t before = text.size();
    text.resize(before + chunk);
    in.read(text.data() + before, static_cast<std::streamsize>(chunk));
    text.resize(before + static_cast<std::size_t>(in.gcount()));
  }
  if (text.empty() && !in.eof()) {
    return tl::unexpected<Errors>(
        Errors{{.message = "cannot read " + path.string() + "; name a file with --config"}});
  }
  return load_text(text, environment);
}

Environment process_environment() {
  Environment out;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (!text.starts_with("HELSEKONTAKTER_") || equals == std::string_view::npos) continue;
    out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

}  // namespace helsekontakter::config
