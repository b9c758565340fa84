// A file or standard input in, files or standard output out.

#include "adapters/cli/parts.h"
#include "adapters/file/recorder.h"
#include "adapters/file/source.h"

#include <csignal>

namespace helsekontakter::cli {
namespace {

class OfFile final : public Source {
 public:
  template <class... Arguments>
  explicit OfFile(Arguments&&... arguments) : source_(std::forward<Arguments>(arguments)...) {}

  [[nodiscard]] Result<void> start() override { return source_.start(); }
  void order(SourceOrders orders) override { source_.order(std::move(orders)); }
  void stop(bool) override { source_.stop(); }
  [[nodiscard]] bool still_ours(std::span<const std::pair<Partition, Epoch>> under) const override {
    return source_.still_ours(under);
  }
  [[nodiscard]] const file::FileSource& source() const { return source_; }

 private:
  file::FileSource source_;
};

class IntoFile final : public Recorder {
 public:
  template <class... Arguments>
  explicit IntoFile(Arguments&&... arguments) : recorder_(std::forward<Arguments>(arguments)...) {}

  [[nodiscard]] Result<void> start() override { return recorder_.start(); }
  void record(Record record) override { recorder_.record(std::move(record)); }
  void stop() override { recorder_.stop(); }

 private:
  file::FileRecorder recorder_;
};

}  // namespace

Result<Parts> make_file_parts(const config::Configuration& configuration, const OpenLedger& ledger,
                              bool drain, const crypto::KeyedHash& hash, Decode decode,
                              Inbox& inbox, const file::Observer& observer) {
  // A full file or a reader that went away is told by the write that fails, not by a signal.
  (void)std::signal(SIGXFSZ, SIG_IGN);
  (void)std::signal(SIGPIPE, SIG_IGN);
  file::SourceSettings settings = configuration.file_source;
  settings.drain = drain;
  auto source =
      std::make_unique<OfFile>(std::move(settings), hash, std::move(decode), inbox, observer);
  auto recorder = std::make_unique<IntoFile>(configuration.file_results, source->source().name(),
                                             source->source().track(), inbox, observer,
                                             file::LedgerSteps{.write = ledger.write});
  return Parts{.source = std::move(source), .recorder = std::move(recorder)};
}

}  // namespace helsekontakter::cli
