#include "adapters/amqp/trouble.h"

#include "adapters/json/plain_text.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <proton/error_condition.hpp>

namespace helsekontakter::amqp {
namespace {

struct Advice {
  std::string_view name;  ///< of the condition
  std::string_view text;
};

// Names: AMQP 1.0, 2.8.14 to 2.8.18, and Proton's own.
constexpr std::array<Advice, 11> link_advice{{
    {"amqp:not-found",
     "there is no such queue: create it, or correct the address (RabbitMQ: "
     "/queue/NAME or /amq/queue/NAME)"},
    {"amqp:unauthorized-access", "give this user the right to it"},
    {"amqp:not-allowed", "the broker's policy forbids it; look at its log"},
    {"amqp:access-refused", "give this user the right to it"},
    {"amqp:resource-deleted", "the queue was deleted; create it again"},
    {"amqp:resource-locked", "another consumer has it for itself; end that one first"},
    {"amqp:resource-limit-exceeded", "a limit of the broker is reached; look at its log"},
    {"amqp:invalid-field",
     "this is no address that the broker understands (RabbitMQ: /queue/NAME "
     "or /amq/queue/NAME)"},
    {"amqp:link:stolen", "another worker attached under the same name"},
    {"amqp:link:message-size-exceeded", "raise the broker's largest message size"},
    {"amqp:precondition-failed",
     "the queue exists with other properties than the address asks for "
     "(RabbitMQ: use /amq/queue/NAME for a queue made by somebody "
     "else)"},
}};
constexpr std::array<Advice, 5> connection_advice{{
    {"amqp:unauthorized-access",
     "the broker does not take the user, the password or the "
     "certificate: check user, password_file or tls_certificate_file"},
    {"amqp:connection:framing-error",
     "check tls_ca_file and that the port speaks AMQP 1.0 (with "
     "TLS for amqps://)"},
    {"amqp:resource-limit-exceeded",
     "the broker was silent for too long; the network or the "
     "broker is slow"},
    {"amqp:connection:forced",
     "the broker closes it, for a restart or by an operator; it is "
     "opened again"},
    {"proton:io", "check that the broker runs and that the url is right"},
}};

template <std::size_t count>
std::string_view advice_in(const std::array<Advice, count>& table, const std::string& name) {
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const Advice& advice) { return advice.name == name; });
  return found == table.end() ? std::string_view{} : found->text;
}

std::string_view advice_for(Level level, const std::string& name) {
  if (level == Level::connection) {
    if (const auto text = advice_in(connection_advice, name); !text.empty()) return text;
  }
  if (const auto text = advice_in(link_advice, name); !text.empty()) return text;
  return "look at the broker's log";
}

std::string what(Level level, const std::string& subject) {
  switch (level) {
    case Level::connection:
      return "the AMQP connection to " + subject;
    case Level::session:
      return "the AMQP session for " + subject;
    case Level::receiver:
      return "reading from " + subject;
    case Level::sender:
      return "writing to " + subject;
  }
  return subject;
}

}  // namespace

Error explain(Level level, const std::string& subject, const proton::error_condition& condition) {
  std::string said = condition.name();
  if (!condition.description().empty()) said += ": " + condition.description();
  said = json::shown(std::move(said));
  std::replace_if(
      said.begin(), said.end(), [](char c) { return static_cast<unsigned char>(c) < 32; }, ' ');
  if (said.empty()) said = "ended without a reason";
  return {Remedy::retry, what(level, subject) + ": " + said + "; " +
                             std::string(advice_for(level, condition.name()))};
}

}  // namespace helsekontakter::amqp
