// Sends records to a topic and reads them back, byte for byte, for the tests beside it. A line is a
// record: partition, key, value, headers, and when read the offset; separated by blanks, bytes in
// hexadecimal digits, `-` for a null. Headers are name=bytes, separated by commas.
//
//   kafka_records send BROKERS TOPIC < lines        prints "partition offset" of each, in order
//   kafka_records read BROKERS TOPIC                what a read_committed consumer sees now
//   kafka_records make BROKERS TOPIC PARTITIONS [NAME=VALUE]…

#include "adapters/kafka/admin.h"

#include <chrono>
#include <exception>
#include <iostream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace helsekontakter;         // NOLINT: this file is the program itself
using namespace helsekontakter::kafka;  // NOLINT

constexpr Milliseconds answer_within{20'000};
constexpr int poll_ms = 100;

using Bytes = std::optional<std::string>;

struct Line {
  std::int32_t partition = 0;
  Bytes key;
  Bytes value;
  std::vector<std::pair<std::string, Bytes>> headers;
};

Bytes from_hex(const std::string& text) {
  if (text == "-") return std::nullopt;
  if (text == ".") return std::string();
  std::string bytes;
  for (std::size_t at = 0; at + 1 < text.size(); at += 2) {
    bytes += static_cast<char>(std::stoi(text.substr(at, 2), nullptr, 16));
  }
  return bytes;
}

std::string to_hex(const void* data, std::size_t size) {
  if (data == nullptr) return "-";
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char c : std::string_view(static_cast<const char*>(data), size)) {
    const auto byte = static_cast<unsigned char>(c);
    text += digits[byte / 16];
    text += digits[byte % 16];
  }
  return text.empty() ? "." : text;
}

Line parse(const std::string& text) {
  std::istringstream in(text);
  std::string key;
  std::string value;
  std::string headers;
  Line line;
  in >> line.partition >> key >> value >> headers;
  if (!in) throw std::runtime_error("no record: " + text.substr(0, 80));
  line.key = from_hex(key);
  line.value = from_hex(value);
  if (headers == "-") return line;
  std::istringstream each(headers);
  for (std::string header; std::getline(each, header, ',');) {
    const std::size_t equals = header.find('=');
    line.headers.emplace_back(header.substr(0, equals), from_hex(header.substr(equals + 1)));
  }
  return line;
}

template <class T>
T value_of(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}

Connection connection(const std::string& brokers) {
  return {.brokers = {brokers}};
}

SharedClient client(rd_kafka_type_t type, const std::string& brokers, Properties more) {
  more["bootstrap.servers"] = brokers;
  return value_of(make_client(type, more, 0, {}));
}

/// The opaque of a message: where it went, once that is known.
struct Place {
  std::int32_t partition = 0;
  std::int64_t offset = -1;
};

void remember(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  auto* place = static_cast<Place*>(message->_private);
  *place = {message->partition, message->offset};
}

void produce(rd_kafka_t* producer, const std::string& topic, const Line& line, Place& place) {
  const auto data = [](const Bytes& bytes) {
    return bytes ? const_cast<char*>(bytes->data()) : nullptr;
  };
  const auto size = [](const Bytes& bytes) { return bytes ? bytes->size() : 0; };
  rd_kafka_headers_t* headers = rd_kafka_headers_new(line.headers.size());
  for (const auto& [name, value] : line.headers) {
    rd_kafka_header_add(headers, name.c_str(), -1, data(value), static_cast<ssize_t>(size(value)));
  }
  const auto error = rd_kafka_producev(
      producer, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(line.partition),
      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(data(line.key), size(line.key)),
      RD_KAFKA_V_VALUE(data(line.value), size(line.value)), RD_KAFKA_V_HEADERS(headers),
      RD_KAFKA_V_OPAQUE(&place), RD_KAFKA_V_END);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) throw std::runtime_error(rd_kafka_err2str(error));
}

