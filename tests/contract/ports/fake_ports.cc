#include "tests/contract/ports/fake_ports.h"

#include "tests/simulation/fake_source.h"
#include "tests/simulation/scenario.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include <gmock/gmock.h>

namespace helsekontakter {
namespace {

using simulation::Broker;
using simulation::FakeSource;

constexpr std::size_t metadata_characters_max = 4096;
constexpr std::string_view name_stem = "event-";

/// What the world of the simulation does at random times happens here at once.
class FakePorts : public PortsUnderTest {
 public:
  FakePorts() { broker_.inactive_comes_back = true; }
  ~FakePorts() override { EXPECT_THAT(broker_.faults(), ::testing::IsEmpty()); }

  void put(const std::vector<std::string>& names) override {
    for (const std::string& name : names) {
      simulation::Event event;
      std::from_chars(name.data() + name_stem.size(), name.data() + name.size(), event.member);
      broker_.append(Partition{0}, event, 0);
    }
  }
  std::vector<SeenResult> results() override {
    std::vector<SeenResult> seen;
    for (const Position& position : broker_.published()) {
      seen.push_back({simulation::full_url_of(position.partition, position.offset),
                      name_at(position), "accepted"});
    }
    return seen;
  }
  std::vector<std::string> dead_letters() override { return {}; }

  void begin() override {
    source_.emplace(broker_);
    inputs_.clear();
    assign();
  }
  void end() override { source_.reset(); }
  void die() override { source_.reset(); }

  void take(std::vector<Input>& inputs, std::chrono::steady_clock::time_point) override {
    for (const Partition partition : source_->readable()) {
      for (Input& input : source_->read(partition, 60)) inputs_.push_back(std::move(input));
    }
    inputs = std::exchange(inputs_, {});
  }
  void order(SourceOrders orders) override {
    for (const auto& owned : orders.pause) source_->set_paused(owned, true);
    for (const auto& owned : orders.resume) source_->set_paused(owned, false);
    for (const auto& owned : orders.release) (void)source_->release(owned);
    for (const Partition partition : orders.reread) {
      if (const auto lost = source_->lose(partition)) {
        inputs_.emplace_back(*lost);
        assign();
      }
    }
  }
  void record(Record record) override {
    // The broker fences by the owner; what a source adapter fences by the epoch is said here.
    const bool ours = std::all_of(
        record.progress.begin(), record.progress.end(),
        [&](const Progress& part) { return source_->holds(part.partition, part.epoch); });
    const bool durable = ours && broker_.commit(record, source_->owners());
    inputs_.emplace_back(Recorded{record.id, durable});
  }
  [[nodiscard]] bool still_ours(std::span<const std::pair<Partition, Epoch>> under) const override {
    return std::all_of(under.begin(), under.end(),
                       [&](const auto& each) { return source_->holds(each.first, each.second); });
  }
  [[nodiscard]] std::string name_of(const Delivery& delivery) const override {
    return name_at(delivery.position);
  }

 private:
  void assign() {
    const Epoch epoch{++last_};
    inputs_.emplace_back(source_->assign(Partition{0}, epoch, last_));
  }
  [[nodiscard]] std::string name_at(Position position) const {
    auto& broker = const_cast<Broker&>(broker_);
    return std::string(name_stem) + std::to_string(broker.event(position).member);
  }

  Broker broker_{1, metadata_characters_max};
  std::optional<FakeSource> source_;
  std::vector<Input> inputs_;
  std::uint64_t last_ = 0;
};

}  // namespace

std::unique_ptr<PortsUnderTest> make_fake_ports() {
  return std::make_unique<FakePorts>();
}

}  // namespace helsekontakter
