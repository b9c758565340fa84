#include "adapters/cli/probe_amqp.h"

#include "adapters/amqp/probe.h"
#include "adapters/crypto/secret_file.h"

namespace helsekontakter::cli {
namespace {

Result<void> ask(const amqp::Connection& connection, crypto::ModeCheck mode_check,
                 const std::string& section, const amqp::Question& question) {
  const auto password = crypto::read_password(connection.password_file, mode_check);
  if (!password) return tl::unexpected(password.error());
  auto asked = amqp::probe(connection, *password, question);
  if (!asked) asked.error().message += " (" + section + ")";
  return asked;
}

/// RabbitMQ makes what is addressed so; then a name with a typing error is no fault.
std::string note_of(const std::string& address) {
  if (!address.starts_with("/queue/")) return {};
  return "; RabbitMQ makes a /queue/ that is missing, /amq/queue/ names one that must be there";
}

}  // namespace

Result<std::string> AmqpProbe::input() const {
  const amqp::SourceSettings& source = configuration_.amqp_source;
  const auto asked = ask(source.connection, configuration_.mode_check, "source.amqp",
                         {.read = {source.address}, .write = {}});
  if (!asked) return tl::unexpected(asked.error());
  return source.address + " is there and may be read" + note_of(source.address);
}

Result<std::string> AmqpProbe::output() const {
  const amqp::RecordSettings& results = configuration_.amqp_results;
  amqp::Question question{.read = {}, .write = {results.address}};
  if (!results.dead_letter_address.empty()) question.write.push_back(results.dead_letter_address);
  const auto asked = ask(results.connection, configuration_.mode_check, "results.amqp", question);
  if (!asked) return tl::unexpected(asked.error());
  std::string found = results.address + " takes results";
  if (!results.dead_letter_address.empty()) {
    found += ", " + results.dead_letter_address + " dead letters";
  }
  return found + note_of(results.address);
}

}  // namespace helsekontakter::cli
