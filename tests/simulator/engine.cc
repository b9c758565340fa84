#include "tests/simulator/engine.h"

#include <algorithm>
#include <filesystem>

namespace helsekontakter::simulator {

Result<std::unique_ptr<Engine>> Engine::create(const Config& config, Log log) {
  auto clients = register_clients(config.clients);
  if (!clients) return tl::unexpected<Error>(clients.error());
  std::string key = random_octets(32);
  if (!config.journal_file.empty()) {
    const std::string key_file =
        config.journal_key_file.empty() ? config.journal_file + ".key" : config.journal_key_file;
    auto stored = journal_key(key_file, true);
    if (!stored) return tl::unexpected<Error>(stored.error());
    key = *stored;
  }
  const bool goes_on = !config.journal_file.empty() && std::filesystem::exists(config.journal_file);
  auto journal = Journal::open(config.journal_file);
  if (!journal) return tl::unexpected<Error>(journal.error());
  std::unique_ptr<Engine> engine(
      new Engine(config, std::move(*clients), std::move(*journal), key, std::move(log)));
  if (goes_on) {
    std::uint64_t sequence = 0;
    auto read = read_journal(config.journal_file, [&](const JournalLine& line) {
      engine->api_.remember(line);
      sequence = std::max(sequence, line.sequence);
    });
    if (!read) return tl::unexpected<Error>(read.error());
    engine->journal_.continue_after(sequence);
  }
  return engine;
}

Engine::Engine(const Config& config, ClientRegister clients, Journal journal,
               const std::string& key, Log log)
    : behaviour_(config.behaviour),
      dice_(config.behaviour.api.faults.seed),
      journal_(std::move(journal)),
      hash_(key),
      log_(std::move(log)),
      helseid_(std::move(clients), behaviour_, grants_, dice_, statistics_, log_),
      api_(behaviour_, grants_, dice_, statistics_, journal_, hash_, log_) {}

void Engine::flush() {
  if (!journal_.flush()) statistics_.set("journal.broken", 1);
}

Reply Engine::control(const HttpRequest& request) {
  flush();
  Reply reply;
  if (request.method == "GET" && request.target == "/control/statistics") {
    reply.body = statistics_.json() + "\n";
  } else if (request.method == "PUT" && request.target == "/control") {
    const std::uint64_t seed = behaviour_.api.faults.seed;
    if (const auto changed = change(behaviour_, request.body); !changed) {
      reply.status = 400;
      reply.content_type = "text/plain";
      reply.body = changed.error().message + "\n";
    } else {
      if (behaviour_.api.faults.seed != seed) dice_.reseed(behaviour_.api.faults.seed);
      reply.body = "{}\n";
    }
  } else {
    reply.status = 404;
    reply.content_type = "text/plain";
    reply.body = "PUT /control or GET /control/statistics\n";
  }
  return reply;
}

}  // namespace helsekontakter::simulator
