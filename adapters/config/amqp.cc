#include "adapters/config/environments.h"
#include "adapters/config/sections.h"
#include "worker/domain/national_id.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace helsekontakter::config {
namespace {

constexpr std::string_view source_section = "source.amqp";
constexpr std::string_view results_section = "results.amqp";
/// Of memory.bytes_max, for what the broker was asked for and the core has not taken.
constexpr std::size_t fetch_share = 16;

/// What results leave out is the source's; a user and its password, a certificate and its key go
/// together.
amqp::Connection read_amqp_connection(const Values& values, std::string_view section) {
  const auto said_in = [&](std::string_view name) {
    return values.given(below(section, name)) ? section : source_section;
  };
  const std::string_view user = said_in("user");
  const std::string_view tls = said_in("tls_certificate_file");
  return {.urls = values.list(below(said_in("url"), "url")),
          .user = values.text(below(user, "user")),
          .password_file = values.text(below(user, "password_file")),
          .tls_ca_file = values.text(below(said_in("tls_ca_file"), "tls_ca_file")),
          .tls_certificate_file = values.text(below(tls, "tls_certificate_file")),
          .tls_key_file = values.text(below(tls, "tls_key_file")),
          .idle_timeout = values.duration(below(said_in("heartbeat_s"), "heartbeat_s"))};
}

std::string host_of(std::string_view url) {
  std::string_view host = url.substr(url.find("://") + 3);
  if (host.starts_with('[')) return std::string(host.substr(1, host.find(']') - 1));
  return std::string(host.substr(0, host.find_first_of(":/")));
}

void check_urls(const Values& values, std::string_view section, const amqp::Connection& connection,
                Errors& errors) {
  const std::string path = below(section, "url");
  if (!values.given(path)) return;
  if (connection.urls.empty())
    errors.push_back(values.error(path, "at least one broker is needed"));
  const bool anonymous = connection.user.empty() && connection.tls_certificate_file.empty();
  for (const std::string& url : connection.urls) {
    const bool secure = url.starts_with("amqps://");
    const bool has_credentials = url.find('@') != std::string::npos;  // never shown
    if ((!secure && !url.starts_with("amqp://")) || has_credentials || host_of(url).empty()) {
      errors.push_back(values.error(
          path, "amqps://host:port is expected; user and password_file are keys of their own"));
    } else if (!secure && !is_loopback(host_of(url))) {
      errors.push_back(values.error(path, "must be amqps:// but for a loopback address"));
    } else if (anonymous && !is_loopback(host_of(url))) {
      errors.push_back(values.error(
          path, "needs user and password_file, or tls_certificate_file and tls_key_file"));
    } else {
      continue;
    }
    return;
  }
}

void check_connection(const Values& values, std::string_view section,
                      const amqp::Connection& connection, Errors& errors) {
  check_together_given(values, section, "user", "password_file", errors);
  check_together_given(values, section, "tls_certificate_file", "tls_key_file", errors);
  check_urls(values, section, connection, errors);
}

/// The address stands in every result; its messages have no order that lasts.
void check_source(const Values& values, const Configuration& out, Errors& errors) {
  if (out.source_technology != Technology::amqp) return;
  constexpr std::string_view address = "source.amqp.address";
  if (contains_national_id(out.amqp_source.address)) {
    ConfigurationError error =
        values.error(address, "holds an identity number, which results would repeat; rename it");
    error.value.clear();
    errors.push_back(std::move(error));
  }
  if (values.text("version.from") == "broker") {
    errors.push_back(values.error(
        "version.from",
        "with AMQP messages are counted anew by each worker; data or time is allowed"));
  }
}

/// Where they go must be said, and be another place than where the events come from.
void check_results(const Values& values, const Configuration& out, Errors& errors) {
  const bool from_amqp = out.source_technology == Technology::amqp;
  if (out.results_technology == Technology::kafka) {
    if (from_amqp && !values.mentions("results.kafka.brokers")) {
      errors.push_back({.key = "results.kafka.brokers",
                        .message = "is missing; with source.amqp it has no default"});
    }
    return;
  }
  if (out.results_technology != Technology::amqp) return;
  if (!from_amqp && !values.mentions("results.amqp.url")) {
    errors.push_back({.key = "results.amqp.url",
                      .message = "is missing; without source.amqp it has no default"});
  }
  const bool same_broker =
      from_amqp && out.amqp_results.connection.urls == out.amqp_source.connection.urls;
  const std::pair<std::string_view, std::string> addresses[]{
      {"source.amqp.address", same_broker ? out.amqp_source.address : std::string()},
      {"results.amqp.address", out.amqp_results.address},
      {"results.amqp.dead_letter_address", out.amqp_results.dead_letter_address}};
  for (const auto& [path, address] : addresses) {
    for (const auto& [other, its_address] : addresses) {
      if (other == path) break;
      if (address.empty() || its_address != address) continue;
      errors.push_back(values.error(
          path, "is the same address as " + std::string(other) + "; each needs one of its own"));
    }
  }
}

/// What is in flight and some more, so that the next batches fill meanwhile. RabbitMQ works longer
/// on a settlement the more deliveries are open before it (adapters/amqp/README.md).
std::size_t unsettled_max(const WorkerSettings& worker) {
  const std::size_t at_once = worker.api.in_flight_max * worker.batch.entries_max;
  return std::clamp<std::size_t>(at_once + at_once / 4, 5'000, 50'000);
}

}  // namespace

void read_amqp(const Values& values, Configuration& out, Errors& errors) {
  out.amqp_source.connection = read_amqp_connection(values, source_section);
  out.amqp_source.address = values.text("source.amqp.address");
  out.amqp_results.connection = read_amqp_connection(values, results_section);
  out.amqp_results.address = values.text("results.amqp.address");
  out.amqp_results.dead_letter_address = values.text("results.amqp.dead_letter_address");
  out.amqp_results.mode = values.choice<amqp::EventMode>("results.amqp.mode");
  out.amqp_source.bytes_max = values.size("memory.bytes_max") / fetch_share;
  out.amqp_source.unsettled_max = unsettled_max(out.worker);
  if (out.source_technology == Technology::amqp) {
    out.worker.unsettled_max = out.amqp_source.unsettled_max;
    out.worker.foretells = true;
  }
  check_source(values, out, errors);
  check_results(values, out, errors);
  check_connection(values, source_section, out.amqp_source.connection, errors);
  check_connection(values, results_section, out.amqp_results.connection, errors);
}

}  // namespace helsekontakter::config
