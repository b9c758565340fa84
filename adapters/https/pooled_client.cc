#include "adapters/https/pooled_client.h"

#include "adapters/https/connection.h"
#include "worker/domain/ensure.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace helsekontakter::https {

namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

/// Requests that may wait for a connection; more are refused as not connected.
constexpr std::size_t waiting_max = 4096;

Answer failed(Failure::Phase phase, std::string text) {
  return tl::unexpected(Failure{.phase = phase, .text = std::move(text)});
}

Answer stopped() {
  return failed(Failure::Phase::stopped, "the client is shutting down: nothing was sent");
}

/// "http://host:port", nothing else: credentials would end in a log.
Result<HostPort> parse_proxy(std::string_view text) {
  const std::string as_https =
      "https" + std::string(text.substr(std::min<std::size_t>(4, text.size())));
  const auto url = Url::parse(as_https);
  const bool has_port = text.rfind(':') > std::string_view("http").size() && !text.ends_with(']');
  if (!text.starts_with("http://") || !url || url->target != "/" || !has_port) {
    return fail(Remedy::stop, "api.proxy must be http://host:port, without user or path");
  }
  return HostPort{url->host, url->port};
}

}  // namespace

/// Connections and the requests that wait for one. All but post() and stop() on its own thread.
class PooledClient::Pool : private Connection::Owner {
 public:
  Pool(ClientSettings settings, std::optional<HostPort> proxy, std::unique_ptr<TlsContext> tls,
       Lookup lookup)
      : settings_(std::move(settings)),
        tls_(std::move(tls)),
        resolver_(io_, std::move(lookup)),
        around_{
            io_, resolver_, *tls_, *this, std::move(proxy), settings_.idle_max, settings_.section},
        thread_([this] { io_.run(); }) {}

