#include "adapters/amqp/source_loop.h"

#include "adapters/clock/wall_now.h"
#include "worker/ordering/progress.h"

#include <algorithm>
#include <utility>

#include <proton/error_condition.hpp>
#include <proton/message.hpp>
#include <proton/receiver_options.hpp>
#include <proton/session.hpp>
#include <proton/source.hpp>
#include <proton/source_options.hpp>
#include <proton/symbol.hpp>

namespace helsekontakter::amqp {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t batch_max = 512;
constexpr auto inbox_wait = 10ms;
constexpr auto fresh_for = 1s;  // an assignment that began just now
constexpr Milliseconds source_grace{5000};
constexpr int questions_max = 100;  // of one link: some leave something behind at the broker

}  // namespace

AmqpSource::Loop::Loop(SourceSettings settings, crypto::Password password, Decode decode,
                       Inbox& inbox, Observer observer)
    : ConnectionLoop(settings_.connection, std::move(password), settings_.address,
                     observer_.trouble),
      settings_(std::move(settings)),
      decode_(std::move(decode)),
      inbox_(inbox),
      observer_(std::move(observer)),
      ownership_(settings_.connection.idle_timeout),
      reader_(settings_.address),
      window_(settings_.places_max, settings_.bytes_max),
      clean_(settings_.clean_start),
      question_([this] { drain_answered(); }) {}

AmqpSource::Loop::~Loop() {
  stop();
}

void AmqpSource::Loop::order(SourceOrders orders) {
  {
    const std::lock_guard lock(mail_mutex_);
    orders_.push_back(std::move(orders));
  }
  wake();
}

void AmqpSource::Loop::settle(Settlement settlement) {
  {
    const std::lock_guard lock(mail_mutex_);
    settlements_.push_back(std::move(settlement));
  }
  wake();
}

void AmqpSource::Loop::stop() {
  end(source_grace);
}

void AmqpSource::Loop::turn() {
  if (!ownership_.turned() && link_ != Link::none) {
    give_up({Remedy::retry,
             "the worker stood still for longer than the AMQP idle timeout; the broker may have "
             "given " +
                 settings_.address + " to somebody else, so the connection is made anew"});
    return;
  }
  std::vector<SourceOrders> orders;
  std::vector<Settlement> settlements;
  {
    const std::lock_guard lock(mail_mutex_);
    orders.swap(orders_);
    settlements.swap(settlements_);
  }
  for (const Settlement& settlement : settlements) conclude(settlement);
  for (const SourceOrders& order : orders) obey(order);
  accept();
  check_deadline();
  check_drained();
}

void AmqpSource::Loop::obey(const SourceOrders& orders) {
  const auto names = [this](const std::vector<SourceOrders::Owned>& owned) {
    return std::any_of(owned.begin(), owned.end(),
                       [this](const auto& each) { return each.second == epoch_; });
  };
  if (names(orders.pause)) paused_ = true;
  if (names(orders.resume) && std::exchange(paused_, false)) {
    deliver();
    grant();
  }
  if (names(orders.release) && assigned_) {
    // The core has nothing of it left and told what may still be executed: a clean end.
    assigned_ = false;
    clean_ = true;
    attach_again_ = false;
    leave();
  }
  const bool rereads =
      std::find(orders.reread.begin(), orders.reread.end(), Partition{0}) != orders.reread.end();
  if (rereads && assigned_ && link_ == Link::attached) {
    lose();
    attach_again_ = true;
    leave();
  }
}

void AmqpSource::Loop::opened(proton::connection& connection) {
  connection_ = connection;
  question_.meet(connection);
  tells_first_ = tells_first_ || question_.is_rabbitmq();
  if (link_ != Link::let_go) attach();
}

