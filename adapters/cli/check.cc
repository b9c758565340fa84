#include "adapters/cli/check.h"

#include <algorithm>
#include <cstdlib>
#include <ostream>
#include <string_view>

namespace helsekontakter::cli {
namespace {

/// Tokens are refused when clocks differ by more than their assertions' slack; results show times.
constexpr Milliseconds skew_max{30'000};

std::string seconds(Milliseconds duration) {
  std::string text = std::to_string(duration.count() / 1000);
  if (const auto rest = duration.count() % 1000; rest != 0) {
    std::string digits = std::to_string(1000 + std::abs(rest)).substr(1);
    digits.erase(digits.find_last_not_of('0') + 1);
    text += "." + digits;
  }
  return text + " s";
}

std::string mebibytes(std::size_t bytes) {
  return std::to_string(bytes / (1024 * 1024)) + " MiB";
}

/// Writes a line for each probe and remembers whether one failed.
class Report {
 public:
  explicit Report(std::ostream& out) : out_(out) {}

  void line(std::string_view what, const Result<std::string>& found) {
    if (found) {
      out_ << "ok    " << what << ": " << *found << "\n";
    } else {
      failed_ = true;
      out_ << "FAIL  " << what << ": " << found.error().message << "\n";
    }
  }

  void left_out(std::string_view what) { out_ << "-     " << what << ": not asked\n"; }

  template <class Probe, class... Arguments>
  void ask(std::string_view what, const Probe& probe, Arguments... arguments) {
    if (!probe) return left_out(what);
    line(what, probe(arguments...));
  }

  [[nodiscard]] bool failed() const { return failed_; }

 private:
  std::ostream& out_;
  bool failed_ = false;
};

Result<std::string> judge_skew(const Result<Milliseconds>& skew) {
  if (!skew) return tl::unexpected(skew.error());
  if (std::chrono::abs(*skew) > skew_max) {
    return fail(Remedy::stop, "our clock and the endpoint's differ by " +
                                  seconds(std::chrono::abs(*skew)) + "; run a time service");
  }
  return "within " + seconds(std::max(Milliseconds(1000), std::chrono::abs(*skew)));
}

void connect(const config::Configuration& configuration, const CheckOptions& options,
             const Probes& probes, Report& report) {
  using config::Technology;
  const bool reads_kafka = configuration.source_technology == Technology::kafka;
  const bool writes_kafka = configuration.results_technology == Technology::kafka;
  if (reads_kafka || writes_kafka) {
    report.ask("broker", probes.broker);
    report.ask("topics", probes.topics, options.create);
  }
  if (!reads_kafka) report.ask("input", probes.input);
  if (!writes_kafka) report.ask("output", probes.output);
  if (configuration.ledger.is_sqlite) report.ask("ledger", probes.ledger);
  report.ask("endpoint", probes.endpoint);
  if (!probes.clock_skew) {
    report.left_out("clock");
  } else {
    report.line("clock", judge_skew(probes.clock_skew()));
  }
  if (configuration.helseid.none) {
    report.line("token", std::string("none is asked for (auth.none)"));
    return;
  }
  std::vector<OrganizationNumber> numbers;
  for (const auto& [number, organization] : configuration.helseid.organizations) {
    numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  for (const OrganizationNumber number : numbers) {
    report.ask("token for " + number.digits(), probes.token, number);
  }
  if (!configuration.worker.digital_status.enabled) return;
  for (const OrganizationNumber number : numbers) {
    report.ask("status token for " + number.digits(), probes.status_token, number);
  }
}

std::string of_files(const config::Configuration& configuration) {
  const bool from_stream = configuration.file_source.path == file::standard_stream;
  const bool to_stream = configuration.file_results.path == file::standard_stream;
  std::string text = from_stream ? "standard input" : "file";
  text += to_stream ? " to standard output" : " to file";
  text += ": at least once; a result that is repeated has the same id. ";
  if (from_stream) {
    text += "There is no checkpoint: after a fault give the whole input once more";
  } else {
    text += "The checkpoint moves only when the results before it are ";
    text += to_stream ? "written" : "on the disk";
  }
  if (to_stream) {
    text += "; what standard output leads to must keep them, or write to results.file.path";
  }
  return text;
}

std::string of_queues(const config::Configuration& configuration) {
  const std::string repeats =
      "; a crash in between repeats them, with the same ids, so a reader drops what it has seen";
  if (configuration.source_technology == config::Technology::kafka) {
    return "Kafka to AMQP: at least once; offsets are committed only when the broker has accepted "
           "every result and dead letter" +
           repeats;
  }
  if (configuration.results_technology == config::Technology::kafka) {
    return "AMQP to Kafka: at least once; the results and dead letters of a record are one "
           "transaction, and the deliveries are accepted only after it" +
           repeats;
  }
  return "AMQP to AMQP: at least once; a delivery is accepted only when the broker has accepted "
         "its "
         "result and dead letter" +
         repeats;
}

std::vector<std::string> numbers_of_queue(const config::Configuration& configuration) {
  const amqp::SourceSettings& source = configuration.amqp_source;
  return {
      "heartbeat " + seconds(source.connection.idle_timeout) +
          ": after so much silence the connection is made anew and what is not settled comes again",
      "api.settle_time_s " + seconds(configuration.worker.api.settle_time) +
          ": so long the worker waits before its first request after a connection was lost",
      "credit " + std::to_string(source.places_max) + " messages or " +
          mebibytes(source.bytes_max) + ", at most " + std::to_string(source.unsettled_max) +
          " unsettled",
  };
}

}  // namespace

std::string order_guarantee(const config::Configuration& configuration) {
  if (configuration.source_technology != config::Technology::amqp) return {};
  return "the changes of a member stay in order while one consumer at a time reads " +
         configuration.amqp_source.address +
         ": a queue with a single active consumer (RabbitMQ) or exclusive (Artemis), or one worker "
         "alone; for more workers, a queue for each behind a consistent hash. AMQP cannot ask a "
         "queue which it is: see deploy/rabbitmq/README.md";
}

std::string delivery_guarantee(const config::Configuration& configuration) {
  if (configuration.source_technology == config::Technology::file) return of_files(configuration);
  if (configuration.source_technology == config::Technology::amqp ||
      configuration.results_technology == config::Technology::amqp) {
    return of_queues(configuration);
  }
  std::string text =
      "Kafka to Kafka, same cluster: results, dead letters and offsets are one transaction, so a "
      "read_committed consumer sees each result once";
  if (configuration.record.connection.brokers != configuration.source.connection.brokers) {
    text += "; results.kafka.brokers must be another listener of the source's cluster";
  }
  return text;
}

std::vector<std::string> derived_numbers(const config::Configuration& configuration) {
  const std::string shutdown = "shutdown.timeout_s " + seconds(configuration.shutdown_timeout) +
                               ": the container's grace period must be longer";
  if (configuration.source_technology == config::Technology::file) {
    std::vector<std::string> numbers{shutdown};
    if (configuration.file_source.path != file::standard_stream) {
      numbers.push_back("checkpoint " + configuration.file_source.checkpoint +
                        ": keep it with the file; with its lock, one worker reads the file");
      numbers.push_back("api.settle_time_s " + seconds(configuration.worker.api.settle_time) +
                        ": so long the worker waits before its first request after a crash");
    }
    return numbers;
  }
  if (configuration.source_technology == config::Technology::amqp) {
    std::vector<std::string> numbers = numbers_of_queue(configuration);
    numbers.push_back(shutdown);
    return numbers;
  }
  const kafka::SourceSettings& source = configuration.source;
  return {
      "session.timeout " + seconds(source.session_timeout) +
          " = api.request_timeout_s + api.settle_time_s + 15 s: so long a crashed worker's "
          "partitions stand still",
      "rebalance timeout " + seconds(source.rebalance_timeout) +
          ": more than a request and its record together",
      "coordinator silence " + seconds(source.coordinator_silence_max) +
          ": no request is written when the coordinator was not heard from for longer",
      shutdown,
      "fetch queue " + mebibytes(source.fetch_bytes_max) + " of memory.bytes_max " +
          mebibytes(configuration.worker.memory_bytes_max),
  };
}

int check(const config::Configuration& configuration, const CheckOptions& options,
          const Probes& probes, std::ostream& out) {
  out << "ok    configuration: environment " << configuration.environment << ", "
      << configuration.worker.organizations.size() << " organisations, "
      << configuration.endpoint.url.text() << "\n";
  out << "ok    identity numbers: "
      << (configuration.decoder.synthetic_allowed ? "synthetic" : "real") << " ones only\n";
  out << "ok    delivery: " << delivery_guarantee(configuration) << "\n";
  if (const std::string order = order_guarantee(configuration); !order.empty()) {
    out << "ok    order: " << order << "\n";
  }
  for (const std::string& number : derived_numbers(configuration)) {
    out << "ok    " << number << "\n";
  }
  for (const std::string& warning : configuration.warnings) out << "warn  " << warning << "\n";
  Report report(out);
  if (options.connect) connect(configuration, options, probes, report);
  return report.failed() ? 1 : 0;
}

}  // namespace helsekontakter::cli