  ~Pool() override { stop(steady_clock::now()); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  void post(std::unique_ptr<Exchange> exchange) {
    {
      const std::lock_guard lock(mutex_);
      if (!stopping_) {
        asio::post(io_, [this, held = std::move(exchange)]() mutable { accept(std::move(held)); });
        return;
      }
    }
    exchange->done(stopped());
  }

  void stop(SteadyPoint deadline) {
    ensure(std::this_thread::get_id() != thread_.get_id());
    {
      const std::lock_guard lock(mutex_);
      if (!stopping_) {
        stopping_ = true;
        asio::post(io_, [this, deadline] { wind_up(deadline); });
      }
    }
    const std::lock_guard joining(join_mutex_);
    if (thread_.joinable()) thread_.join();
  }

  [[nodiscard]] ClientCounts counts() const {
    return {opened_.load(), reused_.load(), found_stale_.load(), resumed_.load()};
  }

 private:
  void accept(std::unique_ptr<Exchange> exchange) {
    if (waiting_.size() >= waiting_max) {
      exchange->done(failed(Failure::Phase::connect,
                            "more than " + std::to_string(waiting_max) +
                                " requests wait for a connection; send fewer at a time"));
      return;
    }
    waiting_.push_back(std::move(exchange));
    dispatch();
  }

  /// Starts what waits, first come first served, until no connection is free for the next one.
  void dispatch() {
    if (dispatching_) return;  // a closing connection calls back from within
    dispatching_ = true;
    while (!waiting_.empty() && start_first()) {
    }
    dispatching_ = false;
    watch_waiting();
  }

  bool start_first() {
    const Url& url = waiting_.front()->request.url;
    const Route route{{url.host, url.port}, url.tls};
    while (const auto kept = idle(&route)) {
      auto exchange = take_first();
      if (kept->try_exchange(exchange)) {
        ++reused_;
        return true;
      }
      ++found_stale_;
      waiting_.push_front(std::move(exchange));
    }
    if (connections_.size() >= settings_.connections_max) {
      const auto other = idle(nullptr);
      if (!other) return false;
      other->stop();
    }
    const auto fresh = std::make_shared<Connection>(around_, route);
    connections_.push_back(fresh);
    fresh->open(take_first());
    return true;
  }

  std::unique_ptr<Exchange> take_first() {
    auto exchange = std::move(waiting_.front());
    waiting_.pop_front();
    return exchange;
  }

  /// An idle connection of that route, or the oldest idle one of any.
  std::shared_ptr<Connection> idle(const Route* route) {
    const auto found = std::ranges::find_if(connections_, [&](const auto& connection) {
      return connection->state() == Connection::State::idle &&
             (route == nullptr || connection->route() == *route);
    });
    return found == connections_.end() ? nullptr : *found;
  }

  void on_opened(bool session_resumed) override {
    ++opened_;
    if (session_resumed) ++resumed_;
  }

  void on_idle(Connection& connection) override {
    if (winding_up_) return connection.stop();
    dispatch();
  }

  void on_closed(Connection& connection) override {
    std::erase_if(connections_, [&](const auto& kept) { return kept.get() == &connection; });
    if (winding_up_) return end_if_empty();
    dispatch();
  }

  /// One timer for all that wait: set to the earliest deadline.
  void watch_waiting() {
    if (waiting_.empty()) {
      waiting_timer_.cancel();
      return;
    }
    const auto first = std::ranges::min_element(
        waiting_, {}, [](const auto& exchange) { return exchange->connect_by; });
    waiting_timer_.expires_at((*first)->connect_by);
    waiting_timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) give_up_waiting();
    });
  }

  void give_up_waiting() {
    const auto now = steady_clock::now();
    std::vector<std::unique_ptr<Exchange>> late;
    std::erase_if(waiting_, [&](auto& exchange) {
      if (exchange->connect_by > now) return false;
      late.push_back(std::move(exchange));
      return true;
    });
    watch_waiting();
    for (const auto& exchange : late) {
      exchange->done(failed(Failure::Phase::connect,
                            "no connection to " + exchange->request.url.host +
                                " became free in time: all " +
                                std::to_string(settings_.connections_max) + " are in use"));
    }
  }

  void wind_up(SteadyPoint deadline) {
    winding_up_ = true;
    waiting_timer_.cancel();
    const auto waiting = std::exchange(waiting_, {});
    for (const auto& connection : std::vector(connections_)) {
      if (connection->state() != Connection::State::exchanging) connection->stop();
    }
    for (const auto& exchange : waiting) exchange->done(stopped());
    stop_timer_.expires_at(deadline);
    stop_timer_.async_wait([this](const boost::system::error_code& error) {
      if (error) return;
      for (const auto& connection : std::vector(connections_)) connection->stop();
    });
    end_if_empty();
  }

  void end_if_empty() {
    if (!connections_.empty()) return;
    stop_timer_.cancel();
    work_.reset();
  }

  const ClientSettings settings_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  const std::unique_ptr<TlsContext> tls_;
  Resolver resolver_;
  Connection::Surroundings around_;
  asio::steady_timer waiting_timer_{io_};
  asio::steady_timer stop_timer_{io_};
  std::deque<std::unique_ptr<Exchange>> waiting_;
  std::vector<std::shared_ptr<Connection>> connections_;
  bool dispatching_ = false;
  bool winding_up_ = false;

  std::atomic<std::uint64_t> opened_ = 0;
  std::atomic<std::uint64_t> reused_ = 0;
  std::atomic<std::uint64_t> found_stale_ = 0;
  std::atomic<std::uint64_t> resumed_ = 0;

  std::mutex mutex_;
  bool stopping_ = false;  ///< guarded by mutex_; nothing is posted after it is set
  std::mutex join_mutex_;
  std::thread thread_;  ///< last: it uses all of the above
};

Result<std::unique_ptr<PooledClient>> PooledClient::create(ClientSettings settings, Lookup lookup) {
  std::optional<HostPort> proxy;
  if (settings.proxy) {
    auto parsed = parse_proxy(*settings.proxy);
    if (!parsed) return tl::unexpected(std::move(parsed.error()));
    proxy = std::move(*parsed);
  }
  settings.connections_max = std::max<std::size_t>(settings.connections_max, 1);
  try {
    auto tls = TlsContext::create(settings.ca_file, settings.section);
    if (!tls) return tl::unexpected(std::move(tls.error()));
    auto pool = std::make_unique<Pool>(std::move(settings), std::move(proxy), std::move(*tls),
                                       std::move(lookup));
    return std::unique_ptr<PooledClient>(new PooledClient(std::move(pool)));
  } catch (const std::exception& error) {  // OpenSSL or the system has no more to give
    return fail(Remedy::stop, std::string("no HTTP client can be started: ") + error.what());
  }
}

PooledClient::PooledClient(std::unique_ptr<Pool> pool) : pool_(std::move(pool)) {}

PooledClient::~PooledClient() = default;

void PooledClient::send(Request request, std::function<void(Answer)> done) {
  auto exchange = std::make_unique<Exchange>();
  exchange->connect_by = steady_clock::now() + request.connect_timeout;
  exchange->request = std::move(request);
  exchange->done = std::move(done);
  pool_->post(std::move(exchange));
}

void PooledClient::stop(SteadyPoint deadline) {
  pool_->stop(deadline);
}

ClientCounts PooledClient::counts() const {
  return pool_->counts();
}

}  // namespace helsekontakter::https
