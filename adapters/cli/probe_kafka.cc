#include "adapters/cli/probe_kafka.h"

#include "adapters/crypto/secret_file.h"
#include "adapters/kafka/ledger_topic.h"
#include "adapters/kafka/shared_topic_reader.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace helsekontakter::cli {
namespace {

using Steady = std::chrono::steady_clock;

/// Of each question to the broker. A first connection with TLS and SASL takes less than a second.
constexpr Milliseconds answer_within{10'000};

/// A topic is known to the controller before every broker shows it.
constexpr Milliseconds seen_within{10'000};
constexpr Milliseconds seen_again_after{100};

/// What a broker's default allows of a message, and what a dead letter may be larger than the
/// event that it copies: its error header, never growing, has less.
constexpr std::size_t default_bytes_max = 1'048'588;
constexpr std::size_t dead_letter_growth = 65'536;

/// Dead letters hold identity numbers, so they do not stay for ever by accident.
constexpr std::chrono::days dead_letters_kept{14};

std::string bytes(std::size_t count) {
  return std::to_string(count) + " bytes";
}

std::string kept(const std::optional<Milliseconds>& retention) {
  if (!retention) return "kept for ever";
  const auto hours = std::chrono::duration_cast<std::chrono::hours>(*retention).count();
  if (hours >= 48) return "kept " + std::to_string(hours / 24) + " days";
  if (hours >= 1) return "kept " + std::to_string(hours) + " h";
  return "kept " + std::to_string(retention->count()) + " ms";
}

std::string described(const kafka::TopicDescription& topic) {
  return std::to_string(topic.partitions) +
         (topic.partitions == 1 ? " partition, " : " partitions, ") + topic.cleanup_policy + ", " +
         kept(topic.retention) + ", messages up to " + bytes(topic.message_bytes_max);
}

}  // namespace

BrokerProbe::BrokerProbe(const kafka::Connection& connection, crypto::ModeCheck mode_check,
                         std::string section)
    : connection_(connection), mode_check_(mode_check), section_(std::move(section)) {}

Result<const kafka::Admin*> BrokerProbe::admin() {
  if (admin_) return &*admin_;
  const auto password = crypto::read_password(connection_.password_file, mode_check_);
  if (!password) return tl::unexpected(password.error());
  auto admin = kafka::Admin::connect(connection_, *password, {});
  if (!admin) return tl::unexpected(admin.error());
  admin_.emplace(std::move(*admin));
  return &*admin_;
}

tl::unexpected<Error> BrokerProbe::explain(const Error& error) const {
  return fail(error.remedy, error.message + ". Look at " + section_ +
                                ".brokers, for TLS at its tls_ca_file "
                                "and tls_certificate_file, for SASL at its user and "
                                "password_file");
}

Result<std::string> BrokerProbe::cluster() {
  const auto client = admin();
  if (!client) return tl::unexpected(client.error());
  // Listing needs an authenticated connection, the id alone may come from an earlier answer.
  const auto topics = (*client)->list_topics(answer_within);
  if (!topics) return explain(topics.error());
  auto id = (*client)->cluster(answer_within);
  if (!id) return explain(id.error());
  return id;
}

Result<std::optional<kafka::TopicDescription>> BrokerProbe::describe(const std::string& topic) {
  const auto client = admin();
  if (!client) return tl::unexpected(client.error());
  auto found = (*client)->describe(topic, answer_within);
  if (!found) return explain(found.error());
  return found;
}

Result<kafka::TopicDescription> BrokerProbe::create(const kafka::NewTopic& topic) {
  const auto client = admin();
  if (!client) return tl::unexpected(client.error());
  const auto made = (*client)->create(topic, answer_within);
  if (!made && made.error().remedy != Remedy::reject) return explain(made.error());
  for (const auto deadline = Steady::now() + seen_within; Steady::now() < deadline;) {
    const auto found = describe(topic.name);
    if (found && *found) return **found;
    std::this_thread::sleep_for(seen_again_after);
  }
  return fail(Remedy::retry,
              "topic " + topic.name + " was made, but the broker does not show it yet; ask again");
}

/// What is to be said of the topics, and whether something is wrong.
struct TopicsProbe::Findings {
  std::string text;
  bool failed = false;

  void say(const std::string& sentence) { text += (text.empty() ? "" : "; ") + sentence; }
  void complain(const std::string& sentence) {
    failed = true;
    say(sentence);
  }
};

kafka::NewTopic TopicsProbe::input() const {
  kafka::NewTopic topic{.name = configuration_.source.topic, .partitions = options_.partitions};
  topic.options["cleanup.policy"] = "delete";
  if (configuration_.source.event_bytes_max >= default_bytes_max) {
    // The broker counts a message's frame and headers too.
    topic.options["max.message.bytes"] =
        std::to_string(configuration_.source.event_bytes_max + dead_letter_growth);
  }
  return topic;
}

kafka::NewTopic TopicsProbe::results(std::int32_t partitions) const {
  return {.name = configuration_.record.topic,
          .partitions = partitions,
          .options = {{"cleanup.policy", "delete"}}};
}

kafka::NewTopic TopicsProbe::dead_letters(std::int32_t partitions, std::size_t bytes_max) const {
  return {.name = configuration_.record.dead_letter_topic,
          .partitions = partitions,
          .options = {{"cleanup.policy", "delete"},
                      {"max.message.bytes", std::to_string(bytes_max + dead_letter_growth)},
                      {"retention.ms", std::to_string(Milliseconds(dead_letters_kept).count())}}};
}

std::optional<kafka::TopicDescription> TopicsProbe::find(BrokerProbe& broker,
                                                         const kafka::NewTopic& wanted,
                                                         const std::string& option, bool create,
                                                         Findings& findings) {
  const std::string name = wanted.name + " (" + option + ")";
  const auto found = broker.describe(wanted.name);
  if (!found) {
    findings.complain(name + ": " + found.error().message);
    return std::nullopt;
  }
  if (*found) {
    findings.say(name + ": " + described(**found));
    return **found;
  }
  if (!create) {
    findings.complain(name + " does not exist; correct the name, or make it with --create");
    return std::nullopt;
  }
  const auto made = broker.create(wanted);
  if (!made) {
    findings.complain(name + " is missing: " + made.error().message);
    return std::nullopt;
  }
  findings.say(name + " was made: " + described(*made));
  return *made;
}

void TopicsProbe::ask_ledger(std::int32_t partitions, bool create, Findings& findings) {
  const config::LedgerSettings& ledger = configuration_.ledger;
  const kafka::NewTopic entries{.name = ledger.kafka_topic,
                                .partitions = partitions,
                                .options = kafka::ledger_topic_options()};
  if (const auto found = find(source_, entries, "ledger.kafka.topic", create, findings)) {
    const auto fit = kafka::check_ledger_topic(entries.name, found, partitions);
    if (!fit) findings.complain(fit.error().message);
  }
  const kafka::NewTopic shared{.name = ledger.kafka_shared_topic,
                               .partitions = 1,
                               .options = {{"cleanup.policy", "compact"}}};
  if (const auto found = find(source_, shared, "ledger.kafka.shared_topic", create, findings)) {
    const auto fit = kafka::check_shared_topic(shared.name, found);
    if (!fit) findings.complain(fit.error().message);
  }
}

Result<std::string> TopicsProbe::ask(bool create) {
  Findings findings;
  std::optional<kafka::TopicDescription> in;
  const bool reads = configuration_.source_technology == config::Technology::kafka;
  if (reads) in = find(source_, input(), "source.kafka.topic", create, findings);
  if (configuration_.results_technology == config::Technology::kafka) {
    ask_results(in, create && (in || !reads), findings);
  }
  if (!configuration_.ledger.is_sqlite) {
    ask_ledger(in ? in->partitions : options_.partitions, create && in, findings);
  }
  if (findings.failed) return fail(Remedy::stop, std::move(findings.text));
  return std::move(findings.text);
}

void TopicsProbe::ask_results(const std::optional<kafka::TopicDescription>& in, bool create,
                              Findings& findings) {
  const std::int32_t partitions = in ? in->partitions : options_.partitions;
  const auto out = find(results_, results(partitions), "results.kafka.topic", create, findings);
  if (out && out->cleanup_policy.find("compact") != std::string::npos) {
    findings.complain(configuration_.record.topic +
                      " is compacted, so all but the newest result of a key would be forgotten; "
                      "set its cleanup.policy to delete");
  }
  if (configuration_.record.dead_letter_topic.empty()) return;
  const std::size_t bytes_max = in ? in->message_bytes_max : default_bytes_max;
  const auto letters = find(results_, dead_letters(partitions, bytes_max),
                            "results.kafka.dead_letter_topic", create, findings);
  if (letters && letters->message_bytes_max < bytes_max) {
    findings.say("a dead letter larger than " + bytes(letters->message_bytes_max) +
                 " becomes a reference to its event");
  }
}

}  // namespace helsekontakter::cli
