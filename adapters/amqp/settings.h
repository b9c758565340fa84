#pragma once

#include "worker/domain/time.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace helsekontakter::amqp {

/// How to reach a broker: source.amqp.* and results.amqp.* share the shape. What stands here
/// decides how we say who we are: a user is SASL PLAIN, else a client certificate is EXTERNAL, else
/// it is ANONYMOUS, which a loopback address only may have. So may `amqp://`; else `amqps://`.
struct Connection {
  std::vector<std::string> urls;  ///< amqps://host:port, tried in turn
  std::string user;
  std::string password_file;
  std::string tls_ca_file;  ///< empty: the system's authorities
  std::string tls_certificate_file;
  std::string tls_key_file;
  /// Name in the open frame, checked against the server's certificate; empty: the url's host.
  std::string virtual_host;
  std::string container_id;           ///< shown by the broker; empty: a UUID
  Milliseconds idle_timeout{10'000};  ///< silence after which the connection counts as lost
  Milliseconds open_timeout{10'000};  ///< for connection and link, each
  Milliseconds pause_first{200};      ///< before the second attempt; full jitter
  Milliseconds pause_max{10'000};
};

struct SourceSettings {
  Connection connection;
  std::string address;  ///< /queue/NAME on RabbitMQ, the queue's name elsewhere
  /// Places that are granted and not filled, or filled and not in the inbox yet.
  std::size_t places_max = 1000;
  std::size_t bytes_max = 16'777'216;    ///< of those, by the mean size of what came
  std::size_t unsettled_max = 5'000;     ///< deliveries that the broker waits for
  std::size_t coming_back_max = 50'000;  ///< the same while deliveries come again
  /// What is concluded, though older ones are not: by RabbitMQ alone; others bear it at once.
  Milliseconds accept_within{1'000};
  /// The last owner of the queue is known to have ended cleanly (a ledger says so). Else what it
  /// left may still be executed, and the core waits for settle_time first.
  bool clean_start = false;
  Milliseconds detach_timeout{3000};  ///< for the broker to confirm that the queue is let go
  /// Tell the observer when the queue is drained: everything that came is settled, and the broker
  /// says that there is nothing more. AMQP does not say how long a queue is.
  bool drain = false;
  Milliseconds drain_ask_after{500};  ///< after the last message or settlement
  Milliseconds drain_quiet{30'000};   ///< likewise, where something may come back to the queue
  /// A broker that does not answer for so long never will: then the silence must do. One under load
  /// may take minutes over the settlements that come before the question.
  Milliseconds drain_unanswered{600'000};
};

/// How a result is packed, by the CloudEvents AMQP binding: as one JSON text, or as its data with
/// the attributes as application properties.
enum class EventMode : std::uint8_t { structured, binary };

struct RecordSettings {
  Connection connection;
  std::string address;
  std::string dead_letter_address;  ///< empty: none
  EventMode mode = EventMode::structured;
  /// A record that is not durable by then, with all its attempts, has failed.
  Milliseconds record_timeout{30'000};
  /// Results that are sent and not confirmed: Proton keeps each until then, and brokers grant more
  /// credit than there is memory.
  std::size_t unconfirmed_max = 2'000;
  Milliseconds retry_first{100};  ///< after a refused result
  Milliseconds retry_max{5000};
};

}  // namespace helsekontakter::amqp
