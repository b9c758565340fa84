#include "adapters/cli/program.h"

#include "adapters/clock/wall_now.h"
#include "adapters/config/secrets.h"

#include <algorithm>
#include <random>
#include <utility>

namespace helsekontakter::cli {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::chrono::seconds live_within{30};
constexpr std::chrono::seconds status_every{1};
/// Deliveries that the core takes while they are still in the processor's caches cost it less.
constexpr std::size_t inbox_bytes_useful = 2 << 20;

TimePoint core_time(Steady::time_point time) {
  return TimePoint(std::chrono::floor<Milliseconds>(time.time_since_epoch()));
}

Steady::time_point steady_time(TimePoint time) {
  return Steady::time_point(time.time_since_epoch());
}

WorkerSettings core_settings(const config::Configuration& configuration,
                             const RunOptions& options) {
  WorkerSettings settings = configuration.worker;
  // A queue has no end that is known beforehand; its source says when it is drained.
  settings.drain = options.drain && configuration.source_technology != config::Technology::amqp;
  settings.ledger.enabled = true;
  settings.shares = !configuration.ledger.is_sqlite;
  return settings;
}

}  // namespace

Program::Program(const config::Configuration& configuration, const RunOptions& options)
    : configuration_(configuration),
      options_(options),
      log_(configuration.log),
      metrics_(HELSEKONTAKTER_VERSION, wall_now(), configuration.worker.memory_bytes_max),
      inbox_(std::min(configuration.worker.memory_bytes_max / 16, inbox_bytes_useful)),
      worker_(core_settings(configuration, options)) {
  turned_at_ms_ = core_time(Steady::now()).time_since_epoch().count();
}

bool Program::fault(const Error& error) {
  log_.error("the worker cannot start", {{"reason", error.message}});
  return false;
}

int Program::start() {
  for (const std::string& warning : configuration_.warnings) {
    log_.warn("configuration", {{"warning", warning}});
  }
  const bool started = start_submitting() && start_operations() && start_reading();
  if (started) return 0;
  if (stopping_) return failed_ ? 1 : 0;
  return refused_ ? 2 : 1;
}

bool Program::start_submitting() {
  auto client = https::PooledClient::create(configuration_.https);
  if (!client) return fault(client.error());
  client_ = std::move(*client);
  auto auth_client = https::PooledClient::create(configuration_.auth_https);
  if (!auth_client) return fault(auth_client.error());
  auth_client_ = std::move(*auth_client);
  if (!configuration_.helseid.none) {
    tokens_ = make_tokens(configuration_.helseid);
    if (!tokens_) return false;
  }
  endpoint::Surroundings around = endpoint::real_surroundings();
  around.still_ours = [this](const std::vector<std::pair<Partition, Epoch>>& under) {
    return parts_.source->still_ours(under);
  };
  around.deliver = [this](Outcome outcome) { inbox_.push(std::move(outcome)); };
  around.observer = observe_endpoint();
  endpoint_ = std::make_unique<endpoint::HelsekontakterEndpoint>(configuration_.endpoint, *client_,
                                                                 tokens_.get(), std::move(around));
  return !configuration_.worker.digital_status.enabled || start_asking();
}

/// Nothing when it cannot be made; the faults are logged.
std::unique_ptr<helseid::HelseIdTokenSource> Program::make_tokens(
    const helseid::Settings& settings) {
  auto tokens = helseid::HelseIdTokenSource::create(
      settings, *auth_client_, helseid::system_surroundings(), observe_tokens());
  if (tokens) return std::move(*tokens);
  for (const Error& error : tokens.error()) fault(error);
  return nullptr;
}

bool Program::start_asking() {
  if (!configuration_.helseid.none) {
    helseid::Settings settings = configuration_.helseid;
    settings.scope = configuration_.status.scope;
    status_tokens_ = make_tokens(settings);
    if (!status_tokens_) return false;
  }
  const endpoint::Surroundings real = endpoint::real_surroundings();
  endpoint::StatusSurroundings around{
      .still_ours =
          [this](const std::vector<std::pair<Partition, Epoch>>& under) {
            return parts_.source->still_ours(under);
          },
      .deliver = [this](StatusAnswer answer) { inbox_.push(std::move(answer)); },
      .wall = real.wall,
      .fresh_uuid = real.fresh_uuid};
  observe_status(around);
  inquiry_ = std::make_unique<endpoint::StatusInquiry>(configuration_.status, *client_,
                                                       status_tokens_.get(), std::move(around));
  return true;
}

