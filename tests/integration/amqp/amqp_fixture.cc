#include "tests/integration/amqp/amqp_fixture.h"

#include "adapters/crypto/keyed_hash.h"
#include "adapters/json/packed_headers.h"

#include <utility>

namespace helsekontakter::amqp::test {

Delivery decode_plainly(const json::RawEvent& raw) {
  using Field = Texts::Field;
  Delivery delivery{.position = raw.position, .epoch = raw.epoch};
  delivery.texts.append(Field::id, raw.payload.substr(0, 64));
  delivery.texts.append(Field::source, raw.plain_source);
  delivery.texts.append(Field::subject, raw.plain_id);
  delivery.texts.append(Field::key, raw.key);
  delivery.texts.append(Field::detail, raw.unreadable);
  delivery.texts.append(Field::payload, raw.payload);
  delivery.texts.append(Field::headers, json::pack_headers(raw.headers));
  delivery.content = Change{.organization = *OrganizationNumber::parse("948554062"), .version = 1};
  return delivery;
}

ResultText plain_text() {
  return {
      .begin = [](const Record&, WallTime) {},
      .append = [](const Conclusion& conclusion,
                   std::string& out) { out += conclusion.delivery->texts[Texts::Field::id]; },
      .append_data = [](const Conclusion& conclusion,
                        std::string& out) { out += conclusion.delivery->texts[Texts::Field::id]; },
      .put_attributes =
          [](const Conclusion& conclusion, const results::PutAttribute& put) {
            put("specversion", "1.0");
            put("subject", conclusion.delivery->texts[Texts::Field::id]);
          },
      .id =
          [](const Conclusion& conclusion) {
            return crypto::uuid_v5({}, {conclusion.delivery->texts[Texts::Field::id]});
          }};
}

Observer Ear::observer() {
  Observer hooks;
  hooks.trouble = [this](const Error& error) {
    const std::lock_guard lock(mutex_);
    troubles_.push_back(error.message);
  };
  hooks.redelivered = [this](std::uint32_t) {
    const std::lock_guard lock(mutex_);
    ++redeliveries_;
  };
  hooks.attached = [this](bool attached) {
    const std::lock_guard lock(mutex_);
    attached_ = attached;
  };
  return hooks;
}

bool Ear::heard(const std::string& words) const {
  return all().find(words) != std::string::npos;
}

std::string Ear::all() const {
  const std::lock_guard lock(mutex_);
  std::string text;
  for (const std::string& trouble : troubles_) text += trouble + "\n";
  return text;
}

std::size_t Ear::troubles() const {
  const std::lock_guard lock(mutex_);
  return troubles_.size();
}

std::uint32_t Ear::redeliveries() const {
  const std::lock_guard lock(mutex_);
  return redeliveries_;
}

bool Ear::attached() const {
  const std::lock_guard lock(mutex_);
  return attached_;
}

bool Core::take_until(const std::function<bool()>& holds, Clock::duration within) {
  const auto deadline = Clock::now() + within;
  std::vector<Input> inputs;
  while (!holds()) {
    if (Clock::now() >= deadline) return false;
    inbox.take(inputs, Clock::now() + 20ms);
    for (Input& input : inputs) {
      if (auto* news = std::get_if<Assigned>(&input)) assigned.push_back(*news);
      if (auto* gone = std::get_if<Lost>(&input)) lost.push_back(*gone);
      if (auto* answered = std::get_if<Recorded>(&input)) {
        answers[answered->id] = answered->durable;
      }
      if (auto* delivered = std::get_if<Delivered>(&input)) {
        for (Delivery& each : delivered->deliveries) deliveries.push_back(std::move(each));
      }
    }
  }
  return true;
}

bool Core::take_deliveries(std::size_t count, Clock::duration within) {
  return take_until([&] { return deliveries.size() >= count; }, within);
}

bool Core::take_assigned(std::size_t times, Clock::duration within) {
  return take_until([&] { return assigned.size() >= times; }, within);
}

Record Core::record_of(const std::vector<Delivery>& concluded, Verdict verdict, Reason reason) {
  Record record{.id = RecordId{++records_}};
  for (const Delivery& delivery : concluded) {
    record.conclusions.push_back({.delivery = std::make_unique<Delivery>(delivery),
                                  .verdict = verdict,
                                  .reason = reason,
                                  .batch = Conclusion::no_batch});
  }
  return record;
}

Settlement Core::settlement_of_all() const {
  Settlement settlement;
  for (const Delivery& delivery : deliveries) {
    settlement.deliveries.emplace_back(delivery.epoch, delivery.position.offset);
  }
  return settlement;
}

std::optional<bool> Core::answer(RecordId id, Clock::duration within) {
  if (!take_until([&] { return answers.contains(id); }, within)) return std::nullopt;
  return answers.at(id);
}

void RealAmqp::SetUp() {
  broker = Broker::from_environment();
  ASSERT_FALSE(broker.host_and_port.empty())
      << "set HELSEKONTAKTER_TEST_AMQP to a broker's host:port; tests/support/rabbitmq.sh start "
         "makes one, tests/run.sh does both";
}

Connection RealAmqp::connection() const {
  return {.urls = {broker.url()}, .user = "worker"};
}

SourceSettings RealAmqp::source_settings(const std::string& address) const {
  return {.connection = connection(), .address = address};
}

RecordSettings RealAmqp::record_settings(const std::string& address) const {
  return {.connection = connection(), .address = address};
}

void RealAmqp::produce(const std::string& address, const std::vector<std::string>& bodies) const {
  std::vector<proton::message> messages;
  for (const std::string& body : bodies) messages.push_back(data_message(body));
  ASSERT_TRUE(send(broker, address, messages));
}

}  // namespace helsekontakter::amqp::test
