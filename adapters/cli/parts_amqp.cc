// AMQP in or out, beside AMQP or Kafka. From AMQP: ledger, results, settlement. From Kafka:
// results, then ledger and offsets in one transaction (worker/decisions/0004).

#include "adapters/amqp/recorder.h"
#include "adapters/amqp/source.h"
#include "adapters/cli/awaited_recorder.h"
#include "adapters/cli/into_kafka.h"
#include "adapters/cli/parts.h"
#include "adapters/crypto/password.h"
#include "adapters/results/result_writer.h"

#include <utility>

namespace helsekontakter::cli {
namespace {

constexpr std::size_t text_max = 4096;  // of one text of the event, in its result

class OfAmqp final : public Source {
 public:
  template <class... Arguments>
  explicit OfAmqp(Arguments&&... arguments) : source_(std::forward<Arguments>(arguments)...) {}

  [[nodiscard]] Result<void> start() override { return source_.start(); }
  void order(SourceOrders orders) override { source_.order(std::move(orders)); }
  void stop(bool) override { source_.stop(); }
  [[nodiscard]] bool still_ours(std::span<const std::pair<Partition, Epoch>> under) const override {
    return source_.still_ours(under);
  }
  [[nodiscard]] amqp::AmqpSource& source() { return source_; }

 private:
  amqp::AmqpSource source_;
};

/// `settling`, where it is a recorder of its own, is started first and stopped last.
class IntoAmqp final : public Recorder {
 public:
  template <class... Arguments>
  explicit IntoAmqp(std::shared_ptr<AwaitedRecorder> settling, Arguments&&... arguments)
      : settling_(std::move(settling)), recorder_(std::forward<Arguments>(arguments)...) {}

  [[nodiscard]] Result<void> start() override {
    if (settling_) {
      if (auto started = settling_->start(); !started) return started;
    }
    return recorder_.start();
  }
  void record(Record record) override { recorder_.record(std::move(record)); }
  void stop() override {
    recorder_.stop();
    if (settling_) settling_->stop();
  }

 private:
  const std::shared_ptr<AwaitedRecorder> settling_;
  amqp::AmqpRecorder recorder_;
};

/// Results of deliveries from AMQP, into Kafka: one transaction, then the deliveries are accepted.
class FromAmqpIntoKafka final : public Recorder {
 public:
  FromAmqpIntoKafka(std::unique_ptr<AwaitedRecorder> kafka, amqp::AmqpSource& source, Inbox& inbox)
      : kafka_(std::move(kafka)), source_(source), inbox_(inbox) {}

  [[nodiscard]] Result<void> start() override { return kafka_->start(); }
  void record(Record record) override {
    const RecordId id = record.id;
    amqp::Settlement settlement = amqp::settlement_of(record);
    kafka_->record(std::move(record), [this, id, settlement = std::move(settlement)](bool durable) {
      if (durable) source_.settle(settlement);
      inbox_.push(Recorded{id, durable});
    });
  }
  void stop() override { kafka_->stop(); }

