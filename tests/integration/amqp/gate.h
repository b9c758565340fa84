#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <thread>

namespace helsekontakter::amqp::test {

/// A place on the way to a broker where a connection can be cut or slowed: passes bytes both ways.
/// With no broker behind it, it takes connections and never says a word.
class Gate {
 public:
  /// `host_and_port` of the broker, by address; empty: a listener that never answers.
  explicit Gate(const std::string& host_and_port);
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  [[nodiscard]] std::string url() const { return "amqp://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::size_t connections() const { return accepted_; }

  /// Cuts what passes now; new connections may come.
  void cut() { cuts_ += 1; }
  /// Cuts the connection when so many bytes of the worker have passed, once.
  void cut_after(std::size_t bytes) { bytes_left_ = static_cast<std::int64_t>(bytes); }
  /// Nothing passes any more, in either direction; nobody is told.
  void fall_silent() { silent_ = true; }
  void refuse() { refusing_ = true; }

 private:
  struct Pair {
    int worker = -1;
    int broker = -1;
    std::uint64_t cuts = 0;
  };
  void run();
  void accept_one();
  [[nodiscard]] bool pass(int from, int to, bool of_worker);
  void close(Pair& pair);

  const std::string broker_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::list<Pair> pairs_;
  std::atomic<std::size_t> accepted_{0};
  std::atomic<std::uint64_t> cuts_{0};
  std::atomic<std::int64_t> bytes_left_{-1};
  std::atomic<bool> silent_{false};
  std::atomic<bool> refusing_{false};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace helsekontakter::amqp::test
