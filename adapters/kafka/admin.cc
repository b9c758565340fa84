#include "adapters/kafka/admin.h"

#include "adapters/kafka/properties.h"
#include "worker/domain/national_id.h"

#include <charconv>
#include <string_view>
#include <utility>

namespace helsekontakter::kafka {
namespace {

using OwnedOptions = Owned<rd_kafka_AdminOptions_t, rd_kafka_AdminOptions_destroy>;
using OwnedResource = Owned<rd_kafka_ConfigResource_t, rd_kafka_ConfigResource_destroy>;
using OwnedNewTopic = Owned<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy>;

struct DestroyMetadata {
  void operator()(const rd_kafka_metadata_t* metadata) const {
    rd_kafka_metadata_destroy(metadata);
  }
};
using Metadata = std::unique_ptr<const rd_kafka_metadata_t, DestroyMetadata>;

tl::unexpected<Error> unanswered(const std::string& what, const char* words) {
  return fail(Remedy::retry, what + ": " + words +
                                 "; check kafka.brokers, the network and the rights of the user");
}

/// librdkafka's errors; warnings are about what it mended itself.
constexpr int level_error = 3;

/// Of all topics.
tl::expected<Metadata, rd_kafka_resp_err_t> read_metadata(rd_kafka_t* client,
                                                          Milliseconds timeout) {
  const rd_kafka_metadata_t* found = nullptr;
  const auto error =
      rd_kafka_metadata(client, 1, nullptr, &found, static_cast<int>(timeout.count()));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return tl::unexpected(error);
  return Metadata(found);
}

OwnedOptions options_for(rd_kafka_t* client, rd_kafka_admin_op_t what, Milliseconds timeout) {
  OwnedOptions options(rd_kafka_AdminOptions_new(client, what));
  char problem[256];
  const int wait = static_cast<int>(timeout.count());
  rd_kafka_AdminOptions_set_request_timeout(options.get(), wait, problem, sizeof problem);
  return options;
}

std::int64_t number(std::string_view text, std::int64_t otherwise) {
  std::int64_t value = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void read_option(std::string_view name, std::string_view value, TopicDescription& description) {
  if (name == "cleanup.policy") description.cleanup_policy = value;
  if (name == "max.message.bytes") {
    description.message_bytes_max = static_cast<std::size_t>(number(value, 1'048'588));
  }
  if (name == "retention.bytes") description.is_bounded_by_size = number(value, -1) >= 0;
  if (name == "retention.ms") {
    const std::int64_t retention = number(value, -1);
    if (retention >= 0) description.retention = Milliseconds{retention};
  }
}

}  // namespace

Result<Admin> Admin::connect(const Connection& connection, const std::string& password,
                             const Observer& observer) {
  const auto complaint = std::make_shared<Complaint>();
  Observer heard = observer;
  heard.log = [complaint, log = observer.log](int level, std::string_view line) {
    if (level <= level_error) complaint->hear(line);
    if (log) log(level, line);
  };
  auto client =
      make_client(RD_KAFKA_PRODUCER, connection_properties(connection, password), 0, heard);
  if (!client) return tl::unexpected(client.error());
  return Admin(std::move(*client), complaint);
}

tl::unexpected<Error> Admin::unheard(const std::string& what, const char* words) const {
  auto error = unanswered(what, words);
  if (const auto text = complaint_->text(); !text.empty()) {
    error.value().message += complaint_mark + text;
  }
  error.value().message = scrub_national_ids(std::move(error.value().message));
  return error;
}

Result<std::string> Admin::cluster(Milliseconds timeout) const {
  char* id = rd_kafka_clusterid(client_->get(), static_cast<int>(timeout.count()));
  if (id == nullptr) return unheard("the cluster does not say which one it is", "no answer");
  std::string text = id;
  rd_kafka_mem_free(client_->get(), id);
  return text;
}

Result<std::vector<std::string>> Admin::list_topics(Milliseconds timeout) const {
  const auto metadata = read_metadata(client_->get(), timeout);
  if (!metadata) return unheard("the topics cannot be listed", rd_kafka_err2str(metadata.error()));
  std::vector<std::string> topics;
  for (int i = 0; i < (*metadata)->topic_cnt; ++i) {
    topics.emplace_back((*metadata)->topics[i].topic);
  }
  return topics;
}

Result<std::optional<TopicDescription>> Admin::describe(const std::string& topic,
                                                        Milliseconds timeout) const {
  // All topics are listed, because asking for one that does not exist may create it.
  const auto metadata = read_metadata(client_->get(), timeout);
  if (!metadata) return unheard("the topics cannot be listed", rd_kafka_err2str(metadata.error()));
  for (int i = 0; i < (*metadata)->topic_cnt; ++i) {
    const rd_kafka_metadata_topic_t& found = (*metadata)->topics[i];
    if (topic != found.topic) continue;
    if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return unanswered("topic " + topic, rd_kafka_err2str(found.err));
    }
    TopicDescription description{.partitions = found.partition_cnt};
    if (auto read = read_options(topic, description, timeout); !read) {
      return tl::unexpected(read.error());
    }
    return std::optional(std::move(description));
  }
  return std::optional<TopicDescription>{};
}

Result<void> Admin::read_options(const std::string& topic, TopicDescription& description,
                                 Milliseconds timeout) const {
  const auto options = options_for(client_->get(), RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout);
  const OwnedResource resource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  const OwnedQueue queue(rd_kafka_queue_new(client_->get()));
  rd_kafka_ConfigResource_t* resources[] = {resource.get()};
  rd_kafka_DescribeConfigs(client_->get(), resources, 1, options.get(), queue.get());
  const OwnedEvent event(
      rd_kafka_queue_poll(queue.get(), static_cast<int>(timeout.count()) + 1000));
  const std::string what = "the options of topic " + topic + " cannot be read";
  if (!event) return unheard(what, "no answer");
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return unanswered(what, rd_kafka_event_error_string(event.get()));
  }
  std::size_t answers = 0;
  const auto* described = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(event.get()), &answers);
  for (std::size_t i = 0; i < answers; ++i) {
    if (rd_kafka_ConfigResource_error(described[i]) != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return unanswered(what, rd_kafka_ConfigResource_error_string(described[i]));
    }
    std::size_t count = 0;
    const auto* entries = rd_kafka_ConfigResource_configs(described[i], &count);
    for (std::size_t entry = 0; entry < count; ++entry) {
      const char* value = rd_kafka_ConfigEntry_value(entries[entry]);
      if (value == nullptr) continue;
      read_option(rd_kafka_ConfigEntry_name(entries[entry]), value, description);
    }
  }
  return {};
}

