#pragma once

#include "adapters/amqp/connection_loop.h"
#include "adapters/amqp/recorder.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <proton/sender.hpp>
#include <proton/tracker.hpp>

namespace helsekontakter::amqp {

/// The thread behind AmqpRecorder. A record goes through three stages, each ended by an answer:
/// ledger → publishing → settling; any of them may fail by the record's deadline.
class AmqpRecorder::Loop final : public ConnectionLoop,
                                 public std::enable_shared_from_this<AmqpRecorder::Loop> {
 public:
  Loop(RecordSettings settings, crypto::Password password, std::string origin, ResultText text,
       Steps steps, Inbox& inbox, Observer observer);
  ~Loop() override;

  [[nodiscard]] Result<void> start() { return begin(); }
  void record(Record record);
  void stop();

 private:
  enum class Stage : std::uint8_t { idle, ledger, publishing, settling };
  enum class Sending : std::uint8_t { waiting, sent, confirmed };

  /// One message of the record: a result, or a dead letter.
  struct Publication {
    std::uint32_t conclusion = 0;
    bool is_dead_letter = false;
    Sending state = Sending::waiting;
  };
  struct Answer {
    std::uint64_t work = 0;
    Stage stage = Stage::idle;
    Result<void> result;
  };
  /// A sending link; no address: not wanted.
  struct Outlet {
    std::string address;
    proton::sender sender;
    bool open = false;
    std::size_t next = 0;  ///< the first publication that may be waiting
    std::size_t sent = 0;  ///< publications of this state
  };

  [[nodiscard]] Outlet& outlet_of(const Publication& publication) {
    return publication.is_dead_letter ? letters_ : results_;
  }

  void opened(proton::connection& connection) override;
  void closed() override;
  void turn() override;
  void let_go() override {}
  [[nodiscard]] bool ended() const override { return true; }

  void on_sender_open(proton::sender& sender) override;
  void on_sendable(proton::sender& sender) override;
  void on_sender_error(proton::sender& sender) override;
  void on_sender_close(proton::sender& sender) override;
  void on_tracker_accept(proton::tracker& tracker) override;
  void on_tracker_reject(proton::tracker& tracker) override;
  void on_tracker_release(proton::tracker& tracker) override;
  void on_tracker_settle(proton::tracker& tracker) override;

  void take(Record record);
  void run_step(Stage stage, const Step& step);
  void advance(Stage done);
  void take(const Answer& answer);
  void prepare();
  void publish();
  void publish(Outlet& outlet, bool dead_letters);
  void pause();
  void refused(const proton::tracker& tracker, const std::string& how);
  [[nodiscard]] Publication* publication_of(const proton::tracker& tracker);
  [[nodiscard]] bool is_open() const;
  void finish(bool durable);
  void check_deadlines();

  const RecordSettings settings_;
  const std::string origin_;
  const ResultText text_;
  const Steps steps_;
  Inbox& inbox_;
  const Observer observer_;

  std::mutex mail_mutex_;  ///< guards the two below
  std::optional<Record> waiting_;
  std::vector<Answer> answers_;

  Outlet results_;
  Outlet letters_;
  Clock::time_point links_by_{};

  // The record under way.
  std::shared_ptr<const Record> record_;
  Stage stage_ = Stage::idle;
  std::uint64_t work_ = 0;  ///< counts records, so that late answers are known
  Clock::time_point begun_{};
  Clock::time_point deadline_{};
  std::vector<Publication> publications_;
  std::size_t confirmed_ = 0;
  std::uint32_t refusals_ = 0;
  Clock::time_point again_at_{};  ///< what failed is not tried before
  Milliseconds pause_{0};
  bool step_waits_ = false;  ///< to be tried again
  bool told_refusal_ = false;
};

}  // namespace helsekontakter::amqp
