#include "tests/integration/amqp/amqp_fixture.h"

#include <gmock/gmock.h>
#include <proton/codec/vector.hpp>
#include <proton/message_id.hpp>
#include <proton/value.hpp>

// Change events as the CloudEvents AMQP binding packs them, through the real decoder.

namespace helsekontakter::amqp::test {
namespace {

using Field = Texts::Field;
using ::testing::HasSubstr;

constexpr const char* data = R"({"organization":"948554062","member":"13116900216",)"
                             R"("period":{"start":"2026-01-01","end":"2026-12-31"},"version":3})";
constexpr const char* type = "no.helsekontakter.membership.changed.v1";

class Decoding : public RealAmqp {
 protected:
  [[nodiscard]] Delivery pass(const proton::message& message) {
    const auto queue = make_queue();
    EXPECT_TRUE(send(broker, queue, {message}));
    json::DecoderSettings settings;
    settings.synthetic_allowed = true;
    settings.rule_2032 = false;
    auto decoder =
        std::make_shared<json::EventDecoder>(settings, crypto::KeyedHash(crypto::KeyedHash::Key{}));
    Core core;
    Ear ear;
    AmqpSource source(
        source_settings(queue), "secret",
        [decoder](const json::RawEvent& raw) { return decoder->decode(raw); }, core.inbox,
        ear.observer());
    EXPECT_TRUE(source.start());
    EXPECT_TRUE(core.take_deliveries(1)) << ear.all();
    return core.deliveries.empty() ? Delivery{} : core.deliveries[0];
  }
};

void expect_change(const Delivery& delivery) {
  const auto* change = std::get_if<Change>(&delivery.content);
  ASSERT_NE(change, nullptr) << delivery.texts[Field::detail];
  EXPECT_EQ(change->version, 3);
  EXPECT_EQ(change->organization.digits(), "948554062");
}

class BinaryMode : public Decoding, public ::testing::WithParamInterface<std::string> {};

TEST_P(BinaryMode, IsReadFromApplicationProperties) {
  proton::message message = data_message(data);
  message.content_type("application/json");
  const std::string& prefix = GetParam();
  message.properties().put(prefix + "specversion", "1.0");
  message.properties().put(prefix + "id", "17");
  message.properties().put(prefix + "source", "/members");
  message.properties().put(prefix + "type", type);
  message.properties().put(prefix + "subject", "membership-5");
  const Delivery delivery = pass(message);
  expect_change(delivery);
  EXPECT_EQ(delivery.texts[Field::id], "17");
  EXPECT_EQ(delivery.texts[Field::source], "/members");
  EXPECT_EQ(delivery.texts[Field::subject], "membership-5");
}

INSTANTIATE_TEST_SUITE_P(Prefixes, BinaryMode, ::testing::Values("cloudEvents:", "cloudEvents_"),
                         [](const auto& each) {
                           return each.param == "cloudEvents:" ? "colon" : "underscore";
                         });

TEST_F(Decoding, ReadsTheStructuredMode) {
  proton::message message =
      data_message(std::string(R"({"specversion":"1.0","id":"17","source":"/members","type":")") +
                   type + R"(","data":)" + data + "}");
  message.content_type("application/cloudevents+json");
  const Delivery delivery = pass(message);
  expect_change(delivery);
  EXPECT_EQ(delivery.texts[Field::id], "17");
}

TEST_F(Decoding, NamesPlainJsonByTheMessageId) {
  proton::message message = data_message(data);
  message.id(proton::message_id("message-9"));
  const Delivery delivery = pass(message);
  expect_change(delivery);
  EXPECT_EQ(delivery.texts[Field::id], "message-9");
}

TEST_F(Decoding, HidesAMessageIdThatHoldsAnIdentityNumber) {
  proton::message message = data_message(data);
  message.id(proton::message_id("13116900216"));
  const Delivery delivery = pass(message);
  EXPECT_THAT(std::string(delivery.texts[Field::id]), testing::Not(HasSubstr("13116900216")));
  EXPECT_FALSE(delivery.texts[Field::id].empty());
}

struct Unreadable {
  std::string name;
  proton::message message;
  Reason reason;
};

class UnreadableBodies : public Decoding, public ::testing::WithParamInterface<Unreadable> {};

TEST_P(UnreadableBodies, BecomeAFinding) {
  const Delivery delivery = pass(GetParam().message);
  const auto* finding = std::get_if<Finding>(&delivery.content);
  ASSERT_NE(finding, nullptr);
  EXPECT_EQ(entry_of(finding->reason).code, entry_of(GetParam().reason).code);
}

proton::message with_body(const proton::value& body) {
  proton::message message;
  message.body(body);
  return message;
}

proton::message compressed() {
  proton::message message = data_message(data);
  message.content_encoding("gzip");
  return message;
}

INSTANTIATE_TEST_SUITE_P(
    Bodies, UnreadableBodies,
    ::testing::Values(Unreadable{"a_list", with_body(std::vector<int>{1, 2}),
                                 Reason::unsupported_content},
                      Unreadable{"a_number", with_body(7), Reason::unsupported_content},
                      Unreadable{"empty", data_message(""), Reason::not_json},
                      Unreadable{"not_json", data_message("{"), Reason::not_json},
                      Unreadable{"bad_utf8", data_message("\xff"), Reason::invalid_utf8},
                      Unreadable{"compressed", compressed(), Reason::unsupported_content},
                      Unreadable{"too_large", data_message(std::string(5'000'000, ' ')),
                                 Reason::event_too_large}),
    [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace helsekontakter::amqp::test
