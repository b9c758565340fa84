#include "tests/simulator/server.h"

#include "tests/simulator/engine.h"

#include <csignal>
#include <deque>
#include <functional>
#include <type_traits>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

namespace helsekontakter::simulator {
namespace {

namespace net = boost::asio;
namespace ssl = boost::asio::ssl;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Socket = net::ip::tcp::socket;
using Acceptor = net::ip::tcp::acceptor;
using Plain = beast::tcp_stream;
using Secured = beast::ssl_stream<beast::tcp_stream>;

constexpr auto quiet = net::as_tuple(net::use_awaitable);
constexpr auto idle_max = std::chrono::seconds(120);
constexpr auto handshake_max = std::chrono::seconds(10);
constexpr auto write_max = std::chrono::seconds(60);
constexpr auto flush_interval = std::chrono::milliseconds(200);
constexpr std::size_t connections_max = 1'024;

/// The whole answer as it stands on the wire; answers are small enough to be built at once.
std::string wire_form(const Reply& reply, bool keep_alive) {
  std::string out = "HTTP/1.1 " + std::to_string(reply.status) + " ";
  out += http::obsolete_reason(static_cast<http::status>(reply.status));
  out += "\r\nContent-Length: " + std::to_string(reply.body.size());
  if (!reply.body.empty()) out += "\r\nContent-Type: " + reply.content_type;
  for (const auto& [name, value] : reply.headers) out += "\r\n" + name + ": " + value;
  out += keep_alive ? "\r\nConnection: keep-alive" : "\r\nConnection: close";
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 64> date{};
  out.append(date.data(), std::strftime(date.data(), date.size(),
                                        "\r\nDate: %a, %d %b %Y %H:%M:%S GMT", &parts));
  out += "\r\n\r\n";
  return out += reply.body;
}

net::awaitable<void> pause(Millis duration) {
  if (duration.count() <= 0) co_return;
  net::steady_timer timer(co_await net::this_coro::executor, duration);
  co_await timer.async_wait(quiet);
}

Result<std::unique_ptr<ssl::context>> certificate(const std::string& chain,
                                                  const std::string& key) {
  auto context = std::make_unique<ssl::context>(ssl::context::tls_server);
  boost::system::error_code error;
  context->set_options(ssl::context::default_workarounds | ssl::context::no_tlsv1 |
                       ssl::context::no_tlsv1_1);
  context->use_certificate_chain_file(chain, error);
  if (error) return fail(Remedy::stop, chain + ": no certificate chain in PEM");
  context->use_private_key_file(key, ssl::context::pem, error);
  if (error) return fail(Remedy::stop, key + ": not the certificate's private key in PEM");
  return context;
}

}  // namespace

std::string Addresses::json(const std::string& ca_file) const {
  std::string out = "{\"issuer\":";
  append_json(out, helseid.empty() ? plain : helseid);
  for (const auto& [name, value] : {std::pair{"helseid", &helseid},
                                    {"api", &api},
                                    {"control", &control},
                                    {"plain", &plain},
                                    {"ca_file", &ca_file}}) {
    out.append(",\"").append(name).append("\":");
    append_json(out, *value);
  }
  return out + "}";
}

/// The network: listeners, sessions, and the places of parallel_max.
class Server::Loop {
 public:
  enum class Role : std::uint8_t { helseid, api, control, plain };

  Loop(Config config, std::unique_ptr<Engine> engine)
      : config_(std::move(config)), engine_(std::move(engine)) {}

  [[nodiscard]] Result<void> prepare();
  [[nodiscard]] const Addresses& addresses() const { return addresses_; }
  void run(bool on_signals);
  void stop() { context_.stop(); }

 private:
  [[nodiscard]] Result<std::string> listen(const std::string& address, Role role);
  [[nodiscard]] bool is_closed(Role role) const {
    return role == Role::api && engine_->behaviour().api.down;
  }
  net::awaitable<void> accept(Acceptor acceptor, Role role);
  net::awaitable<void> secure(Socket socket, Role role);
  net::awaitable<void> keep_journal();
  template <class Stream>
  net::awaitable<void> serve(Stream& stream, Role role);
  net::awaitable<Reply> answer(HttpRequest request, Role role);
  net::awaitable<Reply> submit(HttpRequest request);
  net::awaitable<void> execute_late(std::unique_ptr<Pending> pending);
  net::awaitable<void> take_place();
  void leave_place();
  [[nodiscard]] bool knows_host(std::string_view host) const;

