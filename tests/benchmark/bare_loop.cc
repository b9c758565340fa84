// The least that a program can do with these events: consume them, POST 500 payloads at a time,
// produce one small result for each. It decodes nothing and keeps no promise; what the worker
// costs beyond it is what its promises cost. One thread, besides librdkafka's own.
//
//   bare_loop BROKERS TOPIC RESULTS EVENTS PORT PATH [LEDGER]
//
// The endpoint is 127.0.0.1:PORT, http. With LEDGER, a topic, it writes what the worker writes: for
// each event a result as long and as compressible as the worker's, its header included, and a
// ledger record, in transactions with the offsets. That is the floor under the worker's design.

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <librdkafka/rdkafka.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t batch_entries = 500;
constexpr std::size_t transaction_events = 3'000;  // about as many as the worker's
constexpr int transaction_ms = 30'000;
constexpr std::chrono::minutes patience{5};

rd_kafka_t* make_client(rd_kafka_type_t type,
                        const std::vector<std::pair<std::string, std::string>>& properties) {
  char problem[512] = {};
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), problem, sizeof problem) !=
        RD_KAFKA_CONF_OK) {
      throw std::runtime_error(problem);
    }
  }
  rd_kafka_t* client = rd_kafka_new(type, conf, problem, sizeof problem);
  if (client == nullptr) throw std::runtime_error(problem);
  return client;
}

