#include "adapters/amqp/connection_loop.h"

#include <algorithm>
#include <utility>

#include <proton/duration.hpp>
#include <proton/error.hpp>
#include <proton/error_condition.hpp>
#include <proton/session.hpp>
#include <proton/work_queue.hpp>

namespace helsekontakter::amqp {
namespace {

using namespace std::chrono_literals;

constexpr auto tick_every = 100ms;
constexpr auto well_after = 5s;
constexpr auto tell_again_after = 60s;

std::mt19937_64 seeded() {
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device()};
  return std::mt19937_64(seed);
}

}  // namespace

ConnectionLoop::ConnectionLoop(const Connection& settings, crypto::Password password,
                               const std::string& subject,
                               const std::function<void(const Error&)>& trouble)
    : settings_(settings),
      password_(std::move(password)),
      subject_(subject),
      trouble_(trouble),
      random_(seeded()) {}

Result<void> ConnectionLoop::begin() {
  if (const auto fine = check(settings_); !fine) return fine;
  for (const std::string& url : settings_.urls) endpoints_.push_back(*parse_endpoint(url));
  thread_ = std::thread([this] { run(); });
  return {};
}

void ConnectionLoop::wake() {
  const std::lock_guard lock(mutex_);
  if (woken_) return;
  woken_ = true;
  changed_.notify_all();
  if (queue_ != nullptr) queue_->add([this] { tick(); });
}

void ConnectionLoop::end(Milliseconds grace) {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    stop_at_ = Clock::now() + grace;
  }
  wake();
  thread_.join();
}

void ConnectionLoop::run() {
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) break;
    }
    run_container();
    rest();
  }
}

void ConnectionLoop::run_container() {
  const Endpoint& endpoint = endpoints_[next_endpoint_++ % endpoints_.size()];
  peer_ = endpoint.text();
  open_ = told_ = cut_ = false;
  well_since_ = {};
  open_by_ = Clock::now() + settings_.open_timeout;
  const auto password = password_.read();
  if (!password) {
    report(password.error());
    return;
  }
  std::optional<proton::container> container;
  try {
    container.emplace(*this, settings_.container_id);
    container->client_connection_options(options_for(settings_, *password, endpoint));
    container_ = &*container;
    container->run();
  } catch (const std::exception& error) {
    // Also what Proton throws at a message that it cannot decode: the broker keeps it.
    report({Remedy::retry, "the AMQP connection to " + peer_ + " was dropped: " + error.what() +
                               "; it is made anew. If this repeats, a message in the queue is "
                               "not valid AMQP: move it away"});
  }
  {
    const std::lock_guard lock(mutex_);
    queue_ = nullptr;
  }
  container_ = nullptr;
  connection_ = {};
  closed();  // before the container goes: links and deliveries are parts of it
}

/// Full jitter: replicas that lost the same broker must not come back in step.
void ConnectionLoop::rest() {
  if (well_since_ != Clock::time_point{} && Clock::now() - well_since_ >= well_after) {
    pause_ = Milliseconds{0};
  }
  pause_ = std::clamp(pause_ * 2, settings_.pause_first, settings_.pause_max);
  std::uniform_int_distribution<Milliseconds::rep> share(0, pause_.count());
  const auto until = Clock::now() + Milliseconds{share(random_)};
  while (Clock::now() < until) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_until(lock, std::min<Clock::time_point>(until, Clock::now() + tick_every),
                          [this] { return woken_ || stopping_; });
      woken_ = false;
      if (stopping_) return;
    }
    turn();
  }
}

/// A timer is not the connection's turn: what is done to it there lies until its next event.
void ConnectionLoop::tick_on_connection() {
  {
    const std::lock_guard lock(mutex_);
    if (queue_ != nullptr) {
      queue_->add([this] { tick(); });
      return;
    }
  }
  tick();
}

