#include "adapters/cli/probes.h"

#include "adapters/cli/probe_amqp.h"
#include "adapters/cli/probe_file.h"
#include "adapters/cli/probe_https.h"
#include "adapters/cli/probe_kafka.h"

#include <memory>

namespace helsekontakter::cli {
namespace {

/// What the probes share; they own it together.
struct Outside {
  Outside(const config::Configuration& of, const CheckOptions& options)
      : configuration(of),
        source(configuration.source.connection, configuration.mode_check, "source.kafka"),
        results(configuration.record.connection, configuration.mode_check, "results.kafka"),
        topics(configuration, options, source, results),
        amqp(configuration),
        files(configuration),
        https(configuration) {}

  /// Transactions join results and offsets, so both connections must lead to one cluster.
  [[nodiscard]] Result<std::string> broker() {
    const bool reads = configuration.source_technology == config::Technology::kafka;
    const bool writes = configuration.results_technology == config::Technology::kafka;
    auto read = reads ? source.cluster() : results.cluster();
    if (!read) return read;
    const auto written = writes && reads ? results.cluster() : read;
    if (!written) return written;
    reached = true;
    if (*read != *written) {
      return fail(Remedy::stop, "source.kafka.brokers is cluster " + *read +
                                    ", results.kafka.brokers is cluster " + *written +
                                    "; results must be written where the events are read");
    }
    return "cluster " + *read + " is reached and accepts us";
  }

  /// A broker that is not there lets each question wait for its deadline; one is enough.
  [[nodiscard]] Result<std::string> ask_topics(bool create) {
    if (!reached) return fail(Remedy::retry, "cannot be asked for without the broker");
    return topics.ask(create);
  }

  [[nodiscard]] Result<std::string> input() {
    return configuration.source_technology == config::Technology::amqp ? amqp.input()
                                                                       : files.input();
  }
  [[nodiscard]] Result<std::string> output() {
    return configuration.results_technology == config::Technology::amqp ? amqp.output()
                                                                        : files.output();
  }

  const config::Configuration& configuration;
  BrokerProbe source;
  BrokerProbe results;
  bool reached = false;
  TopicsProbe topics;
  AmqpProbe amqp;
  FileProbe files;
  HttpsProbe https;
};

}  // namespace

Probes real_probes(const config::Configuration& configuration, const CheckOptions& options) {
  const auto outside = std::make_shared<Outside>(configuration, options);
  return {
      .broker = [outside] { return outside->broker(); },
      .input = [outside] { return outside->input(); },
      .output = [outside] { return outside->output(); },
      .ledger = [outside] { return outside->files.ledger(); },
      .topics = [outside](bool create) { return outside->ask_topics(create); },
      .token = [outside](OrganizationNumber number) { return outside->https.token(number); },
      .status_token =
          [outside](OrganizationNumber number) { return outside->https.status_token(number); },
      .endpoint = [outside] { return outside->https.endpoint(); },
      .clock_skew = [outside] { return outside->https.clock_skew(); },
  };
}

}  // namespace helsekontakter::cli