Decode Program::make_decode(const crypto::KeyedHash& hash) {
  auto decoder = std::make_shared<json::EventDecoder>(configuration_.decoder, hash);
  return [this, decoder](const json::RawEvent& raw) {
    Delivery delivery = decoder->decode(raw);
    unknown_fields_.store(decoder->unknown_fields(), std::memory_order_relaxed);
    return delivery;
  };
}

Result<Parts> Program::make_parts() {
  const auto key = config::read_hmac_key(configuration_);
  if (!key) return tl::unexpected(key.error());
  const crypto::KeyedHash hash(*key);
  const auto goes_on = [this] {
    turned_at_ms_ = core_time(Steady::now()).time_since_epoch().count();
    return !stopping_;
  };
  auto opened = open_ledger(configuration_, hash, observe_kafka(), goes_on);
  if (!opened) {
    refused_ = opened.error().remedy == Remedy::stop;
    return tl::unexpected(opened.error());
  }
  ledger_ = std::move(*opened);
  make_ledger_host();
  if (!ledger_.brakes.empty()) {
    inbox_.push(SharedNews{.facts = {ledger_.brakes.begin(), ledger_.brakes.end()}});
  }
  if (ledger_.topic.format) {
    shared_link_ =
        std::make_unique<SharedLink>(ledger_, inbox_, observe_kafka(), [this](const Error& error) {
          refused_ = true;
          give_up(error);
        });
    if (auto started = shared_link_->start(goes_on); !started) {
      refused_ = started.error().remedy == Remedy::stop;
      return tl::unexpected(started.error());
    }
  }
  switch (configuration_.source_technology) {
    case config::Technology::kafka:
      if (configuration_.results_technology == config::Technology::amqp) {
        return make_kafka_to_amqp_parts(configuration_, ledger_, make_decode(hash), inbox_,
                                        observe_kafka(), observe_amqp());
      }
      return make_kafka_parts(configuration_, ledger_, make_decode(hash), inbox_, observe_kafka());
    case config::Technology::file:
      return make_file_parts(configuration_, ledger_, options_.drain, hash, make_decode(hash),
                             inbox_, observe_files());
    case config::Technology::amqp:
      break;
  }
  return make_amqp_parts(configuration_, ledger_, options_.drain, make_decode(hash), inbox_,
                         observe_amqp(), observe_kafka());
}

void Program::make_ledger_host() {
  ledger_host_ = std::make_unique<ledger::LedgerHost>(
      ledger::LedgerHost::Settings{.form = configuration_.worker.form,
                                   .members_max = configuration_.ledger.members_max,
                                   .parked_max = configuration_.ledger.parked_max},
      ledger_.store, [this] { inbox_.push(Tick{}); }, observe_ledger());
}

bool Program::start_reading() {
  auto parts = make_parts();
  if (!parts) return fault(parts.error());
  parts_ = std::move(*parts);
  if (const auto started = parts_.recorder->start(); !started) return fault(started.error());
  if (const auto started = parts_.source->start(); !started) return fault(started.error());
  return true;
}

bool Program::start_operations() {
  operations::Pages pages;
  pages.live = [this] {
    return is_live()
               ? operations::Page{.status = 200, .body = "live\n"}
               : operations::Page{.status = 503, .body = "the loop has not turned for 30 s\n"};
  };
  pages.ready = [this] {
    if (!joined_) return operations::Page{.status = 503, .body = "the source is not open\n"};
    if (restoring_) return operations::Page{.status = 503, .body = "the ledger is read back\n"};
    if (recovering_) return operations::Page{.status = 503, .body = "partitions are read back\n"};
    return operations::Page{.status = 200, .body = "ready\n"};
  };
  pages.metrics = [this] {
    return operations::Page{.status = 200,
                            .body = metrics_.expose(),
                            .content_type = "text/plain; version=0.0.4; charset=utf-8"};
  };
  auto server = operations::OperationsServer::start(
      {.host = configuration_.listen.host, .port = configuration_.listen.port}, std::move(pages));
  if (!server) return fault(server.error());
  operations_ = std::move(*server);
  log_.info("started", {{"version", HELSEKONTAKTER_VERSION},
                        {"environment", configuration_.environment},
                        {"operations_port", operations_->port()},
                        {"drain", options_.drain}});
  return true;
}

