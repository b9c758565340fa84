#pragma once

#include "adapters/amqp/connection_options.h"
#include "adapters/amqp/observer.h"
#include "adapters/amqp/settings.h"
#include "adapters/amqp/trouble.h"
#include "adapters/crypto/password.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <proton/connection.hpp>
#include <proton/container.hpp>
#include <proton/messaging_handler.hpp>
#include <proton/transport.hpp>
#include <proton/work_queue.hpp>

namespace helsekontakter::amqp {

/// One connection to one of several brokers, for as long as it is wanted: one thread, and on it a
/// container for each attempt, because only a container can be thrown away whatever its peer does.
/// Each attempt reads the password anew.
/// Between attempts it waits a random share of a growing pause; Proton's own reconnection is off.
/// What derives from it lives on that thread; other threads reach it by a mailbox of their own and
/// wake().
class ConnectionLoop : public proton::messaging_handler {
 public:
  using Clock = std::chrono::steady_clock;

  /// `subject` is the address, for messages. All three references belong to the derived one.
  ConnectionLoop(const Connection& settings, crypto::Password password, const std::string& subject,
                 const std::function<void(const Error&)>& trouble);
  ~ConnectionLoop() override = default;
  ConnectionLoop(const ConnectionLoop&) = delete;
  ConnectionLoop& operator=(const ConnectionLoop&) = delete;

 protected:
  /// Checks the settings and starts the thread.
  [[nodiscard]] Result<void> begin();
  /// Any thread. turn() follows soon.
  void wake();
  /// Ends the thread: `ended()` has until the deadline to become true, then it is cut off.
  void end(Milliseconds grace);

  // The container's thread calls these.
  /// The connection is open: attach.
  virtual void opened(proton::connection& connection) = 0;
  /// The connection is gone, whatever the reason; what was attached is, too.
  virtual void closed() = 0;
  /// Several times a second and after wake(), connected or not.
  virtual void turn() = 0;
  /// A stop was asked for: begin to let go of the broker in good order.
  virtual void let_go() = 0;
  /// Nothing is left to do in good order.
  [[nodiscard]] virtual bool ended() const = 0;

  // For the derived one, on the container's thread.
  /// Tells the trouble and drops the connection, to be made anew after a pause.
  void give_up(const Error& why);
  void report(const Error& why);
  /// The link works: the next pause is short again.
  void is_well();
  /// Runs soon, after what is happening now.
  void soon(proton::work work);
  [[nodiscard]] const std::string& peer() const { return peer_; }

 private:
  void run();
  void run_container();
  void rest();
  void tick();
  void tick_on_connection();
  void cut();

  void on_container_start(proton::container& container) final;
  void on_connection_open(proton::connection& connection) final;
  void on_connection_error(proton::connection& connection) final;
  void on_connection_close(proton::connection& connection) final;
  void on_session_error(proton::session& session) final;
  void on_transport_error(proton::transport& transport) final;
  void on_transport_close(proton::transport& transport) final;
  void on_error(const proton::error_condition& condition) final;

  const Connection& settings_;
  const crypto::Password password_;
  const std::string& subject_;
  const std::function<void(const Error&)>& trouble_;

  std::mutex mutex_;  ///< guards the four below
  std::condition_variable changed_;
  bool woken_ = false;
  bool stopping_ = false;
  Clock::time_point stop_at_{};
  proton::work_queue* queue_ = nullptr;  ///< the connection's, while it lives

  // The thread's own.
  proton::container* container_ = nullptr;
  proton::connection connection_;
  std::vector<Endpoint> endpoints_;
  std::size_t next_endpoint_ = 0;
  std::string peer_;
  bool open_ = false;
  bool told_ = false;  ///< why this connection ends
  std::string last_trouble_;
  Clock::time_point tell_again_{};
  bool cut_ = false;
  bool letting_go_ = false;
  Clock::time_point open_by_{};
  Clock::time_point well_since_{};  ///< unset: not well
  Milliseconds pause_{0};
  std::mt19937_64 random_;
  std::thread thread_;
};

}  // namespace helsekontakter::amqp