/// Everything that is not an event of the connection: mail, deadlines, the stop.
void ConnectionLoop::tick() {
  bool stopping = false;
  Clock::time_point stop_at;
  {
    const std::lock_guard lock(mutex_);
    woken_ = false;
    stopping = stopping_;
    stop_at = stop_at_;
  }
  turn();
  if (container_ == nullptr || cut_) return;
  const auto now = Clock::now();
  if (!open_ && now >= open_by_) {
    give_up({Remedy::retry, "the AMQP broker " + peer_ + " did not answer within " +
                                std::to_string(settings_.open_timeout.count()) +
                                " ms; check that this port speaks AMQP 1.0 and nothing between "
                                "swallows it"});
    return;
  }
  if (!stopping) return;
  if (open_ && !letting_go_) {
    letting_go_ = true;
    let_go();
  }
  if (now >= stop_at || !open_) {
    cut();
  } else if (ended()) {
    told_ = true;
    connection_.close();
  }
}

/// A container ends when its connection is cut off and no timer is left: tick() sets none after.
void ConnectionLoop::cut() {
  told_ = cut_ = true;
  if (container_ != nullptr) container_->stop();
}

void ConnectionLoop::give_up(const Error& why) {
  report(why);
  cut();
}

/// Each attempt fails alike while the broker is away: that is said now and then.
void ConnectionLoop::report(const Error& why) {
  if (told_) return;
  told_ = true;
  if (why.message == last_trouble_ && Clock::now() < tell_again_) return;
  last_trouble_ = why.message;
  tell_again_ = Clock::now() + tell_again_after;
  tell(trouble_, why);
}

void ConnectionLoop::is_well() {
  well_since_ = Clock::now();
  last_trouble_.clear();
}

void ConnectionLoop::soon(proton::work work) {
  const std::lock_guard lock(mutex_);
  if (queue_ != nullptr) queue_->add(std::move(work));
}

void ConnectionLoop::on_container_start(proton::container& container) {
  const Endpoint& endpoint = endpoints_[(next_endpoint_ - 1) % endpoints_.size()];
  container.connect(endpoint.url());
  // Each sets the next; the last one ends the container that was cut.
  struct Chain {
    ConnectionLoop* loop;
    void operator()() const {
      if (loop->container_ == nullptr || loop->cut_) return;
      loop->tick_on_connection();
      if (loop->cut_) return;
      loop->container_->schedule(
          proton::duration(std::chrono::duration_cast<Milliseconds>(tick_every).count()), *this);
    }
  };
  Chain{this}();
}

void ConnectionLoop::on_connection_open(proton::connection& connection) {
  open_ = true;
  connection_ = connection;
  {
    const std::lock_guard lock(mutex_);
    queue_ = &connection.work_queue();
  }
  opened(connection);
}

void ConnectionLoop::on_connection_error(proton::connection& connection) {
  report(explain(Level::connection, peer_, connection.error()));
}

void ConnectionLoop::on_connection_close(proton::connection&) {
  report({Remedy::retry, "the AMQP broker " + peer_ + " closed the connection; it is made anew"});
}

void ConnectionLoop::on_session_error(proton::session& session) {
  give_up(explain(Level::session, subject_ + " at " + peer_, session.error()));
}

void ConnectionLoop::on_transport_error(proton::transport& transport) {
  // What is wrong with an end in the middle of a frame depends on whether all was well before.
  if (open_ && transport.error().name() == "amqp:connection:framing-error") {
    report({Remedy::retry, "the AMQP connection to " + peer_ + " was cut; it is made anew"});
    return;
  }
  report(explain(Level::connection, peer_, transport.error()));
}

void ConnectionLoop::on_transport_close(proton::transport&) {
  {
    const std::lock_guard lock(mutex_);
    queue_ = nullptr;
  }
  report({Remedy::retry, "the AMQP connection to " + peer_ + " was lost; it is made anew"});
  cut();
}

void ConnectionLoop::on_error(const proton::error_condition& condition) {
  report(explain(Level::connection, peer_, condition));
}

}  // namespace helsekontakter::amqp
