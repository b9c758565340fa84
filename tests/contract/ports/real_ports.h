#pragma once

#include "adapters/cli/parts.h"
#include "tests/contract/ports/ports_contract.h"

#include <mutex>

namespace helsekontakter {

/// Source and recorder as the program puts them together.
class RealPorts : public PortsUnderTest {
 public:
  void begin() override;
  void end() override;
  void die() override;
  void take(std::vector<Input>& inputs, std::chrono::steady_clock::time_point deadline) override;
  void order(SourceOrders orders) override { parts_.source->order(std::move(orders)); }
  void record(Record record) override { parts_.recorder->record(std::move(record)); }
  [[nodiscard]] bool still_ours(std::span<const std::pair<Partition, Epoch>> under) const override {
    return parts_.source->still_ours(under);
  }
  [[nodiscard]] std::string name_of(const Delivery& delivery) const override {
    return std::string(delivery.texts[Texts::Field::id]);
  }
  [[nodiscard]] std::string troubles() const override;

 protected:
  [[nodiscard]] virtual Result<cli::Parts> make_parts(cli::Decode decode, Inbox& inbox) = 0;
  /// For the observers; any thread.
  void note_trouble(const Error& error);

 private:
  std::unique_ptr<Inbox> inbox_;
  cli::Parts parts_;
  mutable std::mutex mutex_;  ///< guards the one below
  std::string troubles_;
};

/// Results in the order of their texts.
[[nodiscard]] std::vector<SeenResult> read_results(const std::vector<std::string>& texts);

}  // namespace helsekontakter