bool Program::is_live() const {
  const auto now = core_time(Steady::now()).time_since_epoch();
  return now - Milliseconds(turned_at_ms_.load()) < live_within;
}

void Program::request_stop() {
  stopping_ = true;
  inbox_.push(StopRequested{});
}

/// Any thread: finishes what is in flight, and ends with a fault.
void Program::give_up(const Error& error) {
  log_.error("the worker gives up", {{"reason", error.message}});
  failed_ = true;
  request_stop();
}

void Program::stop_parts(bool finished) {
  parts_.source->stop(finished);
  parts_.recorder->stop();
  if (finished && ledger_.end_clean) {
    if (const auto ended = ledger_.end_clean(); !ended) {
      log_.warn("ledger", {{"reason", ended.error().message}});
    }
  }
  if (shared_link_) shared_link_->stop();
  if (tokens_) tokens_->stop();
  if (status_tokens_) status_tokens_->stop();
  client_->stop(Steady::now());
  auth_client_->stop(Steady::now());
  log_.info("stopped", {{"clean", finished && !failed_}});
}

int Program::work() {
  std::random_device entropy;
  Random random((std::uint64_t{entropy()} << 32) ^ entropy());
  std::vector<Input> inputs;
  std::optional<Steady::time_point> stop_by;
  Steady::time_point status_at{};
  Steady::time_point wake = Steady::now();
  for (;;) {
    inbox_.take(inputs, ledger_host_->has_answers() ? Steady::time_point{} : wake);
    const Steady::time_point now = Steady::now();
    turned_at_ms_ = core_time(now).time_since_epoch().count();
    observe_inputs(inputs);
    ledger_host_->prepare(core_time(now), inputs);
    Commands commands;
    worker_.turn({.now = core_time(now), .wall = wall_now(), .random = random.next()}, inputs,
                 commands);
    const bool finished = commands.finished;
    wake = now + status_every;
    if (commands.wake_at) wake = std::min(wake, steady_time(*commands.wake_at));
    obey(now, commands);
    if (now >= status_at || finished) {
      status_at = now + status_every;
      publish_status(worker_.status());
    }
    if (stopping_ && !stop_by) stop_by = now + configuration_.shutdown_timeout;
    const bool late = stop_by && now >= *stop_by;
    if (!finished && !late) continue;
    if (late) {
      log_.error(
          "not everything in flight ended within shutdown.timeout_s; it is taken up again "
          "by whoever owns its partitions next");
    }
    stop_parts(finished);
    if (failed_) return refused_ ? 2 : 1;
    return finished ? 0 : 1;
  }
}

/// Kafka: to all workers. Else there is no other, and what outlives a restart goes into the file.
void Program::tell(const std::vector<SharedFact>& facts) {
  if (shared_link_) return shared_link_->publish(facts);
  for (const SharedFact& fact : facts) {
    const auto* brake = std::get_if<SharedBrake>(&fact);
    if (brake == nullptr || !ledger_.keep_brake) continue;
    if (const auto kept = ledger_.keep_brake(*brake); !kept) {
      log_.error("brake not kept",
                 {{"reason", kept.error().message + "; a restart would release this brake"}});
    }
  }
}

void Program::obey(Steady::time_point now, Commands& commands) {
  ledger_host_->obey(core_time(now), commands);
  if (!commands.facts.empty()) tell(commands.facts);
  for (const Notice& notice : commands.notices) tell(notice);
  if (commands.record) {
    note(*commands.record);
    parts_.recorder->record(std::move(*commands.record));
  }
  for (Submit& submit : commands.submissions) endpoint_->submit(std::move(submit));
  for (AskStatus& question : commands.questions) inquiry_->ask(std::move(question));
  const SourceOrders& orders = commands.source;
  if (!orders.pause.empty() || !orders.resume.empty() || !orders.release.empty() ||
      !orders.reread.empty()) {
    parts_.source->order(std::move(commands.source));
  }
}

}  // namespace helsekontakter::cli
