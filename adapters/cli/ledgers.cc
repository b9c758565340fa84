// Where the ledger of this deployment is: on Kafka beside the input, or in a file.

#include "adapters/cli/ledgers.h"

#include "adapters/config/secrets.h"
#include "adapters/crypto/password.h"
#include "adapters/kafka/admin.h"
#include "adapters/kafka/ledger_restore.h"
#include "adapters/kafka/shared_topic_reader.h"
#include "adapters/sqlite/sqlite_ledger.h"

#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace helsekontakter::cli {
namespace {

using namespace std::chrono_literals;

constexpr Milliseconds describe_within{5'000};
constexpr Milliseconds knows_within{10'000};
constexpr auto asks_again_after = 1s;
constexpr auto looks_up_every = 100ms;

class KafkaStore final : public ledger::LedgerStore {
 public:
  KafkaStore(kafka::LedgerReading reading, std::shared_ptr<const ledger::RecordFormat> format,
             kafka::Observer observer)
      : reading_(std::move(reading)), format_(std::move(format)), observer_(std::move(observer)) {}

  [[nodiscard]] Result<ledger::RestoredTables> restore(ledger::RestoredTables from,
                                                       std::stop_token stop) override {
    kafka::LedgerTables tables;
    for (auto& [partition, one] : from) {
      tables[partition] = {.table = std::move(one.table), .position = one.position};
    }
    auto read = kafka::restore_ledger(reading_, *format_, std::move(tables), stop, observer_);
    if (!read) return tl::unexpected(read.error());
    ledger::RestoredTables restored;
    for (auto& [partition, one] : *read) {
      restored[partition] = {.table = std::move(one.table), .position = one.position};
    }
    return restored;
  }

 private:
  const kafka::LedgerReading reading_;
  const std::shared_ptr<const ledger::RecordFormat> format_;
  const kafka::Observer observer_;
};

/// Reading back and writing meet here: the file is one thread's at a time.
class SqliteStore final : public ledger::LedgerStore {
 public:
  explicit SqliteStore(sqlite::SqliteLedger ledger) : ledger_(std::move(ledger)) {}

  [[nodiscard]] Result<ledger::RestoredTables> restore(ledger::RestoredTables from,
                                                       std::stop_token) override {
    const std::lock_guard lock(mutex_);
    for (auto& [partition, one] : from) {
      auto table = ledger_.restore(partition);
      if (!table) return tl::unexpected(table.error());
      one.table = std::move(*table);
    }
    return from;
  }
  [[nodiscard]] Result<void> write(std::span<const LedgerWrite> writes) {
    const std::lock_guard lock(mutex_);
    return ledger_.write(writes);
  }
  [[nodiscard]] Result<void> keep(const SharedBrake& brake) {
    const std::lock_guard lock(mutex_);
    return ledger_.keep(brake);
  }
  [[nodiscard]] Result<std::vector<SharedBrake>> pulled_brakes() {
    const std::lock_guard lock(mutex_);
    return ledger_.pulled_brakes();
  }
  [[nodiscard]] Result<bool> begin_run() {
    const std::lock_guard lock(mutex_);
    return ledger_.begin_run();
  }
  [[nodiscard]] Result<void> end_run() {
    const std::lock_guard lock(mutex_);
    return ledger_.end_run();
  }

 private:
  std::mutex mutex_;
  sqlite::SqliteLedger ledger_;
};

Result<ledger::RecordFormat> make_format(const config::Configuration& configuration,
                                         const crypto::KeyedHash& hash, std::uint32_t partitions) {
  auto keys = ledger::SealingKeys::read(configuration.ledger.sealing_key_files,
                                        configuration.mode_check, {});
  if (!keys) return tl::unexpected(keys.error());
  return ledger::RecordFormat({ledger::fingerprint_of(hash), partitions}, std::move(*keys),
                              configuration.worker.form);
}

/// Describes a topic, waiting for the brokers as long as `goes_on` says so. Nothing: no such topic.
Result<std::optional<kafka::TopicDescription>> describe(const kafka::Connection& connection,
                                                        const crypto::Password& password,
                                                        const std::string& topic,
                                                        const kafka::Observer& observer,
                                                        const std::function<bool()>& goes_on) {
  std::string said;
  while (true) {
    const auto secret = password.read();
    if (!secret) return tl::unexpected(secret.error());
    auto admin = kafka::Admin::connect(connection, *secret, observer);
    if (!admin) return tl::unexpected(admin.error());
    auto found = admin->describe(topic, describe_within);
    if (found || found.error().remedy == Remedy::stop) return found;
    if (!goes_on()) return fail(Remedy::retry, "stopped while the brokers were away");
    const std::string& message = found.error().message;
    std::string heard = message.substr(0, message.find(kafka::complaint_mark));
    if (std::exchange(said, heard) != heard && observer.trouble) observer.trouble(found.error());
    const auto again = std::chrono::steady_clock::now() + asks_again_after;
    while (goes_on() && std::chrono::steady_clock::now() < again) {
      std::this_thread::sleep_for(looks_up_every);
    }
  }
}

Result<OpenLedger> open_kafka(const config::Configuration& configuration,
                              const crypto::KeyedHash& hash, const kafka::Observer& observer,
                              const std::function<bool()>& goes_on) {
  const kafka::SourceSettings& source = configuration.source;
  const auto password =
      crypto::Password::of_file(source.connection.password_file, configuration.mode_check);
  if (!password) return tl::unexpected(password.error());
  const auto ask = [&](const std::string& topic) {
    return describe(source.connection, *password, topic, observer, goes_on);
  };
  const auto input = ask(source.topic);
  if (!input) return tl::unexpected(input.error());
  if (!*input) {
    return fail(Remedy::stop, "source.kafka.topic: " + source.topic +
                                  " does not exist; correct the name, or make it with `check "
                                  "--connect --create`");
  }
  const std::string& topic = configuration.ledger.kafka_topic;
  const auto found = ask(topic);
  if (!found) return tl::unexpected(found.error());
  if (auto fit = kafka::check_ledger_topic(topic, *found, (*input)->partitions); !fit) {
    return tl::unexpected(fit.error());
  }
  const std::string& shared = configuration.ledger.kafka_shared_topic;
  const auto found_shared = ask(shared);
  if (!found_shared) return tl::unexpected(found_shared.error());
  if (auto fit = kafka::check_shared_topic(shared, *found_shared); !fit) {
    return tl::unexpected(fit.error());
  }
  auto made = make_format(configuration, hash, static_cast<std::uint32_t>((*input)->partitions));
  if (!made) return tl::unexpected(made.error());
  auto format = std::make_shared<const ledger::RecordFormat>(std::move(*made));
  OpenLedger open;
  open.partitions = format->identity().partitions;
  open.topic = {.topic = topic, .format = format};
  open.shared_topic = {.connection = source.connection,
                       .password = *password,
                       .topic = shared,
                       .group = source.group};
  kafka::LedgerReading reading{.connection = source.connection,
                               .password = *password,
                               .topic = topic,
                               .group = source.group};
  open.knows = [reading, observer](const std::vector<Partition>& partitions) mutable {
    reading.quiet_max = knows_within;
    return kafka::with_ledger_records(reading, partitions, observer);
  };
  open.store = std::make_shared<KafkaStore>(std::move(reading), std::move(format), observer);
  return open;
}

Result<OpenLedger> open_sqlite(const config::Configuration& configuration,
                               const crypto::KeyedHash& hash) {
  auto format = make_format(configuration, hash, 1);
  if (!format) return tl::unexpected(format.error());
  auto opened = sqlite::SqliteLedger::open(configuration.ledger.sqlite_path, std::move(*format));
  if (!opened) return tl::unexpected(opened.error());
  auto store = std::make_shared<SqliteStore>(std::move(*opened));
  OpenLedger open;
  auto brakes = store->pulled_brakes();
  if (!brakes) return tl::unexpected(brakes.error());
  open.brakes = std::move(*brakes);
  open.keep_brake = [store](const SharedBrake& brake) { return store->keep(brake); };
  const auto was_clean = store->begin_run();
  if (!was_clean) return tl::unexpected(was_clean.error());
  open.was_clean = *was_clean;
  open.write = [store](std::span<const LedgerWrite> writes) { return store->write(writes); };
  open.end_clean = [store] { return store->end_run(); };
  open.store = std::move(store);
  return open;
}

}  // namespace

Result<OpenLedger> open_ledger(const config::Configuration& configuration,
                               const crypto::KeyedHash& hash, const kafka::Observer& observer,
                               const std::function<bool()>& goes_on) {
  return configuration.ledger.is_sqlite ? open_sqlite(configuration, hash)
                                        : open_kafka(configuration, hash, observer, goes_on);
}

}  // namespace helsekontakter::cli
