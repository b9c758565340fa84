#include "adapters/amqp/recorder_loop.h"

#include "adapters/amqp/result_message.h"
#include "adapters/clock/wall_now.h"
#include "adapters/results/dead_letter_reason.h"
#include "worker/domain/ensure.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <proton/binary.hpp>
#include <proton/error_condition.hpp>
#include <proton/sender_options.hpp>
#include <proton/symbol.hpp>
#include <proton/target.hpp>
#include <proton/target_options.hpp>

namespace helsekontakter::amqp {
namespace {

constexpr Milliseconds recorder_grace{1000};

/// A delivery's tag names the record and the message in it, so that what an older attempt left
/// behind is known as such.
using Tag = std::array<std::uint64_t, 2>;

proton::binary make_tag(std::uint64_t work, std::size_t publication) {
  const Tag tag{work, publication};
  proton::binary bytes(sizeof tag);
  std::memcpy(bytes.data(), tag.data(), sizeof tag);
  return bytes;
}

}  // namespace

AmqpRecorder::Loop::Loop(RecordSettings settings, crypto::Password password, std::string origin,
                         ResultText text, Steps steps, Inbox& inbox, Observer observer)
    : ConnectionLoop(settings_.connection, std::move(password), settings_.address,
                     observer_.trouble),
      settings_(std::move(settings)),
      origin_(std::move(origin)),
      text_(std::move(text)),
      steps_(std::move(steps)),
      inbox_(inbox),
      observer_(std::move(observer)) {
  results_.address = settings_.address;
  letters_.address = settings_.dead_letter_address;
}

AmqpRecorder::Loop::~Loop() {
  stop();
}

void AmqpRecorder::Loop::record(Record record) {
  {
    const std::lock_guard lock(mail_mutex_);
    ensure(!waiting_);
    waiting_ = std::move(record);
  }
  wake();
}

void AmqpRecorder::Loop::stop() {
  end(recorder_grace);
}

void AmqpRecorder::Loop::turn() {
  std::optional<Record> record;
  std::vector<Answer> answers;
  {
    const std::lock_guard lock(mail_mutex_);
    record.swap(waiting_);
    answers.swap(answers_);
  }
  for (const Answer& answer : answers) take(answer);
  if (record) take(std::move(*record));
  check_deadlines();
  if (step_waits_ && Clock::now() >= again_at_) {
    run_step(stage_, stage_ == Stage::ledger ? steps_.ledger : steps_.settle);
  }
  publish();
}

void AmqpRecorder::Loop::take(Record record) {
  ensure(stage_ == Stage::idle);
  record_ = std::make_shared<const Record>(std::move(record));
  ++work_;
  begun_ = Clock::now();
  deadline_ = begun_ + settings_.record_timeout;
  confirmed_ = 0;
  refusals_ = 0;
  told_refusal_ = false;
  pause_ = Milliseconds{0};
  again_at_ = {};
  run_step(Stage::ledger, steps_.ledger);
}

/// A step may answer before it returns, from its own thread later, or never.
void AmqpRecorder::Loop::run_step(Stage stage, const Step& step) {
  stage_ = stage;
  step_waits_ = false;
  if (!step) {
    advance(stage);
    return;
  }
  step(record_, [weak = weak_from_this(), work = work_, stage](Result<void> result) {
    const auto loop = weak.lock();
    if (!loop) return;
    {
      const std::lock_guard lock(loop->mail_mutex_);
      loop->answers_.push_back({work, stage, std::move(result)});
    }
    loop->wake();
  });
}

void AmqpRecorder::Loop::take(const Answer& answer) {
  if (answer.work != work_ || answer.stage != stage_) return;
  if (answer.result) {
    advance(answer.stage);
    return;
  }
  const Error& error = answer.result.error();
  if (error.remedy != Remedy::retry || !std::exchange(told_refusal_, true)) {
    tell(observer_.trouble, error);
  }
  if (error.remedy != Remedy::retry) return finish(false);
  // Failing the record would have its changes submitted again, and mend nothing.
  pause();
  step_waits_ = true;
}

void AmqpRecorder::Loop::advance(Stage done) {
  switch (done) {
    case Stage::idle:
      return;
    case Stage::ledger:
      stage_ = Stage::publishing;
      prepare();
      publish();
      return;
    case Stage::publishing:
      run_step(Stage::settling, steps_.settle);
      return;
    case Stage::settling:
      finish(true);
      return;
  }
}

/// Lists what is to be published.
void AmqpRecorder::Loop::prepare() {
  publications_.clear();
  for (std::uint32_t i = 0; i < record_->conclusions.size(); ++i) {
    const Conclusion& conclusion = record_->conclusions[i];
    // What only waits in the ledger from now on, and null values of a compacted topic.
    if (!conclusion.publishes || std::holds_alternative<Tombstone>(conclusion.delivery->content)) {
      continue;
    }
    publications_.push_back({.conclusion = i});
    if (!letters_.address.empty() && results::is_dead_letter(conclusion.verdict)) {
      publications_.push_back({.conclusion = i, .is_dead_letter = true});
    }
  }
  text_.begin(*record_, wall_now());
  results_.next = letters_.next = 0;
  results_.sent = letters_.sent = 0;
}

void AmqpRecorder::Loop::publish() {
  if (stage_ != Stage::publishing) return;
  if (confirmed_ == publications_.size()) {
    advance(Stage::publishing);
    return;
  }
  if (!is_open() || Clock::now() < again_at_) return;
  publish(results_, false);
  if (!letters_.address.empty()) publish(letters_, true);
}

/// As many as there is credit and room for; on_sendable and the answers come back here.
void AmqpRecorder::Loop::publish(Outlet& outlet, bool dead_letters) {
  const WallTime now = wall_now();
  const auto may_send = [&] {
    return outlet.sender.credit() > 0 && outlet.sent < settings_.unconfirmed_max;
  };
  for (; outlet.next < publications_.size() && may_send(); ++outlet.next) {
    Publication& publication = publications_[outlet.next];
    if (publication.is_dead_letter != dead_letters || publication.state != Sending::waiting) {
      continue;
    }
    const Conclusion& conclusion = record_->conclusions[publication.conclusion];
    outlet.sender.send(dead_letters
                           ? dead_letter(conclusion, outlet.address, origin_, now)
                           : result_message(conclusion, text_, settings_.mode, outlet.address, now),
                       make_tag(work_, outlet.next));
    publication.state = Sending::sent;
    ++outlet.sent;
  }
}

AmqpRecorder::Loop::Publication* AmqpRecorder::Loop::publication_of(
    const proton::tracker& tracker) {
  const proton::binary bytes = tracker.tag();
  Tag tag{};
  if (bytes.size() != sizeof tag) return nullptr;
  std::memcpy(tag.data(), bytes.data(), sizeof tag);
  if (stage_ != Stage::publishing || tag[0] != work_ || tag[1] >= publications_.size()) {
    return nullptr;
  }
  Publication& publication = publications_[tag[1]];
  return publication.state == Sending::sent ? &publication : nullptr;
}

void AmqpRecorder::Loop::on_tracker_accept(proton::tracker& tracker) {
  Publication* publication = publication_of(tracker);
  if (publication == nullptr) return;
  publication->state = Sending::confirmed;
  if (++confirmed_ == publications_.size()) return advance(Stage::publishing);
  Outlet& outlet = outlet_of(*publication);
  // Without waiting for the next turn, which comes ten times a second.
  if (--outlet.sent == settings_.unconfirmed_max / 2) publish();
}

void AmqpRecorder::Loop::on_tracker_reject(proton::tracker& tracker) {
  refused(tracker,
          "rejected a result: look at the queue's limits (length, message size) and at "
          "the broker's log");
}

void AmqpRecorder::Loop::on_tracker_release(proton::tracker& tracker) {
  refused(tracker, tracker.state() == proton::transfer::MODIFIED
                       ? "could not deliver a result: look at the broker's log"
                       : "released a result, so no queue takes it: create the queue, or bind one "
                         "to the exchange");
}

void AmqpRecorder::Loop::on_tracker_settle(proton::tracker& tracker) {
  if (publication_of(tracker) != nullptr) {
    refused(tracker, "settled a result without saying what became of it: look at the broker's log");
  }
}

/// The record cannot become durable without it, so it is sent again, after a pause.
void AmqpRecorder::Loop::refused(const proton::tracker& tracker, const std::string& how) {
  Publication* publication = publication_of(tracker);
  if (publication == nullptr) return;
  publication->state = Sending::waiting;
  ++refusals_;
  Outlet& outlet = outlet_of(*publication);
  --outlet.sent;
  outlet.next = std::min(outlet.next, static_cast<std::size_t>(publication - publications_.data()));
  pause();
  if (std::exchange(told_refusal_, true)) return;
  tell(observer_.trouble, Error{Remedy::retry, "the broker, asked to write to " + outlet.address +
                                                   ", " + how + "; it is tried again"});
}

/// What failed is tried again after a pause, which grows.
void AmqpRecorder::Loop::pause() {
  if (Clock::now() < again_at_) return;
  pause_ = std::clamp(pause_ * 2, settings_.retry_first, settings_.retry_max);
  again_at_ = Clock::now() + pause_;
}

void AmqpRecorder::Loop::opened(proton::connection& connection) {
  links_by_ = Clock::now() + settings_.connection.open_timeout;
  for (Outlet* outlet : {&results_, &letters_}) {
    if (outlet->address.empty()) continue;
    proton::target_options target;
    // RabbitMQ makes a /queue/NAME that is missing, and makes it durable only if the terminus is.
    target.address(outlet->address)
        .durability_mode(proton::target::UNSETTLED_STATE)
        .capabilities({proton::symbol("queue")});
    proton::sender_options options;
    options.target(target).delivery_mode(proton::delivery_mode::AT_LEAST_ONCE);
    outlet->sender = connection.open_sender(outlet->address, options);
  }
}

void AmqpRecorder::Loop::on_sender_open(proton::sender& sender) {
  // A refused link is opened without an address first and closed with the reason right after.
  if (sender.target().address().empty()) return;
  for (Outlet* outlet : {&results_, &letters_}) {
    if (!outlet->address.empty() && outlet->sender == sender) outlet->open = true;
  }
  if (!is_open()) return;
  is_well();
  publish();
}

bool AmqpRecorder::Loop::is_open() const {
  return results_.open && (letters_.address.empty() || letters_.open);
}

void AmqpRecorder::Loop::on_sendable(proton::sender&) {
  publish();
}

void AmqpRecorder::Loop::on_sender_error(proton::sender& sender) {
  const std::string& address = sender == results_.sender ? results_.address : letters_.address;
  give_up(explain(Level::sender, address, sender.error()));
}

void AmqpRecorder::Loop::on_sender_close(proton::sender& sender) {
  const std::string& address = sender == results_.sender ? results_.address : letters_.address;
  give_up({Remedy::retry, "the broker detached the worker from " + address +
                              " without a reason; it attaches again"});
}

void AmqpRecorder::Loop::closed() {
  for (Outlet* outlet : {&results_, &letters_}) {
    outlet->sender = {};
    outlet->open = false;
    outlet->next = outlet->sent = 0;
  }
  // Whether the broker has it is not known: it is sent once more, with the same id.
  for (Publication& publication : publications_) {
    if (publication.state == Sending::sent) publication.state = Sending::waiting;
  }
}

void AmqpRecorder::Loop::check_deadlines() {
  const auto now = Clock::now();
  const bool links_wanted = results_.sender && !is_open();
  if (links_wanted && now >= links_by_) {
    give_up({Remedy::retry, "the broker did not answer within " +
                                std::to_string(settings_.connection.open_timeout.count()) +
                                " ms when the worker attached to " + settings_.address +
                                "; check the broker's health"});
  }
  if (stage_ == Stage::idle || now < deadline_) return;
  tell(observer_.trouble,
       Error{Remedy::retry,
             "a record was not durable within " + std::to_string(settings_.record_timeout.count()) +
                 " ms (" + std::to_string(confirmed_) + " of " +
                 std::to_string(publications_.size()) +
                 " results confirmed); its changes are read again. Check the broker"});
  finish(false);
}

void AmqpRecorder::Loop::finish(bool durable) {
  std::size_t letters = 0;
  for (const Publication& publication : publications_) {
    if (publication.is_dead_letter) ++letters;
  }
  tell(observer_.recorded,
       Recording{.durable = durable,
                 .results = publications_.size() - letters,
                 .dead_letters = letters,
                 .refused = refusals_,
                 .took = std::chrono::duration_cast<Milliseconds>(Clock::now() - begun_)});
  const RecordId id = record_->id;
  stage_ = Stage::idle;
  step_waits_ = false;
  publications_.clear();
  record_.reset();
  inbox_.push(Recorded{id, durable});
}

}  // namespace helsekontakter::amqp
