#pragma once

#include "adapters/https/pooled_client.h"
#include "adapters/https/resolver.h"
#include "adapters/https/tls.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace helsekontakter::https {

using SteadyPoint = std::chrono::steady_clock::time_point;

/// One request on its way, with what its callback needs. Owned by the queue, then by a connection.
struct Exchange {
  Request request;
  std::function<void(Answer)> done;
  SteadyPoint connect_by;
  std::chrono::system_clock::time_point written_at;
};

struct HostPort {
  std::string host;
  std::uint16_t port = 0;

  friend bool operator==(const HostPort&, const HostPort&) = default;
  [[nodiscard]] std::string text() const;
};

/// Where a connection leads; equal routes may share one.
struct Route {
  HostPort peer;
  bool tls = true;

  friend bool operator==(const Route&, const Route&) = default;
  [[nodiscard]] std::string text() const;
};

/// One TCP connection, its TLS, and the one exchange that runs on it. Lives on the client's
/// thread; owned by the pool and by its own pending operations. Its life:
///   resolving → connecting → (proxying) → (securing) → exchanging ⇄ idle → closed.
/// A read is pending while an exchange runs, also during its write, so that an early answer is not
/// missed; while idle the socket is watched, not read.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  enum class State : std::uint8_t {
    resolving,
    connecting,
    proxying,
    securing,
    exchanging,
    idle,
    closed
  };

  /// The pool, told before the callback of the exchange is called.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_opened(bool session_resumed) = 0;
    virtual void on_idle(Connection& connection) = 0;
    virtual void on_closed(Connection& connection) = 0;
  };

  struct Surroundings {
    boost::asio::io_context& io;
    Resolver& resolver;
    TlsContext& tls;
    Owner& owner;
    std::optional<HostPort> proxy;
    Milliseconds idle_max;
    std::string section;  ///< of the options that errors name
  };

  Connection(Surroundings& around, Route route);

  /// Connects and runs the exchange.
  void open(std::unique_ptr<Exchange> exchange);
  /// Runs the exchange on this idle connection. False, leaving the exchange alone and closing,
  /// when the peer has closed it or spoken unasked: nothing was written.
  [[nodiscard]] bool try_exchange(std::unique_ptr<Exchange>& exchange);
  /// Ends the exchange as stopped and closes. Does nothing when closed.
  void stop();

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] const Route& route() const { return route_; }

 private:
  using Tcp = boost::asio::ip::tcp;
  using ErrorCode = boost::system::error_code;
  using AnswerParser = boost::beast::http::response_parser<boost::beast::http::string_body>;
  using ProxyParser = boost::beast::http::response_parser<boost::beast::http::empty_body>;

  // Opening, each step on the success of the one before.
  void connect_next();
  void on_connected();
  void ask_proxy();
  void on_proxy_answer(const ErrorCode& error, std::size_t bytes);
  void secure();

  // The exchange.
  void begin();
  void write();
  void read();
  void on_read(const ErrorCode& error, std::size_t bytes);
  [[nodiscard]] bool parse();
  void on_end_of_stream(const ErrorCode& error);
  void new_parser();
  void conclude();
  [[nodiscard]] bool is_stale();
  void watch();

  // Ending.
  void wait_until(SteadyPoint deadline);
  void on_deadline();
  void fail_with(Failure::Phase phase, std::string text);
  void finish(Answer answer, bool reusable);
  void close();

  Surroundings& around_;
  const Route route_;
  State state_ = State::resolving;
  Tcp::socket socket_;
  std::optional<boost::asio::ssl::stream<Tcp::socket&>> tls_;
  boost::asio::steady_timer deadline_;  ///< of the present state
  boost::asio::steady_timer attempt_;   ///< of one address, when others are left
  std::vector<boost::asio::ip::address> addresses_;
  std::size_t next_address_ = 0;
  std::string head_;  ///< what is written before the body
  boost::beast::flat_buffer buffer_;
  std::optional<AnswerParser> answer_;
  std::optional<ProxyParser> proxy_answer_;
  std::unique_ptr<Exchange> exchange_;
  std::string body_;  ///< of the request; outlives the exchange while its write is pending
  std::shared_ptr<const std::string> shared_body_;
  bool watching_ = false;
  bool writing_ = false;
  bool write_begun_ = false;
  bool write_ended_ = false;
};

}  // namespace helsekontakter::https