void AmqpSource::Loop::attach() {
  proton::source_options source;
  // RabbitMQ makes a /queue/NAME that is missing, and makes it durable only if the terminus is.
  source.address(settings_.address)
      .durability_mode(proton::source::UNSETTLED_STATE)
      .capabilities({proton::symbol("queue")});
  proton::receiver_options options;
  options.source(source).credit_window(0).auto_accept(false).delivery_mode(
      proton::delivery_mode::AT_LEAST_ONCE);
  link_ = Link::attaching;
  link_by_ = Clock::now() + settings_.connection.open_timeout;
  session_ = connection_.open_session();
  receiver_ = session_.open_receiver(settings_.address, options);
}

void AmqpSource::Loop::on_receiver_open(proton::receiver& receiver) {
  // A refused link is opened without an address first and closed with the reason right after.
  if (link_ != Link::attaching || receiver != receiver_ || receiver.source().address().empty()) {
    return;
  }
  link_ = Link::attached;
  attach_again_ = false;
  is_well();
  assign(clean_);
  tell_attached(true);
  quiet_since_ = Clock::now();
  questions_left_ = questions_max;
  grant();
}

/// A new epoch begins.
void AmqpSource::Loop::assign(bool clean) {
  epoch_ = Epoch{static_cast<std::uint64_t>(epoch_) + 1};
  assigned_ = fresh_ = true;
  came_again_ = false;
  assigned_at_ = clean ? Clock::time_point{} : Clock::now();  // clean: no wait has begun
  paused_ = false;
  ownership_.take(epoch_);
  const ProgressMark mark{
      .concluded = {}, .submitted_to = next_, .clean = clean, .unsettled = !clean};
  inbox_.push(Assigned{.partition = Partition{0},
                       .epoch = epoch_,
                       .committed = next_,
                       .metadata = encode(mark, next_),
                       .end = next_,
                       .partitions_total = 1,
                       .assigned_together = 1});
}

/// The epoch ends without the core's consent.
void AmqpSource::Loop::lose() {
  ownership_.drop();
  pending_.clear();
  comes_again_ = false;
  if (!std::exchange(assigned_, false)) return;
  if (!fresh_) {
    clean_ = false;
    may_come_back_ = true;
  }
  inbox_.push(Lost{Partition{0}, epoch_});
}

void AmqpSource::Loop::closed() {
  lose();
  unsettled_.forget();
  tell(observer_.unsettled, std::size_t{0});
  question_.drop();
  receiver_ = {};
  session_ = {};
  connection_ = {};
  if (link_ != Link::let_go) link_ = Link::none;
  delivery_is_due_ = false;
  tell_attached(false);
}

void AmqpSource::Loop::tell_attached(bool attached) {
  if (std::exchange(told_attached_, attached) != attached) tell(observer_.attached, attached);
}

void AmqpSource::Loop::on_receiver_error(proton::receiver& receiver) {
  if (!is_ours(receiver)) return;
  give_up(explain(Level::receiver, settings_.address, receiver.error()));
}

void AmqpSource::Loop::on_receiver_close(proton::receiver& receiver) {
  if (!is_ours(receiver) || link_ == Link::leaving) return;
  give_up({Remedy::retry, "the broker detached the worker from " + settings_.address +
                              " without a reason; it attaches again"});
}

void AmqpSource::Loop::on_session_close(proton::session& session) {
  if (link_ != Link::leaving || session != session_) return;
  link_ = attach_again_ ? Link::none : Link::let_go;
  receiver_ = {};
  session_ = {};
  tell_attached(false);
  if (attach_again_) attach();
}

void AmqpSource::Loop::on_receiver_detach(proton::receiver& receiver) {
  on_receiver_close(receiver);
}

bool AmqpSource::Loop::is_ours(const proton::receiver& receiver) const {
  return link_ != Link::none && link_ != Link::let_go && receiver == receiver_;
}

