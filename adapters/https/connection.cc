#include "adapters/https/connection.h"

#include "adapters/https/request_head.h"
#include "worker/domain/ensure.h"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <sys/socket.h>

namespace helsekontakter::https {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t read_bytes = 64 * 1024;
constexpr std::uint32_t head_bytes_max = 64 * 1024;

std::string within(Milliseconds limit, std::string_view option) {
  return " within " + std::to_string(limit.count()) + " ms (" + std::string(option) + ")";
}

Failure::Phase opening_phase(Connection::State state) {
  switch (state) {
    case Connection::State::resolving:
      return Failure::Phase::resolve;
    case Connection::State::proxying:
      return Failure::Phase::proxy;
    case Connection::State::securing:
      return Failure::Phase::tls;
    default:
      return Failure::Phase::connect;
  }
}

}  // namespace

std::string HostPort::text() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string Route::text() const {
  return (tls ? "https://" : "http://") + peer.text();
}

Connection::Connection(Surroundings& around, Route route)
    : around_(around),
      route_(std::move(route)),
      socket_(around.io),
      deadline_(around.io),
      attempt_(around.io) {}

void Connection::open(std::unique_ptr<Exchange> exchange) {
  exchange_ = std::move(exchange);
  wait_until(exchange_->connect_by);
  const HostPort& first = route_.tls && around_.proxy ? *around_.proxy : route_.peer;
  around_.resolver.resolve(
      first.host, [weak = weak_from_this(), host = first.host](const Resolver::Addresses& found) {
        const auto self = weak.lock();
        if (!self || self->state_ != State::resolving) return;
        if (!found) {
          return self->fail_with(Failure::Phase::resolve,
                                 "the host " + host + " was not found (" + found.error().message +
                                     "); check the URL and the DNS server");
        }
        self->addresses_ = *found;
        self->state_ = State::connecting;
        self->connect_next();
      });
}

/// Tries the addresses in turn; each gets an equal share of the time that is left.
void Connection::connect_next() {
  const HostPort& first = route_.tls && around_.proxy ? *around_.proxy : route_.peer;
  const auto now = steady_clock::now();
  const std::size_t left = addresses_.size() - next_address_;
  const auto share = (exchange_->connect_by - now) / static_cast<std::int64_t>(left);
  const Tcp::endpoint endpoint(addresses_[next_address_++], first.port);
  ErrorCode ignored;
  socket_.close(ignored);
  socket_ = Tcp::socket(around_.io);
  if (left > 1) {
    attempt_.expires_at(now + share);
    attempt_.async_wait([self = shared_from_this(), turn = next_address_](const ErrorCode& error) {
      if (error || self->state_ != State::connecting || self->next_address_ != turn) return;
      self->connect_next();
    });
  }
  socket_.async_connect(endpoint, [self = shared_from_this(), endpoint,
                                   turn = next_address_](const ErrorCode& error) {
    if (self->state_ != State::connecting || self->next_address_ != turn) return;
    self->attempt_.cancel();
    if (!error) return self->on_connected();
    if (self->next_address_ < self->addresses_.size()) return self->connect_next();
    self->fail_with(Failure::Phase::connect, self->route_.text() + " cannot be reached at " +
                                                 endpoint.address().to_string() + ": " +
                                                 error.message() +
                                                 "; check the URL, api.proxy and the network");
  });
}

void Connection::on_connected() {
  ErrorCode ignored;  // without these options the connection works all the same
  socket_.set_option(Tcp::no_delay(true), ignored);
  socket_.set_option(asio::socket_base::keep_alive(true), ignored);
  if (!route_.tls) {
    around_.owner.on_opened(false);
    return begin();
  }
  if (around_.proxy) return ask_proxy();
  secure();
}

void Connection::ask_proxy() {
  state_ = State::proxying;
  const std::string peer = route_.peer.text();
  head_ = "CONNECT " + peer + " HTTP/1.1\r\nHost: " + peer + "\r\n\r\n";
  proxy_answer_.emplace();
  proxy_answer_->skip(true);
  asio::async_write(socket_, asio::buffer(head_),
                    [self = shared_from_this()](const ErrorCode& error, std::size_t) {
                      if (self->state_ != State::proxying) return;
                      self->on_proxy_answer(error, 0);
                    });
}

