#include "adapters/amqp/message_reader.h"

#include "adapters/crypto/keyed_hash.h"

#include <chrono>
#include <sstream>

#include <proton/binary.hpp>
#include <proton/codec/vector.hpp>
#include <proton/error.hpp>
#include <proton/message.hpp>
#include <proton/message_id.hpp>
#include <proton/scalar.hpp>
#include <proton/timestamp.hpp>
#include <proton/type_id.hpp>
#include <proton/types.hpp>
#include <proton/uuid.hpp>
#include <proton/value.hpp>

namespace helsekontakter::amqp {
namespace {

/// Names the content of a message that has no message-id, so that its repetition has the same id.
constexpr Uuid content_namespace{{0x1e, 0x0c, 0x94, 0x5b, 0x8d, 0x0a, 0x54, 0x3b, 0x8a, 0x6f, 0x3d,
                                  0x70, 0x21, 0xc2, 0x55, 0x9a}};

void assign(std::string& out, const proton::binary& bytes) {
  out.assign(bytes.begin(), bytes.end());
}

std::string name_of(proton::type_id type) {
  std::ostringstream out;
  out << type;
  return out.str();
}

void append_padded(std::int64_t number, std::size_t digits, std::string& out) {
  const std::string text = std::to_string(number);
  if (text.size() < digits) out.append(digits - text.size(), '0');
  out += text;
}

/// RFC 3339 in UTC, as the attribute `time` is written elsewhere.
std::string time_text(proton::timestamp timestamp) {
  const WallTime time{Milliseconds{timestamp.milliseconds()}};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::string out;
  append_padded(static_cast<int>(date.year()), 4, out);
  out += '-';
  append_padded(static_cast<unsigned>(date.month()), 2, out);
  out += '-';
  append_padded(static_cast<unsigned>(date.day()), 2, out);
  out += 'T';
  append_padded(clock.hours().count(), 2, out);
  out += ':';
  append_padded(clock.minutes().count(), 2, out);
  out += ':';
  append_padded(clock.seconds().count(), 2, out);
  out += '.';
  append_padded(clock.subseconds().count(), 3, out);
  out += 'Z';
  return out;
}

/// Strings as they are; what else a property may hold, as the CloudEvents type system writes it.
std::string text_of(const proton::scalar& value) {
  switch (value.type()) {
    case proton::STRING:
      return proton::get<std::string>(value);
    case proton::SYMBOL:
      return proton::get<proton::symbol>(value);
    case proton::BINARY: {
      std::string text;
      assign(text, proton::get<proton::binary>(value));
      return text;
    }
    case proton::TIMESTAMP:
      return time_text(proton::get<proton::timestamp>(value));
    default:
      return proton::to_string(value);
  }
}

std::string text_of(const proton::message_id& id) {
  switch (id.type()) {
    case proton::STRING:
      return proton::get<std::string>(id);
    case proton::ULONG:
      return std::to_string(proton::get<std::uint64_t>(id));
    case proton::UUID:
      return proton::get<proton::uuid>(id).str();
    case proton::BINARY: {
      std::string text;
      assign(text, proton::get<proton::binary>(id));
      return text;
    }
    default:
      return {};
  }
}

}  // namespace

json::RawEvent MessageReader::read(const proton::message& message, Position position, Epoch epoch,
                                   WallTime now) {
  read_body(message);
  read_headers(message);
  key_ = message.group_id();
  id_ = identity(message);
  bytes_ = payload_.size() + key_.size();
  views_.clear();
  for (const auto& [name, value] : headers_) {
    views_.emplace_back(name, value);
    bytes_ += name.size() + value.size();
  }
  return {.payload = payload_,
          .is_null = false,
          .key = key_,
          .content_type = {},
          .headers = views_,
          .plain_source = address_,
          .plain_id = id_,
          .unreadable = unreadable_,
          .position = position,
          .epoch = epoch,
          .broker_time = WallTime{Milliseconds{message.creation_time().milliseconds()}},
          .now = now};
}

void MessageReader::read_body(const proton::message& message) {
  payload_.clear();
  unreadable_.clear();
  const proton::value& body = message.body();
  const proton::type_id type = body.empty() ? proton::NULL_TYPE : body.type();
  if (type == proton::BINARY) {
    assign(payload_, proton::get<proton::binary>(body));
  } else if (type == proton::STRING) {
    payload_ = proton::get<std::string>(body);
  } else if (type != proton::NULL_TYPE) {
    unreadable_ = "body: neither Data nor a String value, but " + name_of(type);
  }
}

void MessageReader::read_headers(const proton::message& message) {
  headers_.clear();
  const proton::value& properties = message.properties().value();
  if (!properties.empty()) {
    try {
      std::vector<std::pair<std::string, proton::scalar>> pairs;
      proton::get(properties, pairs);
      for (const auto& [name, value] : pairs) {
        if (!value.empty()) add_header(name, text_of(value));
      }
    } catch (const proton::conversion_error&) {
      headers_.clear();
      unreadable_ = "application properties: not a map of names to simple values";
    }
  }
  // After the properties: a property of that name is not the message's own.
  if (std::string type = message.content_type(); !type.empty()) {
    add_header("content-type", std::move(type));
  }
  if (std::string encoding = message.content_encoding(); !encoding.empty()) {
    add_header("content-encoding", std::move(encoding));
  }
}

void MessageReader::add_header(std::string name, std::string value) {
  headers_.emplace_back(std::move(name), std::move(value));
}

std::string MessageReader::identity(const proton::message& message) const {
  std::string id = text_of(message.id());
  if (!id.empty()) return id;
  return crypto::uuid_v5(content_namespace, {key_, payload_}).text();
}

}  // namespace helsekontakter::amqp