void AmqpSource::Loop::on_message(proton::delivery& delivery, proton::message& message) {
  const bool wanted = link_ == Link::attached && assigned_;
  if (!wanted) {
    // What was under way when credit ended: somebody else's, or ours again later.
    delivery.release();
    return;
  }
  const std::uint32_t count = message.delivery_count();
  // RabbitMQ's classic queues say it by first-acquirer alone; other brokers never set that one.
  const bool first = message.first_acquirer();
  tells_first_ = tells_first_ || first;
  const bool repeated = count > 0 || !first;
  const bool comes_again = count > 0 || (tells_first_ && !first);
  if (comes_again) {
    tell(observer_.redelivered, std::max<std::uint32_t>(count, 1));
  }
  if (repeated && fresh_ && Clock::now() > assigned_at_ + fresh_for) {
    // Somebody may have had it before us, perhaps while we were standing by on a queue with a
    // single active consumer, and may have a request under way: the wait begins now, not at the
    // attach.
    lose();
    assign(false);
  }
  warn_of_ttl(message);
  fresh_ = false;
  comes_again_ = comes_again_ || comes_again;
  came_again_ = comes_again;
  quiet_since_ = Clock::now();
  const Offset offset = next_++;
  pending_.push_back(decode_(reader_.read(message, {Partition{0}, offset}, epoch_, wall_now())));
  unsettled_.add(offset, delivery);
  window_.received(reader_.bytes());
  read_bytes_ += reader_.bytes();
  if (pending_.size() >= batch_max) {
    deliver();
  } else if (!std::exchange(delivery_is_due_, true)) {
    soon([this] { deliver(); });  // with what comes in the same breath
  }
}

/// What came in time is a change like any other, however long it then takes. What did not is the
/// broker's, and nobody here ever hears of it.
void AmqpSource::Loop::warn_of_ttl(const proton::message& message) {
  if (message.ttl() == proton::duration(0) || std::exchange(told_of_ttl_, true)) return;
  tell(observer_.trouble,
       Error{Remedy::retry,
             "messages in " + settings_.address +
                 " have a time to live: the broker takes away what waits for longer, and its "
                 "change is lost. Let the sender set none, and have the broker keep what expires "
                 "(a dead-letter exchange or an expiry address)"});
}

/// Brings what waits to the inbox. A full inbox is asked again, in turns with the connection, whose
/// heartbeats go on.
void AmqpSource::Loop::deliver() {
  delivery_is_due_ = false;
  if (paused_ || pending_.empty() || !assigned_) return;
  const std::size_t count = pending_.size();
  if (!inbox_.push(pending_, Clock::now() + inbox_wait)) {
    delivery_is_due_ = true;
    soon([this] { deliver(); });
    return;
  }
  pending_.clear();
  if (std::exchange(comes_again_, false)) inbox_.push(ComesAgain{Partition{0}, epoch_});
  tell(observer_.read, count, std::exchange(read_bytes_, 0));
  tell(observer_.unsettled, unsettled_.count());
  grant();
}

/// No more is ever granted than may be unsettled. What comes again after a crash or a cut is to
/// come without a settlement, hence without a pause: a pause would end the core's wait, and an
/// older version that is back would go out before the newer one that is not. That may be much more
/// than we left open: a broker that is behind with our settlements loses them with the session.
void AmqpSource::Loop::grant() {
  if (link_ != Link::attached || paused_ || question_.is_draining()) return;
  const std::size_t most = came_again_
                               ? std::max(settings_.unsettled_max, settings_.coming_back_max)
                               : settings_.unsettled_max;
  const std::size_t room = most - std::min(most, unsettled_.count());
  const std::uint32_t more = window_.to_add(receiver_.credit(), pending_.size(), room);
  if (more > 0) receiver_.add_credit(more);
}

void AmqpSource::Loop::conclude(const Settlement& settlement) {
  for (const auto& [epoch, offset] : settlement.deliveries) {
    if (epoch == epoch_) unsettled_.conclude(offset);
  }
  for (const auto& [epoch, below] : settlement.below) {
    if (epoch == epoch_) unsettled_.conclude_below(below);
  }
}