void Connection::on_proxy_answer(const ErrorCode& error, std::size_t bytes) {
  const std::string proxy = "the proxy " + around_.proxy->text() + " (api.proxy)";
  if (error) {
    return fail_with(Failure::Phase::proxy, proxy + " gave no answer: " + error.message());
  }
  buffer_.commit(bytes);
  ErrorCode fault;
  if (buffer_.size() > 0) buffer_.consume(proxy_answer_->put(buffer_.data(), fault));
  if (fault && fault != http::error::need_more) {
    return fail_with(Failure::Phase::proxy, proxy + " answers no HTTP: " + fault.message());
  }
  if (proxy_answer_->is_done()) {
    const unsigned status = proxy_answer_->get().result_int();
    proxy_answer_.reset();
    if (status / 100 == 2 && buffer_.size() == 0) return secure();
    return fail_with(Failure::Phase::proxy, proxy + " opens no way to " + route_.peer.text() +
                                                ": status " + std::to_string(status) +
                                                "; the proxy must allow it");
  }
  socket_.async_read_some(buffer_.prepare(4096), [self = shared_from_this()](
                                                     const ErrorCode& read_error, std::size_t got) {
    if (self->state_ == State::proxying) self->on_proxy_answer(read_error, got);
  });
}

void Connection::secure() {
  state_ = State::securing;
  tls_.emplace(socket_, around_.tls.context());
  const auto prepared =
      around_.tls.prepare(tls_->native_handle(), route_.peer.host, route_.peer.port);
  if (!prepared) return fail_with(Failure::Phase::tls, prepared.error().message);
  tls_->async_handshake(asio::ssl::stream_base::client, [self = shared_from_this()](
                                                            const ErrorCode& error) {
    if (self->state_ != State::securing) return;
    SSL* const ssl = self->tls_->native_handle();
    if (error) {
      return self->fail_with(Failure::Phase::tls,
                             self->around_.tls.explain(ssl, self->route_.text(), error.message()));
    }
    self->around_.owner.on_opened(SSL_session_reused(ssl) == 1);
    self->begin();
  });
}

bool Connection::try_exchange(std::unique_ptr<Exchange>& exchange) {
  ensure(state_ == State::idle);
  if (is_stale()) {
    close();
    return false;
  }
  exchange_ = std::move(exchange);
  begin();
  return true;
}

