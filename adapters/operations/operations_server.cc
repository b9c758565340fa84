#include "adapters/operations/operations_server.h"

#include "worker/domain/ensure.h"

#include <list>
#include <optional>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

namespace helsekontakter::operations {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using Tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;

namespace {

constexpr std::uint32_t head_bytes_max = 8 * 1024;
constexpr Milliseconds accept_pause{100};

using Answer = http::response<http::string_body>;

Page page_of(const Pages& pages, http::verb method, std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  const std::function<Page()>* page = nullptr;
  if (path == "/live") page = &pages.live;
  if (path == "/ready") page = &pages.ready;
  if (path == "/metrics") page = &pages.metrics;
  if (page == nullptr) return {.status = 404, .body = "/live, /ready and /metrics are here\n"};
  if (method != http::verb::get && method != http::verb::head) {
    return {.status = 405, .body = "only GET and HEAD are allowed\n"};
  }
  return (*page)();
}

}  // namespace

/// One connection; keeps itself alive by its pending operation.
class OperationsServer::Session : public std::enable_shared_from_this<Session> {
 public:
  using Ended = std::function<void(const std::shared_ptr<Session>&)>;

  Session(Tcp::socket socket, const ServerSettings& settings, const Pages& pages, Ended ended)
      : stream_(std::move(socket)), settings_(settings), pages_(pages), ended_(std::move(ended)) {}

  /// Waits for a request; what was sent ahead is answered without waiting for more. The first byte
  /// of a request may be long in coming, its last one not.
  void read() {
    request_.emplace();
    request_->header_limit(head_bytes_max);
    request_->body_limit(0);
    if (buffer_.size() > 0) return read_rest();
    stream_.expires_after(settings_.idle_max);
    stream_.async_read_some(buffer_.prepare(head_bytes_max),
                            [self = shared_from_this()](const ErrorCode& error, std::size_t got) {
                              if (error) return self->close();
                              self->buffer_.commit(got);
                              self->read_rest();
                            });
  }

  void close() {
    stream_.close();
    ended_(shared_from_this());
  }

  void cut() { stream_.close(); }

 private:
  void read_rest() {
    stream_.expires_after(settings_.request_timeout);
    http::async_read(stream_, buffer_, *request_,
                     [self = shared_from_this()](const ErrorCode& error, std::size_t) {
                       if (error) return self->close();
                       self->answer();
                     });
  }

  void answer() {
    const auto& request = request_->get();
    const bool head = request.method() == http::verb::head;
    const auto target = request.target();
    Page page = page_of(pages_, request.method(), {target.data(), target.size()});
    answer_ = Answer(static_cast<http::status>(page.status), request.version());
    answer_.set(http::field::content_type, page.content_type);
    answer_.set(http::field::cache_control, "no-store");
    if (page.status == 405) answer_.set(http::field::allow, "GET, HEAD");
    answer_.keep_alive(request.keep_alive());
    answer_.content_length(page.body.size());
    if (!head) answer_.body() = std::move(page.body);
    stream_.expires_after(settings_.request_timeout);
    http::async_write(stream_, answer_,
                      [self = shared_from_this()](const ErrorCode& error, std::size_t) {
                        if (error || !self->answer_.keep_alive()) return self->close();
                        self->read();
                      });
  }

  beast::tcp_stream stream_;
  const ServerSettings& settings_;
  const Pages& pages_;
  Ended ended_;
  beast::flat_buffer buffer_{2 * head_bytes_max};
  std::optional<http::request_parser<http::empty_body>> request_;
  Answer answer_;
};

/// Accepts connections. When there are too many the oldest is cut, so that whoever hoards them
/// cannot keep a probe from its answer.
class OperationsServer::Listener {
 public:
  Listener(ServerSettings settings, Pages pages)
      : settings_(std::move(settings)), pages_(std::move(pages)) {}

  ~Listener() {
    asio::post(io_, [this] {
      stopping_ = true;
      acceptor_.close();
      pause_.cancel();
      for (const auto& session : sessions_) session->cut();
    });
    if (thread_.joinable()) thread_.join();
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] Result<void> listen() {
    ErrorCode error;
    const auto address = asio::ip::make_address(settings_.host, error);
    const Tcp::endpoint endpoint(address, settings_.port);
    if (!error) acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      return fail(Remedy::stop, "operations.listen: " + settings_.host + " port " +
                                    std::to_string(settings_.port) + " cannot be listened on: " +
                                    error.message() + "; choose a free port of this machine");
    }
    port_ = acceptor_.local_endpoint().port();
    accept();
    try {
      thread_ = std::thread([this] { io_.run(); });
    } catch (const std::system_error& none) {
      return fail(Remedy::stop,
                  std::string("operations: no thread can be started: ") + none.what());
    }
    return {};
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  void accept() {
    if (stopping_) return;
    acceptor_.async_accept([this](const ErrorCode& error, Tcp::socket socket) {
      if (stopping_) return;
      if (error) return pause();
      const auto session =
          std::make_shared<Session>(std::move(socket), settings_, pages_,
                                    [this](const auto& ended) { sessions_.remove(ended); });
      if (sessions_.size() >= settings_.connections_max) sessions_.front()->cut();
      sessions_.push_back(session);
      session->read();
      accept();
    });
  }

  /// Out of descriptors, most likely: trying again at once would only burn the processor.
  void pause() {
    pause_.expires_after(accept_pause);
    pause_.async_wait([this](const ErrorCode& error) {
      if (!error) accept();
    });
  }

  const ServerSettings settings_;
  const Pages pages_;
  asio::io_context io_{1};
  Tcp::acceptor acceptor_{io_};
  asio::steady_timer pause_{io_};
  std::list<std::shared_ptr<Session>> sessions_;  ///< oldest first
  bool stopping_ = false;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

Result<std::unique_ptr<OperationsServer>> OperationsServer::start(ServerSettings settings,
                                                                  Pages pages) {
  ensure(pages.live && pages.ready && pages.metrics);
  auto listener = std::make_unique<Listener>(std::move(settings), std::move(pages));
  if (auto listening = listener->listen(); !listening) {
    return tl::unexpected(std::move(listening.error()));
  }
  return std::unique_ptr<OperationsServer>(new OperationsServer(std::move(listener)));
}

OperationsServer::OperationsServer(std::unique_ptr<Listener> listener)
    : listener_(std::move(listener)) {}

OperationsServer::~OperationsServer() = default;

std::uint16_t OperationsServer::port() const {
  return listener_->port();
}

}  // namespace helsekontakter::operations
