#pragma once

#include "adapters/kafka/client.h"
#include "adapters/kafka/complaint.h"
#include "adapters/kafka/settings.h"
#include "worker/domain/result.h"
#include "worker/domain/time.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace helsekontakter::kafka {

struct TopicDescription {
  std::int32_t partitions = 0;
  std::string cleanup_policy;                 ///< as the broker says it: "compact", "delete"
  std::size_t message_bytes_max = 1'048'588;  ///< max.message.bytes
  std::optional<Milliseconds> retention;      ///< none: for ever
  bool is_bounded_by_size = false;            ///< retention.bytes: old records may go at any time
};

struct NewTopic {
  std::string name;
  std::int32_t partitions = 1;
  std::int32_t replication = -1;               ///< -1: the broker's default
  std::map<std::string, std::string> options;  ///< cleanup.policy and the like
};

/// In an error: what follows are librdkafka's own words, which may be others the next time.
inline constexpr const char* complaint_mark = ". librdkafka: ";

/// Asks and makes topics, for `check --connect [--create]` and for what the recorder must know.
/// Each call blocks its caller, at most for the time it is given. One that fails says "timed out"
/// or "transport failure", librdkafka's log says why: so its complaint is kept and told along.
class Admin {
 public:
  [[nodiscard]] static Result<Admin> connect(const Connection& connection,
                                             const std::string& password, const Observer& observer);

  /// Which cluster it is, whatever listener was asked.
  [[nodiscard]] Result<std::string> cluster(Milliseconds timeout) const;
  [[nodiscard]] Result<std::vector<std::string>> list_topics(Milliseconds timeout) const;
  /// Nothing when there is no such topic.
  [[nodiscard]] Result<std::optional<TopicDescription>> describe(const std::string& topic,
                                                                 Milliseconds timeout) const;
  /// A topic that exists already is an error with Remedy::reject.
  [[nodiscard]] Result<void> create(const NewTopic& topic, Milliseconds timeout) const;

 private:
  Admin(SharedClient client, std::shared_ptr<Complaint> complaint)
      : client_(std::move(client)), complaint_(std::move(complaint)) {}
  [[nodiscard]] tl::unexpected<Error> unheard(const std::string& what, const char* words) const;
  [[nodiscard]] Result<void> read_options(const std::string& topic, TopicDescription& description,
                                          Milliseconds timeout) const;

  SharedClient client_;
  std::shared_ptr<Complaint> complaint_;  ///< the client's threads may outlive this
};

}  // namespace helsekontakter::kafka
