#include "adapters/config/sections.h"
#include "worker/fhir/form.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>

#include <arpa/inet.h>

namespace helsekontakter::config {
namespace {

using std::chrono::seconds;

/// The endpoint's own rule: its answer takes up to 15 s (contract/medlemstjenester 6).
constexpr seconds request_timeout_least{15};

/// A request is paused by whatever the group coordinator, the commit and the loop need on top of
/// it; design 7 gives 15 s in all, 5 s of them for the loop.
constexpr seconds session_slack{15};
constexpr seconds loop_slack{5};

void derive(const Values& values, Configuration& out) {
  const Milliseconds request = out.worker.api.request_timeout;
  const Milliseconds settle = out.worker.api.settle_time;
  out.source.session_timeout = request + settle + session_slack;
  out.source.rebalance_timeout = std::max({Milliseconds(300'000), out.source.session_timeout,
                                           request + out.record.record_timeout + session_slack});
  out.source.fetch_bytes_max = values.size("memory.bytes_max") / 4;
  out.source.coordinator_silence_max = out.source.session_timeout - request - settle - loop_slack;
}

/// One bound between two options; says nothing while one of them is wrong by itself.
class Bounds {
 public:
  Bounds(const Values& values, Errors& errors) : values_(values), errors_(errors) {}

  void hold(bool holds, std::string_view path, std::initializer_list<std::string_view> others,
            std::string message) {
    if (holds || !values_.sound({path}) || !values_.sound(others)) return;
    errors_.push_back(values_.error(path, std::move(message)));
  }

 private:
  const Values& values_;
  Errors& errors_;
};

void check_times(const Values& values, const Configuration& out, Errors& errors) {
  const Milliseconds request = out.worker.api.request_timeout;
  Bounds bounds(values, errors);
  bounds.hold(request >= request_timeout_least || out.environment == "custom",
              "api.request_timeout_s", {"environment"},
              "below 15 s only with environment custom: the endpoint may take that long to answer");
  bounds.hold(out.shutdown_timeout > request, "shutdown.timeout_s", {"api.request_timeout_s"},
              "must be more than api.request_timeout_s, or a stop cuts requests in flight");
  bounds.hold(out.worker.retry.backoff_first <= out.worker.retry.backoff_max,
              "retry.backoff_first_ms", {"retry.backoff_max_ms"},
              "must not be more than retry.backoff_max_ms");
}

void check_sizes(const Values& values, const Configuration& out, Errors& errors) {
  const WorkerSettings& worker = out.worker;
  Bounds bounds(values, errors);
  bounds.hold(worker.api.in_flight_per_organization_max <= worker.api.in_flight_max,
              "api.in_flight_per_organization_max", {"api.in_flight_max"},
              "must not be more than api.in_flight_max");
  bounds.hold(worker.api.in_flight_max * worker.batch.bytes_max <= worker.memory_bytes_max / 2,
              "memory.bytes_max", {"api.in_flight_max", "batch.bytes_max"},
              "must be at least twice api.in_flight_max times batch.bytes_max");
  constexpr std::string_view events[]{"source.kafka.event_bytes_max", "source.amqp.event_bytes_max",
                                      "source.file.event_bytes_max"};
  const std::string_view event_bytes = events[static_cast<std::size_t>(out.source_technology)];
  bounds.hold(out.decoder.event_bytes_max <= worker.memory_bytes_max / 8, "memory.bytes_max",
              {event_bytes}, "must be at least eight times " + std::string(event_bytes));
}

/// The server listens at an address of this machine; a name may stand for several, or for none.
bool is_address(const std::string& host) {
  std::array<unsigned char, 16> address{};
  return inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

void read_listen(const Values& values, Configuration& out, Errors& errors) {
  constexpr std::string_view path = "operations.listen";
  const std::string text = values.text(path);
  const std::size_t colon = text.rfind(':');
  std::string host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
  const auto [end, fault] =
      std::from_chars(port.data(), port.data() + port.size(), out.listen.port);
  const bool has_loose_colon = !bracketed && host.find(':') != std::string::npos;
  if (fault != std::errc{} || end != port.data() + port.size() || host.empty() || has_loose_colon) {
    errors.push_back(values.error(path, "address:port is expected, such as 0.0.0.0:8080"));
    return;
  }
  if (!is_address(host)) {
    errors.push_back(values.error(path,
                                  "address:port is expected, and the address is none: no name, "
                                  "but 0.0.0.0, 127.0.0.1, [::] or another of this machine"));
    return;
  }
  out.listen.host = std::move(host);
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

void check_headers(const Values& values, const Configuration& out, Errors& errors) {
  constexpr std::string_view path = "api.headers";
  constexpr std::string_view owned[]{
      "authorization", "dpop",       "content-type",   "accept",
      "host",          "connection", "content-length", "transfer-encoding"};
  for (const auto& [name, value] : out.endpoint.headers) {
    const bool printable =
        std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c < 0x7f; });
    if (!is_token(name)) {
      errors.push_back(values.error(path, "one of the names is no name of an HTTP header"));
    } else if (!printable) {
      errors.push_back(values.error(path, "the value of " + name + " is not printable ASCII"));
    } else if (std::find(std::begin(owned), std::end(owned), lower(name)) != std::end(owned)) {
      errors.push_back(values.error(path, name + " belongs to the worker; leave it out"));
    }
  }
}

void warn(const Values& values, Configuration& out) {
  for (std::string& fault : r4_faults(out.worker.form)) {
    out.warnings.push_back("fhir: " + std::move(fault));
  }
  const auto shares_the_client = [](const auto& organization) {
    return !organization.second.client_id && !organization.second.parent;
  };
  const auto sharing = std::count_if(out.helseid.organizations.begin(),
                                     out.helseid.organizations.end(), shares_the_client);
  if (!out.helseid.none && out.helseid.tenancy == helseid::Tenancy::single && sharing > 1) {
    out.warnings.push_back(
        "auth.tenancy: a single-tenant client speaks for one organisation, but " +
        std::to_string(sharing) +
        " share it; give child units a parent, others their own client_id, or use multi");
  }
  if (out.source_technology == Technology::kafka && out.source.connection.user.empty() &&
      out.source.connection.tls_ca_file.empty() &&
      out.source.connection.tls_certificate_file.empty() &&
      !out.source.connection.properties.contains("security.protocol")) {
    out.warnings.push_back(
        "source.kafka: neither user nor tls_* is said, so the brokers are spoken to in clear text, "
        "identity numbers included");
  }
  if (values.given("member.horizon_d") && out.decoder.open_end != json::OpenEnd::horizon) {
    out.warnings.push_back("member.horizon_d: has no effect unless member.open_end is horizon");
  }
}

}  // namespace

void check_together(const Values& values, Configuration& out, Errors& errors) {
  derive(values, out);
  check_times(values, out, errors);
  check_sizes(values, out, errors);
  check_headers(values, out, errors);
  read_listen(values, out, errors);
  warn(values, out);
}

}  // namespace helsekontakter::config