Result<void> Admin::create(const NewTopic& topic, Milliseconds timeout) const {
  char problem[256];
  const OwnedNewTopic wanted(rd_kafka_NewTopic_new(topic.name.c_str(), topic.partitions,
                                                   topic.replication, problem, sizeof problem));
  if (!wanted) return fail(Remedy::stop, "topic " + topic.name + ": " + problem);
  for (const auto& [name, value] : topic.options) {
    rd_kafka_NewTopic_set_config(wanted.get(), name.c_str(), value.c_str());
  }
  const auto options = options_for(client_->get(), RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout);
  const OwnedQueue queue(rd_kafka_queue_new(client_->get()));
  rd_kafka_NewTopic_t* topics[] = {wanted.get()};
  rd_kafka_CreateTopics(client_->get(), topics, 1, options.get(), queue.get());
  const OwnedEvent event(
      rd_kafka_queue_poll(queue.get(), static_cast<int>(timeout.count()) + 1000));
  const std::string what = "topic " + topic.name + " cannot be created";
  if (!event) return unheard(what, "no answer");
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return unanswered(what, rd_kafka_event_error_string(event.get()));
  }
  std::size_t count = 0;
  const auto* answers =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto error = rd_kafka_topic_result_error(answers[i]);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    const char* words = rd_kafka_topic_result_error_string(answers[i]);
    if (error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
      return fail(Remedy::reject, "topic " + topic.name + " exists already");
    }
    return unanswered(what, words == nullptr ? rd_kafka_err2str(error) : words);
  }
  return {};
}

}  // namespace helsekontakter::kafka
