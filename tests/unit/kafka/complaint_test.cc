#include "adapters/kafka/complaint.h"

#include <initializer_list>
#include <string>

#include <gtest/gtest.h>

namespace helsekontakter::kafka {
namespace {

constexpr const char* refused =
    "FAIL: [thrd:sasl_ssl://kafka:9093/bootstrap]: sasl_ssl://kafka:9093/bootstrap: "
    "Connect to ipv6#[::1]:9093 failed: Connection refused (after 0ms in state CONNECT)";
constexpr const char* unknown =
    "FAIL: [thrd:kafka:9092/bootstrap]: kafka:9092/bootstrap: Failed to resolve 'kafka:9092': "
    "Name or service not known (after 4ms in state CONNECT)";
constexpr const char* credentials =
    "FAIL: [thrd:sasl_ssl://kafka:9093/bootstrap]: sasl_ssl://kafka:9093/bootstrap: SASL "
    "authentication error: Authentication failed: invalid credentials (after 310ms in state "
    "AUTH_REQ)";
constexpr const char* certificate =
    "FAIL: [thrd:ssl://kafka:9094/bootstrap]: ssl://kafka:9094/bootstrap: SSL handshake failed: "
    "certificate verify failed (after 12ms in state SSL_HANDSHAKE)";
constexpr const char* down = "ERROR: [thrd:kafka:9092/bootstrap]: 1/1 brokers are down";

std::string heard(std::initializer_list<const char*> lines) {
  Complaint complaint;
  for (const char* line : lines) complaint.hear(line);
  return complaint.text();
}

TEST(Complaint, IsTheLast) {
  EXPECT_EQ(heard({}), "");
  EXPECT_NE(heard({refused}).find("Connection refused"), std::string::npos);
  EXPECT_NE(heard({refused, unknown}).find("Failed to resolve"), std::string::npos);
  EXPECT_NE(heard({unknown, refused}).find("Connection refused"), std::string::npos);
  EXPECT_NE(heard({credentials, certificate}).find("certificate verify"), std::string::npos);
}

TEST(Complaint, OfWhoAnsweredTellsMoreThanThatNobodyDid) {
  EXPECT_NE(heard({credentials, refused}).find("invalid credentials"), std::string::npos);
  EXPECT_NE(heard({certificate, unknown}).find("certificate verify"), std::string::npos);
  EXPECT_NE(heard({refused, credentials, unknown}).find("invalid credentials"), std::string::npos);
}

TEST(Complaint, ThatAllAreDownTellsLeast) {
  EXPECT_NE(heard({down}).find("are down"), std::string::npos);
  EXPECT_NE(heard({refused, down}).find("Connection refused"), std::string::npos);
  EXPECT_NE(heard({down, refused, down}).find("Connection refused"), std::string::npos);
  EXPECT_NE(heard({credentials, refused, down}).find("invalid credentials"), std::string::npos);
}

}  // namespace
}  // namespace helsekontakter::kafka
