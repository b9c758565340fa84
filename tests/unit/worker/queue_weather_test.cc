// A queue that gives back what is not settled when it likes: random steps on one worker after the
// other, over one ledger. However it goes, no older version is submitted after a newer one, and in
// the end every event has its result. QUEUE_SEED and QUEUE_SEEDS say which sequences.

#include "tests/support/number_from.h"
#include "tests/unit/worker/core.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace helsekontakter::test {
namespace {

using namespace std::chrono_literals;

class Weather {
 public:
  explicit Weather(std::uint64_t seed) : random_(seed) {
    settings_ = prompt();
    settings_.ledger.enabled = settings_.foretells = true;
    settings_.remembered_keys_max = below(2) * 16'384;
    settings_.api.in_flight_max = 2 + below(4);
    settings_.api.in_flight_per_organization_max = 1 + below(4);
    settings_.batch.entries_max = 1 + below(4);
    settings_.member.every_inactive = below(3) == 0;
    settings_.unsettled_max = below(3) == 0 ? 6 : 0;
    settings_.brake.rejected_in_row_max = 100'000;
    settings_.brake.rejected_share_max = 1;
    if (below(3) == 0) settings_.retry.park_after = 5s;
    core_ = std::make_unique<Core>(settings_);
    assign();
  }

  void step() {
    const std::size_t what = below(100);
    if (what < 22) {
      send();
    } else if (what < 45) {
      deliver();
    } else if (what < 62) {
      answer();
    } else if (what < 80) {
      record();
    } else if (what < 91) {
      pass(std::vector<Milliseconds>{50ms, 1s, 40s, 3min, 61min, 25h}[below(6)]);
    } else if (what < 95) {
      lose();
    } else if (what < 98) {
      crash();
    }
  }

  /// Everything comes, everything is accepted.
  void calm() {
    for (int i = 0; i < 300; ++i) {
      deliver();
      while (core_->in_flight() > 0) end_request(answered(core_->request()));
      while (core_->is_recording()) record();
      pass(i < 100 ? Milliseconds(5s) : Milliseconds(20h));
    }
    for (const Message& message : queue_) {
      if (!message.settled) faults_ += "not settled: " + message.event + "; ";
      if (!told_.contains(message.event)) faults_ += "no result: " + message.event + "; ";
    }
    if (core_->status().changes_held > 0) faults_ += "changes are held; ";
  }

  [[nodiscard]] const std::string& faults() const { return faults_; }

 private:
  struct Message {
    std::string event;
    std::string member;
    bool settled = false;
    bool at_hand = false;
  };

  std::size_t below(std::size_t end) { return random_.up_to(end - 1); }

  /// A newer version, or another event of the newest one.
  void send() {
    const std::string member = std::vector<std::string>{"ada", "bob", "sit:cy"}[below(3)];
    int& version = versions_[member];
    if (version == 0 || below(4) > 0) ++version;
    const std::string content = below(3) == 0 ? "=same" : "";
    queue_.push_back({member + "@" + std::to_string(version) + content, member});
  }

  /// Some, in the queue's order of each member; the others later.
  void deliver() {
    std::string events;
    std::set<std::string> later;
    std::size_t left = 1 + below(3);
    for (std::size_t i = 0; i < queue_.size() && left > 0; ++i) {
      Message& message = queue_[i];
      if (message.settled || message.at_hand || later.contains(message.member)) continue;
      if (below(3) == 0) {
        later.insert(message.member);
        continue;
      }
      events += message.event + " ";
      message.at_hand = true;
      at_offset_.push_back(i);
      --left;
    }
    core_->deliver(events);
    look();
  }

  void answer() {
    if (core_->in_flight() == 0) return;
    const std::size_t how = below(8);
    const Submit& submit = core_->request();
    if (how < 3) return end_request(answered(submit));
    if (how == 3) return end_request(refused(503));
    if (how == 4) return end_request(refused(403));
    if (how == 5) return end_request(unknown());
    if (how == 6) return end_request(refused(400));
    core_->say_inactive();
    look();
  }

  void end_request(SubmissionOutcome outcome) {
    core_->answer(std::move(outcome));
    look();
  }

  /// What the record settles the broker takes away; at a crash it may not have heard of it.
  void record() {
    if (!core_->is_recording()) return;
    std::set<Offset> settled;
    for (const Conclusion& conclusion : core_->recording().conclusions) {
      if (conclusion.settles) settled.insert(conclusion.delivery->position.offset);
      if (!conclusion.publishes || conclusion.verdict == Verdict::inactive) continue;
      told_.insert(std::string(conclusion.delivery->texts[Texts::Field::id]));
    }
    const bool ours = !core_->recording().progress.empty();
    (void)core_->record();
    if (ours) settle(settled);
    look();
  }

  /// What the core counts as done; an adapter settles what it hears of each conclusion.
  void settle(const std::set<Offset>& settled) {
    const ProgressMark mark = core_->mark();
    for (std::size_t offset = 0; offset < at_offset_.size(); ++offset) {
      const auto at = static_cast<Offset>(offset);
      bool done = at < core_->committed();
      for (const auto& [from, to] : mark.concluded) done = done || (at >= from && at < to);
      if (done) queue_[at_offset_[offset]].settled = true;
      if (!done && settled.contains(at)) faults_ += "settled, but not concluded; ";
    }
  }

  void lose() {
    core_->lose();
    if (core_->is_recording()) core_->fail_record();
    give_back();
    assign();
  }

  void crash() {
    core_ = std::make_unique<Core>(settings_, core_->take_ledger());
    core_->pass(passed_);
    ++process_;
    give_back();
    assign();
  }

  /// Of what was settled since the assignment, the broker may not have heard.
  void give_back() {
    for (const std::size_t index : at_offset_) {
      if (below(2) == 0) queue_[index].settled = false;
    }
    for (Message& message : queue_) message.at_hand = false;
  }

  void assign() {
    at_offset_.clear();
    core_->assign();
    look();
  }

  void pass(Milliseconds time) {
    passed_ += time;
    core_->pass(time);
    look();
  }

  /// What was submitted since the last look.
  void look() {
    for (std::size_t i = 0; i < core_->in_flight(); ++i) {
      const Submit& submit = core_->request(i);
      if (!seen_.insert({process_, static_cast<std::uint64_t>(submit.id)}).second) continue;
      for (const Event& event : events(shape(submit))) {
        std::int64_t& newest = submitted_[event.organization + ":" + event.name];
        if (event.version < newest) faults_ += "older over newer: " + shape(submit) + "; ";
        newest = std::max(newest, event.version);
      }
    }
  }

  Random random_;
  WorkerSettings settings_;
  std::unique_ptr<Core> core_;
  std::vector<Message> queue_;
  std::vector<std::size_t> at_offset_;  ///< which message stands at an offset of this assignment
  std::map<std::string, int> versions_;
  std::map<std::string, std::int64_t> submitted_;
  std::set<std::pair<int, std::uint64_t>> seen_;
  std::set<std::string> told_;
  Milliseconds passed_{};
  int process_ = 0;
  std::string faults_;
};

TEST(QueueWeather, NeverTurnsVersionsRoundAndLosesNothing) {
  const std::uint64_t first = number_from("QUEUE_SEED", 1);
  const std::uint64_t count = number_from("QUEUE_SEEDS", 2000);
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    Weather weather(seed);
    for (int i = 0; i < 80; ++i) weather.step();
    weather.calm();
    ASSERT_EQ(weather.faults(), "") << "again: QUEUE_SEED=" << seed << " QUEUE_SEEDS=1";
  }
}

}  // namespace
}  // namespace helsekontakter::test
