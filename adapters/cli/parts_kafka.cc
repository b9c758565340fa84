// Kafka in, Kafka out: the recorder commits for the source's group.

#include "adapters/cli/into_kafka.h"
#include "adapters/cli/parts.h"
#include "adapters/crypto/password.h"
#include "adapters/kafka/source.h"

namespace helsekontakter::cli {
namespace {

class OfKafka final : public Source {
 public:
  template <class... Arguments>
  explicit OfKafka(Arguments&&... arguments) : source_(std::forward<Arguments>(arguments)...) {}

  [[nodiscard]] Result<void> start() override { return source_.start(); }
  void order(SourceOrders orders) override { source_.order(std::move(orders)); }
  void stop(bool finished) override { source_.stop(finished); }
  [[nodiscard]] bool still_ours(std::span<const std::pair<Partition, Epoch>> under) const override {
    return source_.still_ours(under);
  }
  [[nodiscard]] std::shared_ptr<kafka::Ownership> ownership() const { return source_.ownership(); }

 private:
  kafka::KafkaSource source_;
};

}  // namespace

Result<Parts> make_kafka_parts(const config::Configuration& configuration, const OpenLedger& ledger,
                               Decode decode, Inbox& inbox, const kafka::Observer& observer,
                               Inbox* recorder_inbox) {
  auto password = crypto::Password::of_file(configuration.source.connection.password_file,
                                            configuration.mode_check);
  if (!password) return tl::unexpected(password.error());
  auto record_password = crypto::Password::of_file(configuration.record.connection.password_file,
                                                   configuration.mode_check);
  if (!record_password) return tl::unexpected(record_password.error());
  kafka::RecordSettings record = configuration.record;
  if (record.transactional_id.empty()) {
    record.transactional_id = configuration.source.group + "-" + crypto::uuid_v4().text();
  }
  kafka::SourceSettings settings = configuration.source;
  settings.ledger_knows = ledger.knows;
  settings.ledger_partitions = ledger.partitions;
  auto source = std::make_unique<OfKafka>(std::move(settings), std::move(*password),
                                          std::move(decode), inbox, observer);
  auto recorder = std::make_unique<IntoKafka>(std::move(record), std::move(*record_password),
                                              configuration.source.topic, source->ownership(),
                                              recorder_inbox != nullptr ? *recorder_inbox : inbox,
                                              observer, ledger.topic);
  return Parts{.source = std::move(source), .recorder = std::move(recorder)};
}

}  // namespace helsekontakter::cli
