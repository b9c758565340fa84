#pragma once

#include "adapters/cli/check.h"
#include "adapters/kafka/admin.h"

#include <optional>
#include <string>

namespace helsekontakter::cli {

/// Asks one cluster by one connection; `section` is where its options stand ("source.kafka"). One
/// thread calls.
class BrokerProbe {
 public:
  BrokerProbe(const kafka::Connection& connection, crypto::ModeCheck mode_check,
              std::string section);

  /// Reachable, and accepts who we say we are; the cluster's id.
  [[nodiscard]] Result<std::string> cluster();
  [[nodiscard]] Result<std::optional<kafka::TopicDescription>> describe(const std::string& topic);
  /// Makes it and waits until it is seen. That somebody else made it meanwhile is no error.
  [[nodiscard]] Result<kafka::TopicDescription> create(const kafka::NewTopic& topic);

 private:
  [[nodiscard]] Result<const kafka::Admin*> admin();
  [[nodiscard]] tl::unexpected<Error> explain(const Error& error) const;

  const kafka::Connection& connection_;
  const crypto::ModeCheck mode_check_;
  const std::string section_;
  std::optional<kafka::Admin> admin_;
};

/// The input, the results, the dead letters and the ledger: there, and fit for what the
/// configuration says.
class TopicsProbe {
 public:
  TopicsProbe(const config::Configuration& configuration, const CheckOptions& options,
              BrokerProbe& source, BrokerProbe& results)
      : configuration_(configuration), options_(options), source_(source), results_(results) {}

  /// With `create`, makes what is missing. Says everything, good and bad, in one go.
  [[nodiscard]] Result<std::string> ask(bool create);

 private:
  struct Findings;

  [[nodiscard]] std::optional<kafka::TopicDescription> find(BrokerProbe& broker,
                                                            const kafka::NewTopic& wanted,
                                                            const std::string& option, bool create,
                                                            Findings& findings);
  void ask_results(const std::optional<kafka::TopicDescription>& in, bool create,
                   Findings& findings);
  [[nodiscard]] kafka::NewTopic input() const;
  [[nodiscard]] kafka::NewTopic results(std::int32_t partitions) const;
  [[nodiscard]] kafka::NewTopic dead_letters(std::int32_t partitions, std::size_t bytes_max) const;
  void ask_ledger(std::int32_t partitions, bool create, Findings& findings);

  const config::Configuration& configuration_;
  const CheckOptions& options_;
  BrokerProbe& source_;
  BrokerProbe& results_;
};

}  // namespace helsekontakter::cli
