#include "adapters/kafka/client.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

namespace helsekontakter::kafka {
namespace {

void forward_log(const rd_kafka_t* handle, int level, const char* facility, const char* line) {
  const auto* observer = static_cast<const Observer*>(rd_kafka_opaque(handle));
  if (observer == nullptr || !observer->log) return;
  // The operator's properties are for consumers and producers alike, so some of them always belong
  // to the other kind; that is no news.
  if (std::string_view(facility) == "CONFWARN") return;
  observer->log(level, std::string(facility) + ": " + line);
}

}  // namespace

void run_detached(std::function<void()> work) {
  std::thread(std::move(work)).detach();
}

struct ErrandThread::Queue {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> waiting;
  bool over = false;
};

ErrandThread::ErrandThread() : queue_(std::make_shared<Queue>()) {
  run_detached([queue = queue_] {
    while (true) {
      std::function<void()> work;
      {
        std::unique_lock lock(queue->mutex);
        queue->changed.wait(lock, [&] { return queue->over || !queue->waiting.empty(); });
        if (queue->waiting.empty()) return;
        work = std::move(queue->waiting.front());
        queue->waiting.pop_front();
      }
      work();
    }
  });
}

ErrandThread::~ErrandThread() {
  {
    const std::lock_guard lock(queue_->mutex);
    queue_->over = true;
  }
  queue_->changed.notify_all();
}

void ErrandThread::run(std::function<void()> work) {
  {
    const std::lock_guard lock(queue_->mutex);
    queue_->waiting.push_back(std::move(work));
  }
  queue_->changed.notify_all();
}

Client::~Client() {
  // std::function wants copyable captures, and the observer must outlive the handle.
  auto observer = std::shared_ptr<Observer>(std::move(observer_));
  run_detached([handle = handle_, observer] {
    rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
  });
}

rd_kafka_resp_err_t assign_and_settle(rd_kafka_t* consumer,
                                      const rd_kafka_topic_partition_list_t* list) {
  const auto error = rd_kafka_assign(consumer, list);
  // The stops were sent to the client's main thread before assign returned, and their answers go to
  // the end of the same queue: after one question the stops are done, after two their answers.
  for (int i = 0; i < 2; ++i) {
    rd_kafka_topic_partition_list_t* assigned = nullptr;
    if (rd_kafka_assignment(consumer, &assigned) == RD_KAFKA_RESP_ERR_NO_ERROR) {
      rd_kafka_topic_partition_list_destroy(assigned);
    }
  }
  return error;
}

std::string without_counts(std::string_view words) {
  return std::string(words.substr(0, words.rfind(" (after ")));
}

Result<SharedClient> make_client(rd_kafka_type_t type, const Properties& properties, int events,
                                 const Observer& observer) {
  OwnedConf conf(rd_kafka_conf_new());
  char problem[512];
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), problem, sizeof problem) !=
        RD_KAFKA_CONF_OK) {
      return fail(Remedy::stop, "kafka.properties: librdkafka refuses " + name + ": " + problem);
    }
  }
  auto kept = std::make_unique<Observer>(observer);
  rd_kafka_conf_set_opaque(conf.get(), kept.get());
  rd_kafka_conf_set_log_cb(conf.get(), forward_log);
  rd_kafka_conf_set_events(conf.get(), events);
  rd_kafka_t* handle = rd_kafka_new(type, conf.get(), problem, sizeof problem);
  if (handle == nullptr) {
    return fail(Remedy::stop, std::string("librdkafka refuses the Kafka options: ") + problem);
  }
  static_cast<void>(conf.release());  // the client has taken it over
  return std::make_shared<Client>(handle, std::move(kept));
}

}  // namespace helsekontakter::kafka