void send(const std::string& brokers, const std::string& topic) {
  const OwnedConf conf(rd_kafka_conf_new());
  char problem[512];
  for (const auto& [name, value] : Properties{{"bootstrap.servers", brokers},
                                              {"message.max.bytes", "100000000"},
                                              {"enable.idempotence", "true"}}) {
    rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), problem, sizeof problem);
  }
  rd_kafka_conf_set_dr_msg_cb(conf.get(), remember);
  const Owned<rd_kafka_t, rd_kafka_destroy> producer(
      rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_dup(conf.get()), problem, sizeof problem));
  if (!producer) throw std::runtime_error(problem);
  std::vector<Line> lines;
  for (std::string text; std::getline(std::cin, text);) lines.push_back(parse(text));
  std::vector<Place> places(lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    produce(producer.get(), topic, lines[i], places[i]);
  }
  rd_kafka_flush(producer.get(), static_cast<int>(answer_within.count()));
  for (const Place& place : places) {
    if (place.offset < 0) throw std::runtime_error("a record was not delivered to " + topic);
    std::cout << place.partition << " " << place.offset << "\n";
  }
}

void print(const rd_kafka_message_t& message) {
  std::string headers;
  rd_kafka_headers_t* list = nullptr;
  if (rd_kafka_message_headers(&message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0;
         rd_kafka_header_get_all(list, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i) {
      headers += (headers.empty() ? "" : ",") + std::string(name) + "=" + to_hex(value, size);
    }
  }
  std::cout << message.partition << " " << to_hex(message.key, message.key_len) << " "
            << to_hex(message.payload, message.len) << " " << (headers.empty() ? "-" : headers)
            << " " << message.offset << "\n";
}

void read(const std::string& brokers, const std::string& topic) {
  const Admin admin = value_of(Admin::connect(connection(brokers), {}, {}));
  const auto described = value_of(admin.describe(topic, answer_within));
  if (!described) throw std::runtime_error("no topic " + topic);
  const SharedClient consumer = client(RD_KAFKA_CONSUMER, brokers,
                                       {{"group.id", "kafka_records"},
                                        {"enable.partition.eof", "true"},
                                        {"enable.auto.commit", "false"},
                                        {"isolation.level", "read_committed"},
                                        {"fetch.wait.max.ms", "50"}});
  const OwnedList all(rd_kafka_topic_partition_list_new(described->partitions));
  for (std::int32_t partition = 0; partition < described->partitions; ++partition) {
    rd_kafka_topic_partition_list_add(all.get(), topic.c_str(), partition)->offset =
        RD_KAFKA_OFFSET_BEGINNING;
  }
  rd_kafka_assign(consumer->get(), all.get());
  const auto deadline = std::chrono::steady_clock::now() + answer_within;
  for (std::int32_t ended = 0; ended < described->partitions;) {
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("no end in time");
    const Owned<rd_kafka_message_t, rd_kafka_message_destroy> message(
        rd_kafka_consumer_poll(consumer->get(), poll_ms));
    if (!message) continue;
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      ++ended;
    } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      print(*message);
    }
  }
}

void make(const std::string& brokers, NewTopic topic, const std::vector<std::string>& options) {
  for (const std::string& option : options) {
    const std::size_t equals = option.find('=');
    topic.options[option.substr(0, equals)] = option.substr(equals + 1);
  }
  const Admin admin = value_of(Admin::connect(connection(brokers), {}, {}));
  if (auto made = admin.create(topic, answer_within); !made) {
    throw std::runtime_error(made.error().message);
  }
}

int command(const std::vector<std::string>& words) {
  if (words.size() == 3 && words[0] == "send") {
    send(words[1], words[2]);
  } else if (words.size() == 3 && words[0] == "read") {
    read(words[1], words[2]);
  } else if (words.size() >= 4 && words[0] == "make") {
    make(words[1], {.name = words[2], .partitions = std::stoi(words[3])},
         {words.begin() + 4, words.end()});
  } else {
    std::cerr << "usage: kafka_records send|read|make BROKERS TOPIC …\n";
    return 2;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return command({argv + 1, argv + argc});
  } catch (const std::exception& fault) {
    std::cerr << "kafka_records: " << fault.what() << "\n";
    return 1;
  }
}