/// Nothing may be read while idle: bytes that wait are a close, or an answer to no question that
/// must not be taken for the next one's. (A TLS 1.3 ticket comes before the first answer.) The
/// event loop reads only where an exchange runs, so the socket and the TLS layer tell all.
bool Connection::is_stale() {
  if (tls_) {
    SSL* const ssl = tls_->native_handle();
    if (SSL_has_pending(ssl) == 1 || BIO_pending(SSL_get_rbio(ssl)) > 0) return true;
  }
  char byte = 0;
  const auto got = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

/// Closes this connection as soon as the peer does, while it is idle.
void Connection::watch() {
  if (watching_) return;
  watching_ = true;
  socket_.async_wait(Tcp::socket::wait_read, [self = shared_from_this()](const ErrorCode&) {
    self->watching_ = false;
    if (self->state_ != State::idle) return;
    if (self->is_stale()) return self->close();
    self->watch();
  });
}

void Connection::begin() {
  state_ = State::exchanging;
  Request& request = exchange_->request;
  write_begun_ = false;
  write_ended_ = false;
  shared_body_ = std::move(request.shared_body);
  body_ = std::move(request.body);
  auto head = compose_head(request, shared_body_ ? shared_body_->size() : body_.size());
  if (!head) return fail_with(Failure::Phase::write, std::move(head.error().message));
  head_ = std::move(*head);
  new_parser();
  if (request.may_write && !request.may_write()) {
    Failure withheld{.phase = Failure::Phase::withheld,
                     .text = "the request was withheld right before it was written"};
    return finish(tl::unexpected(std::move(withheld)), true);
  }
  wait_until(steady_clock::now() + request.timeout);
  write();
  read();
}

void Connection::new_parser() {
  answer_.emplace();
  answer_->eager(true);
  answer_->header_limit(head_bytes_max);
  answer_->body_limit(exchange_->request.answer_bytes_max);
  answer_->skip(exchange_->request.method == "HEAD");
}

void Connection::write() {
  exchange_->written_at = std::chrono::system_clock::now();
  write_begun_ = true;
  writing_ = true;
  const std::array<asio::const_buffer, 2> parts = {
      asio::buffer(head_), asio::buffer(shared_body_ ? *shared_body_ : body_)};
  // A failed write ends nothing by itself: the peer may have answered before it closed, which
  // only the pending read can tell.
  const auto written = [self = shared_from_this()](const ErrorCode& error, std::size_t) {
    self->writing_ = false;
    self->write_ended_ = !error;
  };
  if (tls_) {
    asio::async_write(*tls_, parts, written);
  } else {
    asio::async_write(socket_, parts, written);
  }
}

void Connection::read() {
  const auto space = buffer_.prepare(read_bytes);
  const auto done = [self = shared_from_this()](const ErrorCode& error, std::size_t bytes) {
    self->on_read(error, bytes);
  };
  if (tls_) {
    tls_->async_read_some(space, done);
  } else {
    socket_.async_read_some(space, done);
  }
}

void Connection::on_read(const ErrorCode& error, std::size_t bytes) {
  if (state_ == State::closed) return;
  buffer_.commit(bytes);
  if (parse()) return;
  if (error) return on_end_of_stream(error);
  read();
}

/// True when the exchange is over.
bool Connection::parse() {
  while (buffer_.size() > 0) {
    ErrorCode error;
    const std::size_t used = answer_->put(buffer_.data(), error);
    buffer_.consume(used);
    if (error == http::error::need_more) return false;
    if (error) {
      const bool too_large = error == http::error::body_limit || error == http::error::header_limit;
      fail_with(Failure::Phase::read, route_.text() +
                                          (too_large ? " gave an answer that is too large: "
                                                     : " gave an answer that is no valid HTTP: ") +
                                          error.message());
      return true;
    }
    if (answer_->is_done()) {
      if (answer_->get().result_int() / 100 != 1) {
        conclude();
        return true;
      }
      new_parser();  // an interim answer (RFC 9110 15.2): the final one follows
    } else if (used == 0) {
      return false;
    }
  }
  return false;
}

void Connection::on_end_of_stream(const ErrorCode& error) {
  // Only a clean end may stand for the length of an answer that does not tell it.
  if (error == asio::error::eof && answer_->is_header_done()) {
    ErrorCode partial;
    answer_->put_eof(partial);
    if (!partial && answer_->is_done()) return conclude();
  }
  fail_with(write_ended_ ? Failure::Phase::read : Failure::Phase::write,
            route_.text() +
                (answer_->got_some() ? " broke off in the middle of its answer: "
                                     : " closed the connection without an answer: ") +
                error.message());
}

void Connection::conclude() {
  auto message = answer_->release();
  Response response;
  response.status = static_cast<int>(message.result_int());
  response.written_at = exchange_->written_at;
  for (const auto& field : message) {
    response.headers.push_back({std::string(field.name_string()), std::string(field.value())});
  }
  response.body = std::move(message.body());
  const bool reusable = message.keep_alive() && buffer_.size() == 0 && write_ended_;
  finish(std::move(response), reusable);
}

void Connection::wait_until(SteadyPoint deadline) {
  deadline_.expires_at(deadline);
  deadline_.async_wait([self = shared_from_this()](const ErrorCode& error) {
    // A wait that was replaced may have been over already, its call under way.
    if (error || self->state_ == State::closed || steady_clock::now() < self->deadline_.expiry()) {
      return;
    }
    self->on_deadline();
  });
}

void Connection::on_deadline() {
  if (state_ == State::idle) return close();
  const Request& request = exchange_->request;
  if (state_ == State::exchanging) {
    return fail_with(write_ended_ ? Failure::Phase::read : Failure::Phase::write,
                     route_.text() + (write_ended_ ? " gave no whole answer" : " took no request") +
                         within(request.timeout, around_.section + ".request_timeout_s"));
  }
  static constexpr std::array<std::string_view, 4> what = {
      " was not found: the DNS server gave no answer", " took no connection",
      " was not opened by the proxy", " did not finish the TLS handshake"};
  fail_with(opening_phase(state_), route_.text() +
                                       std::string(what.at(static_cast<std::size_t>(state_))) +
                                       within(request.connect_timeout, "api.connect_timeout_s") +
                                       "; check the URL, api.proxy and the network");
}

void Connection::fail_with(Failure::Phase phase, std::string text) {
  Failure failure{.phase = phase, .may_be_executed = write_begun_, .text = std::move(text)};
  if (write_begun_) failure.written_at = exchange_->written_at;
  finish(tl::unexpected(std::move(failure)), false);
}

void Connection::finish(Answer answer, bool reusable) {
  const auto self = shared_from_this();
  const auto exchange = std::move(exchange_);
  ensure(exchange != nullptr);
  if (reusable) {
    state_ = State::idle;
    body_ = {};
    shared_body_.reset();
    wait_until(steady_clock::now() + around_.idle_max);
    watch();
    around_.owner.on_idle(*this);
  } else {
    close();
  }
  exchange->done(std::move(answer));
}

void Connection::stop() {
  if (state_ == State::closed) return;
  if (!exchange_) return close();
  fail_with(Failure::Phase::stopped,
            "the client is shutting down: the request to " + route_.text() + " was broken off");
}

void Connection::close() {
  if (state_ == State::closed) return;
  state_ = State::closed;
  deadline_.cancel();
  attempt_.cancel();
  // Without a mark of an orderly end OpenSSL would make the session unfit for the next handshake.
  if (tls_) SSL_set_shutdown(tls_->native_handle(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  ErrorCode ignored;  // the descriptor is gone in any case
  socket_.close(ignored);
  around_.owner.on_closed(*this);
}

}  // namespace helsekontakter::https
