#pragma once

#include "adapters/kafka/admin.h"
#include "adapters/kafka/shared_topic_writer.h"
#include "adapters/ledger/identity.h"
#include "worker/ledger/shared.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace helsekontakter::kafka {

/// Tails the shared topic on a thread of its own, from its beginning and for ever: every worker
/// reads all of it. A consumer that assigns its one partition by hand and commits nothing.
class SharedTopicReader {
 public:
  /// All are called on the reader's thread.
  struct Hooks {
    /// In the order in which they were written; at most about a second after that. Facts that
    /// were there before come first, with `live` false.
    std::function<void(SharedNews)> news;
    /// Once, when all that was there before has been told; what is there of an identity.
    /// None: nobody has said what this ledger is for, so say it (SharedTopicWriter::publish).
    std::function<void(const std::optional<ledger::Identity>&)> caught_up;
    /// Once: another ledger's identity, a newer format, or a record that cannot be read. Reading
    /// has ended; the worker is not to go on.
    std::function<void(const Error&)> refused;
  };
  SharedTopicReader(SharedTopic where, ledger::Identity ours, Hooks hooks, Observer observer);
  ~SharedTopicReader();
  SharedTopicReader(const SharedTopicReader&) = delete;
  SharedTopicReader& operator=(const SharedTopicReader&) = delete;

  [[nodiscard]] Result<void> start();
  /// Ends the thread within a poll (100 ms).
  void stop();

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

/// Refuses (Remedy::stop, saying what to do) a topic that is missing, has more than one partition,
/// or would forget.
[[nodiscard]] Result<void> check_shared_topic(const std::string& topic,
                                              const std::optional<TopicDescription>& found);

}  // namespace helsekontakter::kafka