/// In order, where RabbitMQ is to be spared; what has to wait for older ones goes too when it is
/// much, or has waited for long. Who waits here comes again after a crash, and the ledger knows it.
void AmqpSource::Loop::accept() {
  const std::size_t before = unsettled_.count();
  unsettled_.accept_in_order();
  const bool much = unsettled_.concluded() > settings_.unsettled_max / 2;
  const bool waits = question_.is_rabbitmq() && !much;
  const auto now = Clock::now();
  if (unsettled_.concluded() == 0) {
    out_of_order_since_ = now;
  } else if (!waits || now - out_of_order_since_ >= settings_.accept_within) {
    unsettled_.accept_all();
    out_of_order_since_ = now;
  }
  if (unsettled_.count() == before) return;
  quiet_since_ = now;
  tell(observer_.unsettled, unsettled_.count());
  grant();
}

/// Gives back what is not concluded and ends the session, whereupon the broker takes back what was
/// still on its way. Credit is not drained first: RabbitMQ 3.10 answers a drain of a classic queue
/// by a crash of the session, which swallows settlements too (measured).
void AmqpSource::Loop::leave() {
  ownership_.drop();
  if (link_ != Link::attached && link_ != Link::attaching) return;
  unsettled_.give_back();
  pending_.clear();
  question_.drop();
  link_ = Link::leaving;
  link_by_ = Clock::now() + settings_.detach_timeout;
  receiver_.close();
  session_.close();
}

void AmqpSource::Loop::check_deadline() {
  if ((link_ != Link::attaching && link_ != Link::leaving) || Clock::now() < link_by_) return;
  if (link_ == Link::attaching) {
    give_up({Remedy::retry, "the broker did not answer within " +
                                std::to_string(settings_.connection.open_timeout.count()) +
                                " ms when the worker attached to " + settings_.address +
                                "; check the broker's health"});
    return;
  }
  if (!attach_again_) link_ = Link::let_go;
  give_up({Remedy::retry, "the broker did not confirm that the worker let go of " +
                              settings_.address + "; the connection is cut"});
}

/// Nothing is under way in here, and the broker is free to send.
bool AmqpSource::Loop::is_at_rest() const {
  return link_ == Link::attached && assigned_ && !paused_ && unsettled_.count() == 0 &&
         pending_.empty();
}

/// The broker is asked when all is at rest, and its answer is waited for: until it has seen all
/// settlements, credit does not reach the queue, and nothing comes though there is more. It is
/// asked later when an earlier link gave something back: that comes to the queue when the broker
/// has ended the session, which may be after an answer.
void AmqpSource::Loop::check_drained() {
  if (!settings_.drain || told_drained_ || !is_at_rest()) return;
  const auto quiet = Clock::now() - quiet_since_;
  const auto ask_after = may_come_back_ ? settings_.drain_quiet : settings_.drain_ask_after;
  if (quiet >= settings_.drain_unanswered) {
    say_drained();
  } else if (quiet >= ask_after && !question_.is_open() && receiver_.credit() > 0 &&
             questions_left_ > 0) {
    --questions_left_;
    asked_at_ = next_;
    question_.ask(session_, receiver_);
  }
}

void AmqpSource::Loop::on_receiver_drain_finish(proton::receiver& receiver) {
  if (is_ours(receiver)) question_.drained();
}

void AmqpSource::Loop::drain_answered() {
  if (next_ == asked_at_ && is_at_rest()) {
    say_drained();
  } else {
    grant();
  }
}

void AmqpSource::Loop::say_drained() {
  told_drained_ = true;
  tell(observer_.drained);
}

void AmqpSource::Loop::let_go() {
  lose();
  attach_again_ = false;
  leave();
}

bool AmqpSource::Loop::ended() const {
  return link_ == Link::none || link_ == Link::let_go;
}

}  // namespace helsekontakter::amqp