/// One kept connection to the endpoint; every call blocks, two minutes at most.
class Connection {
 public:
  Connection(std::uint16_t port, std::string path) : port_(port), path_(std::move(path)) {}
  ~Connection() { close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void post(const std::string& body) {
    if (socket_ < 0) open();
    const std::string head = "POST " + path_ +
                             " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port_) +
                             "\r\nContent-Type: application/fhir+json" +
                             "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    write(head);
    write(body);
    read_answer();
  }

 private:
  void open() {
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    const timeval two_minutes{.tv_sec = 120, .tv_usec = 0};
    const int on = 1;
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &two_minutes, sizeof two_minutes);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &two_minutes, sizeof two_minutes);
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in peer{};
    peer.sin_family = AF_INET;
    peer.sin_port = htons(port_);
    peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) != 0) {
      throw std::runtime_error(std::string("connecting: ") + std::strerror(errno));
    }
  }

  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }

  void write(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t written = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (written <= 0) throw std::runtime_error(std::string("writing: ") + std::strerror(errno));
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  void read_answer() {
    answer_.clear();
    std::size_t whole = std::string::npos;
    while (answer_.size() < whole) {
      char part[65'536];
      const ssize_t got = ::recv(socket_, part, sizeof part, 0);
      if (got <= 0) throw std::runtime_error("the endpoint closed the connection");
      answer_.append(part, static_cast<std::size_t>(got));
      const std::size_t end = answer_.find("\r\n\r\n");
      if (whole == std::string::npos && end != std::string::npos) whole = end + 4 + length();
    }
    if (answer_.find("Connection: close") < answer_.find("\r\n\r\n")) close();
  }

  [[nodiscard]] std::size_t length() const {
    constexpr std::string_view name = "Content-Length: ";
    const std::size_t at = answer_.find(name);
    std::size_t bytes = 0;
    if (at != std::string::npos) {
      std::from_chars(answer_.data() + at + name.size(), answer_.data() + answer_.size(), bytes);
    }
    return bytes;
  }

  const std::uint16_t port_;
  const std::string path_;
  int socket_ = -1;
  std::string answer_;
};

/// One small result for each event, as fast as librdkafka takes them.
class Writer {
 public:
  Writer(const std::string& results, rd_kafka_t* producer)
      : producer_(producer), results_(rd_kafka_topic_new(producer_, results.c_str(), nullptr)) {}
  Writer(const std::string& brokers, const std::string& results)
      : Writer(results, make_client(RD_KAFKA_PRODUCER, {{"bootstrap.servers", brokers},
                                                        {"linger.ms", "10"},
                                                        {"delivery.report.only.error", "true"}})) {}
  virtual ~Writer() {
    rd_kafka_flush(producer_, 60'000);
    rd_kafka_topic_destroy(results_);
    rd_kafka_destroy(producer_);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  virtual void write(const rd_kafka_message_t& message) {
    char result[96];
    const int size = std::snprintf(result, sizeof result,
                                   R"({"partition":%d,"offset":%lld,"verdict":"accepted"})",
                                   message.partition, static_cast<long long>(message.offset));
    while (rd_kafka_produce(results_, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, result,
                            static_cast<std::size_t>(size), message.key, message.key_len,
                            nullptr) != 0) {
      wait_for_room(rd_kafka_last_error());
    }
  }
  /// A batch is written.
  virtual void end_batch(rd_kafka_t*) { rd_kafka_poll(producer_, 0); }
  /// The last one is.
  virtual void end(rd_kafka_t*) {}

 protected:
  void wait_for_room(rd_kafka_resp_err_t error) {
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) throw std::runtime_error(rd_kafka_err2str(error));
    rd_kafka_poll(producer_, 10);
  }

  rd_kafka_t* producer_;
  rd_kafka_topic_t* results_;
};

/// What the worker writes of each event, in transactions.
class LedgerWriter : public Writer {
 public:
  LedgerWriter(const std::string& brokers, const std::string& results, const std::string& ledger)
      : Writer(results, make_client(RD_KAFKA_PRODUCER, {{"bootstrap.servers", brokers},
                                                        {"transactional.id", results},
                                                        {"compression.codec", "lz4"},
                                                        {"linger.ms", "10"},
                                                        {"retry.backoff.ms", "20"},
                                                        {"batch.num.messages", "10000"}})),
        ledger_(rd_kafka_topic_new(producer_, ledger.c_str(), nullptr)) {
    check(rd_kafka_init_transactions(producer_, transaction_ms));
    check(rd_kafka_begin_transaction(producer_));
  }
  ~LedgerWriter() override { rd_kafka_topic_destroy(ledger_); }

  void write(const rd_kafka_message_t& message) override {
    const std::string_view event(static_cast<const char*>(message.payload), message.len);
    const std::string_view key(static_cast<const char*>(message.key), message.key_len);
    const std::string id(event.substr(event.find(R"("id":")") + 6, uuid_length));
    const std::string twin(id.rbegin(), id.rend());
    char result[1024];
    const int size = std::snprintf(result, sizeof result, result_form, twin.c_str(),
                                   static_cast<int>(key.size()), key.data(), id.c_str(),
                                   static_cast<int>(key.size()), key.data(), message.partition,
                                   static_cast<long long>(message.offset));
    write_result(key, {result, static_cast<std::size_t>(size)});
    write_ledger(message.partition, id);
    ++events_;
  }

  void end_batch(rd_kafka_t* consumer) override {
    if (events_ < transaction_events) return;
    events_ = 0;
    end(consumer);
    check(rd_kafka_begin_transaction(producer_));
  }

  void end(rd_kafka_t* consumer) override {
    rd_kafka_topic_partition_list_t* offsets = nullptr;
    rd_kafka_assignment(consumer, &offsets);
    rd_kafka_position(consumer, offsets);
    rd_kafka_consumer_group_metadata_t* group = rd_kafka_consumer_group_metadata(consumer);
    check(rd_kafka_send_offsets_to_transaction(producer_, offsets, group, transaction_ms));
    rd_kafka_consumer_group_metadata_destroy(group);
    rd_kafka_topic_partition_list_destroy(offsets);
    check(rd_kafka_commit_transaction(producer_, transaction_ms));
  }

 private:
  static constexpr std::size_t uuid_length = 36;
  static constexpr std::size_t ledger_key_length = 16;
  static constexpr std::size_t ledger_value_length = 51;
  static constexpr const char* result_form =
      R"({"specversion":"1.0","id":"%s","source":"/helsekontakter",)"
      R"("type":"no.helsekontakter.result.v1","datacontenttype":"application/json",)"
      R"("time":"2026-01-01T00:00:00Z","subject":"%.*s","data":{"event":{"id":"%s",)"
      R"("source":"/feed","type":"no.helsekontakter.membership.changed.v1",)"
      R"("subject":"%.*s"},"organization":"910950290","version":1,"verdict":"accepted",)"
      R"("terminal":true,"action":"none","attempt":1,"batch":{)"
      R"("id":"b4e08d3d-4637-4e35-954e-36551d6ae912","entries":500},"httpStatus":200,)"
      R"("submittedAt":"2026-01-01T00:00:00Z","answeredAt":"2026-01-01T00:00:00Z",)"
      R"("origin":{"topic":"changes","partition":%d,"offset":%lld},"environment":"custom"}})";

  static void check(rd_kafka_error_t* error) {
    if (error != nullptr) throw std::runtime_error(rd_kafka_error_string(error));
  }

  void write_result(std::string_view key, std::string_view result) {
    rd_kafka_headers_t* headers = rd_kafka_headers_new(1);
    rd_kafka_header_add(headers, "content-type", -1, "application/cloudevents+json", -1);
    while (true) {
      const auto error = rd_kafka_producev(
          producer_, RD_KAFKA_V_RKT(results_), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
          RD_KAFKA_V_VALUE(const_cast<char*>(result.data()), result.size()),
          RD_KAFKA_V_KEY(key.data(), key.size()), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return;
      wait_for_room(error);
    }
  }

  /// Bytes that compress as badly as hashes.
  void write_ledger(std::int32_t partition, const std::string& id) {
    std::string value(ledger_value_length, '\0');
    std::uint64_t state = std::hash<std::string>{}(id);
    for (std::size_t i = ledger_value_length - 32; i < value.size(); ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      value[i] = static_cast<char>(state >> 56);
    }
    while (rd_kafka_produce(ledger_, partition, RD_KAFKA_MSG_F_COPY, value.data(), value.size(),
                            value.data() + value.size() - ledger_key_length, ledger_key_length,
                            nullptr) != 0) {
      wait_for_room(rd_kafka_last_error());
    }
  }

  rd_kafka_topic_t* ledger_;
  std::size_t events_ = 0;  ///< of this transaction
};

class Loop {
 public:
  Loop(const std::string& brokers, const std::string& topic, const std::string& results,
       Connection& endpoint, Writer& writer)
      : consumer_(make_client(RD_KAFKA_CONSUMER, {{"bootstrap.servers", brokers},
                                                  {"group.id", "bare-loop-" + results},
                                                  {"auto.offset.reset", "earliest"},
                                                  {"fetch.error.backoff.ms", "10"},
                                                  {"queued.max.messages.kbytes", "8192"}})),
        endpoint_(endpoint),
        writer_(writer),
        messages_(batch_entries) {
    rd_kafka_poll_set_consumer(consumer_);
    rd_kafka_topic_partition_list_t* topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, topic.c_str(), RD_KAFKA_PARTITION_UA);
    rd_kafka_subscribe(consumer_, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    queue_ = rd_kafka_queue_get_consumer(consumer_);
  }
  ~Loop() {
    rd_kafka_queue_destroy(queue_);
    rd_kafka_consumer_close(consumer_);
    rd_kafka_destroy(consumer_);
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run(std::size_t events) {
    const auto deadline = Clock::now() + patience;
    for (std::size_t done = 0; done < events;) {
      if (Clock::now() > deadline) throw std::runtime_error("the events do not come");
      const ssize_t count =
          rd_kafka_consume_batch_queue(queue_, 1000, messages_.data(), messages_.size());
      if (count <= 0) continue;
      if (done == 0) begun_ = Clock::now();
      done += submit(static_cast<std::size_t>(count));
    }
    writer_.end(consumer_);
  }

  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(Clock::now() - begun_).count();
  }

 private:
  std::size_t submit(std::size_t count) {
    body_.clear();
    std::size_t events = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (messages_[i]->err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      body_.append(static_cast<const char*>(messages_[i]->payload), messages_[i]->len);
      ++events;
    }
    if (events > 0) endpoint_.post(body_);
    for (std::size_t i = 0; i < count; ++i) {
      if (messages_[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR) writer_.write(*messages_[i]);
      rd_kafka_message_destroy(messages_[i]);
    }
    writer_.end_batch(consumer_);
    return events;
  }

  rd_kafka_t* consumer_;
  Connection& endpoint_;
  Writer& writer_;
  rd_kafka_queue_t* queue_ = nullptr;
  std::vector<rd_kafka_message_t*> messages_;
  std::string body_;
  Clock::time_point begun_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7 && argc != 8) {
    std::fputs("bare_loop BROKERS TOPIC RESULTS EVENTS PORT PATH [LEDGER]\n", stderr);
    return 2;
  }
  try {
    Connection endpoint(static_cast<std::uint16_t>(std::atoi(argv[5])), argv[6]);
    double seconds = 0;
    {
      const std::unique_ptr<Writer> writer =
          argc == 8 ? std::make_unique<LedgerWriter>(argv[1], argv[3], argv[7])
                    : std::make_unique<Writer>(argv[1], argv[3]);
      Loop loop(argv[1], argv[2], argv[3], endpoint, *writer);
      loop.run(std::strtoull(argv[4], nullptr, 10));
      seconds = loop.seconds();
    }
    std::printf("%.3f\n", seconds);
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bare_loop: %s\n", e.what());
    return 1;
  }
}
