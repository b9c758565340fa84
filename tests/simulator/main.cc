#include "tests/simulator/config.h"
#include "tests/simulator/journal.h"
#include "tests/simulator/keys.h"
#include "tests/simulator/server.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#include <CLI/CLI.hpp>

namespace {

using namespace helsekontakter;             // NOLINT: this file is the program itself
using namespace helsekontakter::simulator;  // NOLINT

constexpr int fault_status = 1;
constexpr int usage_status = 2;
constexpr int mismatch_status = 3;

int complain(const Error& error) {
  std::cerr << error.message << '\n';
  return usage_status;
}

int run(const std::string& config_file, const std::string& ready_file) {
  auto config = read_config(config_file);
  if (!config) return complain(config.error());
  const std::string ca_file =
      config->ca_file.empty() ? "" : std::filesystem::absolute(config->ca_file).string();
  const bool log_refusals = config->log_refusals;
  auto server = Server::create(std::move(*config), [log_refusals](std::string_view line) {
    if (log_refusals) std::cerr << line << '\n';
  });
  if (!server) return complain(server.error());
  const std::string addresses = (*server)->addresses().json(ca_file);
  if (!ready_file.empty()) {
    // Written aside and renamed: whoever waits for the file never reads half of it.
    const std::string aside = ready_file + ".new";
    std::ofstream(aside) << addresses << '\n';
    std::error_code error;
    std::filesystem::rename(aside, ready_file, error);
    if (error) return complain({Remedy::stop, ready_file + ": " + error.message()});
  }
  std::cout << addresses << std::endl;
  (*server)->run(true);
  return 0;
}

int check_journal(const std::string& file, const std::string& expected, std::string key_file,
                  bool exact) {
  if (expected.empty()) {
    const auto summary = summarize(file);
    if (!summary) return complain(summary.error());
    std::cout << *summary << '\n';
    return 0;
  }
  if (key_file.empty()) key_file = file + ".key";
  const auto key = journal_key(key_file, false);
  if (!key) return complain(key.error());
  const auto compared = compare(file, *key, expected, exact);
  if (!compared) return complain(compared.error());
  std::cout << compared->json << '\n';
  return compared->agrees ? 0 : mismatch_status;
}

int make(const KeyWishes& wishes) {
  if (const auto made = make_keys(wishes); !made) return complain(made.error());
  const std::string directory = std::filesystem::absolute(wishes.directory).string();
  std::cout << "wrote ca.pem, server.pem, server-expired.pem, server-key.pem, client.jwk.json, "
               "client-public.jwk.json and simulator.yaml\n\n# for worker.yaml\n"
            << "auth: {client_id: " << wishes.client_id << ", jwk_file: " << directory
            << "/client.jwk.json, ca_file: " << directory << "/ca.pem, tenancy: " << wishes.tenancy
            << "}\napi: {ca_file: " << directory << "/ca.pem}\n";
  return 0;
}

int command(int argc, char** argv) {
  CLI::App app(
      "Plays HelseID and Helsekontakter: strict about what it is sent, unreliable on wish");
  app.require_subcommand(1);
  KeyWishes wishes;
  CLI::App* keys = app.add_subcommand("keys", "Make certificates, keys and an example config");
  keys->add_option("--out", wishes.directory, "Directory to write into")->required();
  keys->add_option("--alg", wishes.alg, "Of the client key: RS, PS or ES with 256, 384 or 512");
  keys->add_option("--tenancy", wishes.tenancy)->check(CLI::IsMember({"single", "multi"}));
  keys->add_option("--organization", wishes.organization, "Bound to a single-tenant client");
  keys->add_option("--client-id", wishes.client_id);
  keys->add_option("--name", wishes.host_names, "Host names and addresses of the certificate");
  std::string config;
  std::string ready;
  CLI::App* serve = app.add_subcommand("run", "Serve until SIGTERM");
  serve->add_option("--config", config, "YAML file")->required();
  serve->add_option("--ready-file", ready, "JSON with the actual addresses, once they listen");
  std::string file;
  std::string expected;
  std::string key_file;
  bool exact = false;
  bool summary = false;
  CLI::App* journal = app.add_subcommand("journal", "Read a journal");
  journal->add_option("--file", file)->required();
  CLI::Option* expect = journal->add_option("--expect", expected,
                                            "NDJSON {organization, member, version} to compare");
  journal->add_flag("--summary", summary, "Print totals")->excludes(expect);
  journal->add_option("--key-file", key_file, "HMAC key; default: the journal's name + .key");
  journal->add_flag("--exact", exact, "A member that nobody expected is a mismatch too");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& fault) {
    return app.exit(fault) == 0 ? 0 : usage_status;
  }
  if (keys->parsed()) return make(wishes);
  if (serve->parsed()) return run(config, ready);
  return check_journal(file, expected, key_file, exact);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return command(argc, argv);
  } catch (const std::exception& fault) {
    std::cerr << "ended by a fault: " << fault.what() << '\n';
    return fault_status;
  }
}