 private:
  const std::unique_ptr<AwaitedRecorder> kafka_;
  amqp::AmqpSource& source_;
  Inbox& inbox_;
};

amqp::ResultText result_text(const config::Configuration& configuration, std::string origin) {
  const auto writer = std::make_shared<results::ResultWriter>(
      results::ResultWriter::Options{.source = configuration.record.source,
                                     .environment = configuration.environment,
                                     .origin_topic = std::move(origin)});
  return {
      .begin = [writer](const Record& record, WallTime now) { writer->begin(record, now); },
      .append = [writer](const Conclusion& conclusion,
                         std::string& out) { writer->append(conclusion, out, text_max); },
      .append_data = [writer](const Conclusion& conclusion,
                              std::string& out) { writer->append_data(conclusion, out, text_max); },
      .put_attributes =
          [writer](const Conclusion& conclusion, const results::PutAttribute& put) {
            writer->put_each_attribute(conclusion, text_max, put);
          },
      .id = results::result_id};
}

Result<void> write_ledger(const OpenLedger& ledger, const Record& record) {
  if (!ledger.write || record.ledger.empty()) return {};
  return ledger.write(record.ledger);
}

/// After the results: the ledger's entries, where they are Kafka's, and the offsets, in one
/// transaction.
amqp::Step commit_by(const std::shared_ptr<AwaitedRecorder>& kafka) {
  return [kafka](const std::shared_ptr<const Record>& record, auto done) {
    Record rest{.id = record->id};
    rest.progress = record->progress;
    rest.ledger = record->ledger;
    kafka->record(std::move(rest), [done](bool durable) {
      if (durable) return done({});
      done(fail(Remedy::stop,
                "results were published, but the offsets of their events were not committed; the "
                "events are read again and their results repeated, with the same ids"));
    });
  };
}

}  // namespace

Result<Parts> make_amqp_parts(const config::Configuration& configuration, const OpenLedger& ledger,
                              bool drain, Decode decode, Inbox& inbox,
                              const amqp::Observer& observer,
                              const kafka::Observer& kafka_observer) {
  const bool into_kafka = configuration.results_technology == config::Technology::kafka;
  auto password = crypto::Password::of_file(configuration.amqp_source.connection.password_file,
                                            configuration.mode_check);
  if (!password) return tl::unexpected(password.error());
  auto record_password =
      into_kafka ? crypto::Password::of_file(configuration.record.connection.password_file,
                                             configuration.mode_check)
                 : crypto::Password::of_file(configuration.amqp_results.connection.password_file,
                                             configuration.mode_check);
  if (!record_password) return tl::unexpected(record_password.error());
  amqp::SourceSettings settings = configuration.amqp_source;
  settings.drain = drain;
  settings.clean_start = ledger.was_clean;
  const std::string origin = settings.address;
  auto source = std::make_unique<OfAmqp>(std::move(settings), std::move(*password),
                                         std::move(decode), inbox, observer);
  amqp::AmqpSource& amqp = source->source();
  std::unique_ptr<Recorder> recorder;
  if (into_kafka) {
    kafka::RecordSettings record = configuration.record;
    record.transactional_id = "helsekontakter-" + crypto::uuid_v4().text();
    auto awaited = std::make_unique<AwaitedRecorder>(
        [ledger](const Record& each) { return write_ledger(ledger, each); }, observer.trouble);
    awaited->own(std::make_unique<IntoKafka>(std::move(record), std::move(*record_password), origin,
                                             nullptr, awaited->inbox(), kafka_observer));
    recorder = std::make_unique<FromAmqpIntoKafka>(std::move(awaited), amqp, inbox);
  } else {
    amqp::Steps steps;
    steps.ledger = [ledger](const auto& record, auto done) { done(write_ledger(ledger, *record)); };
    steps.settle = [&amqp](const auto& record, auto done) {
      amqp.settle(amqp::settlement_of(*record));
      done({});
    };
    recorder = std::make_unique<IntoAmqp>(
        nullptr, configuration.amqp_results, std::move(*record_password), origin,
        result_text(configuration, origin), std::move(steps), inbox, observer);
  }
  return Parts{.source = std::move(source), .recorder = std::move(recorder)};
}

Result<Parts> make_kafka_to_amqp_parts(const config::Configuration& configuration,
                                       const OpenLedger& ledger, Decode decode, Inbox& inbox,
                                       const kafka::Observer& kafka_observer,
                                       const amqp::Observer& observer) {
  auto password = crypto::Password::of_file(configuration.amqp_results.connection.password_file,
                                            configuration.mode_check);
  if (!password) return tl::unexpected(password.error());
  config::Configuration without_results = configuration;
  without_results.record.topic.clear();
  without_results.record.dead_letter_topic.clear();
  kafka::Observer commits = kafka_observer;
  commits.recorded = {};  // told by the recorder of the results
  const auto committing =
      std::make_shared<AwaitedRecorder>(AwaitedRecorder::Before{}, observer.trouble);
  auto parts = make_kafka_parts(without_results, ledger, std::move(decode), inbox, commits,
                                &committing->inbox());
  if (!parts) return parts;
  committing->own(std::move(parts->recorder));
  parts->recorder = std::make_unique<IntoAmqp>(
      committing, configuration.amqp_results, std::move(*password), configuration.source.topic,
      result_text(configuration, configuration.source.topic),
      amqp::Steps{.ledger = {}, .settle = commit_by(committing)}, inbox, observer);
  return parts;
}

}  // namespace helsekontakter::cli