  Config config_;
  std::unique_ptr<Engine> engine_;
  Addresses addresses_;
  std::unique_ptr<ssl::context> valid_;
  std::unique_ptr<ssl::context> expired_;
  std::size_t connections_ = 0;
  std::size_t working_ = 0;
  std::deque<net::steady_timer*> waiting_;
  net::io_context context_{1};  ///< last, so that the sessions end before what they use
};

Result<void> Server::Loop::prepare() {
  if (!config_.certificate_file.empty()) {
    auto valid = certificate(config_.certificate_file, config_.key_file);
    if (!valid) return tl::unexpected<Error>(valid.error());
    valid_ = std::move(*valid);
  }
  if (!config_.expired_certificate_file.empty()) {
    auto expired = certificate(config_.expired_certificate_file, config_.key_file);
    if (!expired) return tl::unexpected<Error>(expired.error());
    expired_ = std::move(*expired);
  }
  for (const auto& [address, role, target] :
       {std::tuple{&config_.listen_helseid, Role::helseid, &addresses_.helseid},
        {&config_.listen_api, Role::api, &addresses_.api},
        {&config_.listen_control, Role::control, &addresses_.control},
        {&config_.listen_plain, Role::plain, &addresses_.plain}}) {
    if (address->empty()) continue;
    auto bound = listen(*address, role);
    if (!bound) return tl::unexpected<Error>(bound.error());
    *target = std::move(*bound);
  }
  return {};
}

Result<std::string> Server::Loop::listen(const std::string& address, Role role) {
  const auto split = split_address(address);
  if (!split) return tl::unexpected<Error>(split.error());
  boost::system::error_code error;
  const auto host = net::ip::make_address(split->first, error);
  if (error) return fail(Remedy::stop, address + ": the host must be an IP address");
  Acceptor acceptor(context_);
  const net::ip::tcp::endpoint endpoint(host, split->second);
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(net::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(net::socket_base::max_listen_connections, error);
  if (error) return fail(Remedy::stop, address + " cannot be listened on: " + error.message());
  const std::string port = std::to_string(acceptor.local_endpoint().port());
  net::co_spawn(context_, accept(std::move(acceptor), role), net::detached);
  const bool is_secured = role == Role::helseid || role == Role::api;
  const std::string name = config_.host_names.empty() ? "localhost" : config_.host_names.front();
  return is_secured ? "https://" + name + ":" + port : "http://127.0.0.1:" + port;
}

void Server::Loop::run(bool on_signals) {
  net::signal_set signals(context_);
  if (on_signals) {
    signals.add(SIGTERM);
    signals.add(SIGINT);
    signals.async_wait([this](boost::system::error_code error, int) {
      if (!error) context_.stop();
    });
  }
  net::co_spawn(context_, keep_journal(), net::detached);
  context_.run();
  engine_->flush();
}

net::awaitable<void> Server::Loop::keep_journal() {
  for (;;) {
    co_await pause(flush_interval);
    engine_->flush();
  }
}

net::awaitable<void> Server::Loop::accept(Acceptor acceptor, Role role) {
  for (;;) {
    auto [error, socket] = co_await acceptor.async_accept(quiet);
    if (error) {
      engine_->statistics().count("connections.failed");
      co_await pause(Millis(10));
      continue;
    }
    engine_->statistics().count("connections.accepted");
    if (is_closed(role) || connections_ >= connections_max) {
      engine_->statistics().count("connections.refused");
      continue;
    }
    boost::system::error_code ignored;
    socket.set_option(net::ip::tcp::no_delay(true), ignored);
    net::co_spawn(context_, secure(std::move(socket), role), net::detached);
  }
}

net::awaitable<void> Server::Loop::secure(Socket socket, Role role) {
  ++connections_;
  if (role == Role::helseid || role == Role::api) {
    const bool use_expired =
        role == Role::api && expired_ && engine_->behaviour().api.expired_certificate;
    Secured stream(Plain(std::move(socket)), use_expired ? *expired_ : *valid_);
    beast::get_lowest_layer(stream).expires_after(handshake_max);
    const auto [error] = co_await stream.async_handshake(ssl::stream_base::server, quiet);
    if (error) {
      engine_->statistics().count("connections.handshake_failed");
    } else {
      co_await serve(stream, role);
    }
  } else {
    Plain stream(std::move(socket));
    co_await serve(stream, role);
  }
  --connections_;
}

template <class Stream>
net::awaitable<void> Server::Loop::serve(Stream& stream, Role role) {
  beast::flat_buffer buffer;
  const std::string scheme = std::is_same_v<Stream, Secured> ? "https://" : "http://";
  for (bool keep_alive = true; keep_alive;) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(engine_->behaviour().api.bytes_max * 4 + 1'048'576);
    beast::get_lowest_layer(stream).expires_after(idle_max);
    const auto [error, read] = co_await http::async_read(stream, buffer, parser, quiet);
    if (error == http::error::body_limit) engine_->statistics().count("connections.body_limit");
    if (error || is_closed(role)) co_return;
    auto message = parser.release();
    keep_alive = message.keep_alive();
    HttpRequest request;
    request.method = message.method_string();
    request.target = message.target();
    request.origin = scheme + std::string(message[http::field::host]);
    for (const auto& field : message) {
      request.headers.emplace_back(field.name_string(), field.value());
    }
    request.body = std::move(message.body());
    beast::get_lowest_layer(stream).expires_never();
    const Reply reply = co_await answer(std::move(request), role);
    if (reply.cut) co_return;
    co_await pause(Millis(reply.delay_ms));
    const std::string text = wire_form(reply, keep_alive);
    const std::size_t first =
        reply.trickle_ms > 0 ? text.size() - reply.body.size() / 2 : text.size();
    beast::get_lowest_layer(stream).expires_after(write_max);
    const auto [failed, sent] = co_await net::async_write(stream, net::buffer(text, first), quiet);
    if (failed) co_return;
    if (first == text.size()) continue;
    beast::get_lowest_layer(stream).expires_never();
    co_await pause(Millis(reply.trickle_ms));
    beast::get_lowest_layer(stream).expires_after(write_max);
    const auto [lost, rest] = co_await net::async_write(stream, net::buffer(text) + first, quiet);
    if (lost) co_return;
  }
}

bool Server::Loop::knows_host(std::string_view host) const {
  for (const std::string& name : config_.host_names) {
    if (!host.starts_with(name)) continue;
    if (host.size() == name.size() || host[name.size()] == ':') return true;
  }
  return false;
}

net::awaitable<Reply> Server::Loop::answer(HttpRequest request, Role role) {
  if (role == Role::control) co_return engine_->control(request);
  if (!knows_host(request.header("host").value_or(""))) {
    engine_->statistics().count("connections.unknown_host");
    engine_->log()("refused a request for a host that listen.host_names does not name");
    Reply reply;
    reply.status = 421;
    co_return reply;
  }
  const ApiBehaviour& api = engine_->behaviour().api;
  const bool is_api =
      role == Role::api ||
      (role == Role::plain && (request.target == api.path || request.target == api.status_path));
  if (!is_api) co_return engine_->helseid().answer(request, std::chrono::system_clock::now());
  if (api.down) {
    Reply cut;
    cut.cut = true;
    co_return cut;
  }
  co_return co_await submit(std::move(request));
}

net::awaitable<Reply> Server::Loop::submit(HttpRequest request) {
  auto admitted = engine_->api().admit(request, std::chrono::system_clock::now());
  if (auto* refusal = std::get_if<Reply>(&admitted)) co_return std::move(*refusal);
  auto pending = std::move(std::get<std::unique_ptr<Pending>>(admitted));
  if (pending->ending == Ending::cut_late) {
    engine_->api().part(*pending);
    net::co_spawn(context_, execute_late(std::move(pending)), net::detached);
    Reply cut;
    cut.cut = true;
    co_return cut;
  }
  co_await take_place();
  co_await pause(pending->latency);
  Reply reply = engine_->api().finish(*pending);
  leave_place();
  co_return reply;
}

net::awaitable<void> Server::Loop::execute_late(std::unique_ptr<Pending> pending) {
  co_await pause(pending->settle);
  (void)engine_->api().finish(*pending);
}

net::awaitable<void> Server::Loop::take_place() {
  const std::size_t places = engine_->behaviour().api.parallel_max;
  if (places > 0 && working_ >= places) {
    net::steady_timer turn(context_, std::chrono::minutes(10));
    waiting_.push_back(&turn);
    co_await turn.async_wait(quiet);
    // Whoever left has taken the timer out of the queue and handed over its place.
    if (std::erase(waiting_, &turn) == 0) co_return;
  }
  ++working_;
}

void Server::Loop::leave_place() {
  if (waiting_.empty()) {
    --working_;
    return;
  }
  waiting_.front()->cancel();
  waiting_.pop_front();
}

Server::Server(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::create(Config config, Log log) {
  auto engine = Engine::create(config, std::move(log));
  if (!engine) return tl::unexpected<Error>(engine.error());
  auto loop = std::make_unique<Loop>(std::move(config), std::move(*engine));
  if (auto prepared = loop->prepare(); !prepared) return tl::unexpected<Error>(prepared.error());
  return std::unique_ptr<Server>(new Server(std::move(loop)));
}

const Addresses& Server::addresses() const {
  return loop_->addresses();
}
void Server::run(bool on_signals) {
  loop_->run(on_signals);
}
void Server::stop() {
  loop_->stop();
}

}  // namespace helsekontakter::simulator
