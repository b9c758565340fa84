#include "tests/contract/ledger/ledger_contract.h"
#include "tests/integration/ledger/ledger_fixture.h"

#include <utility>

// The ledger's contract for Kafka; that for the fake and SQLite is in tests/contract/ledger.

namespace helsekontakter::ledger {
namespace {

class KafkaUnderTest : public LedgerUnderTest, private kafka::test::RealLedger {
 public:
  KafkaUnderTest() {
    RealLedger::SetUp();
    make_ledger(2);
    session_ = open_session("worker");
  }
  void write(std::vector<LedgerWrite> writes) override {
    const auto sent = session_->send(record_of(std::move(writes)), nullptr,
                                     std::chrono::steady_clock::now() + std::chrono::seconds(20));
    EXPECT_EQ(sent.attempt, kafka::Attempt::durable) << sent.trouble;
  }
  void restart() override { session_ = open_session("worker"); }
  LedgerTable restore(Partition partition) override { return RealLedger::restore(partition).table; }
  std::string refusal_of_another_key() override { return refusal(format_of(9, 2)); }

 private:
  std::shared_ptr<kafka::RecordSession> session_;
};

INSTANTIATE_TEST_SUITE_P(Real, LedgerContract,
                         ::testing::Values(KindOfLedger{
                             "kafka", [] { return std::make_unique<KafkaUnderTest>(); }}),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace helsekontakter::ledger
