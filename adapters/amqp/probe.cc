#include "adapters/amqp/probe.h"

#include "adapters/amqp/connection_loop.h"

#include <utility>

#include <proton/receiver_options.hpp>
#include <proton/sender_options.hpp>
#include <proton/source.hpp>
#include <proton/source_options.hpp>
#include <proton/symbol.hpp>
#include <proton/target.hpp>
#include <proton/target_options.hpp>

namespace helsekontakter::amqp {
namespace {

constexpr Milliseconds probe_grace{1000};

/// Where the probe's thread leaves its answer.
struct Answer {
  std::mutex mutex;
  std::condition_variable given;
  std::optional<Result<void>> result;

  void give(Result<void> what) {
    const std::lock_guard lock(mutex);
    if (!result) result.emplace(std::move(what));
    given.notify_all();
  }
};

class Probe final : public ConnectionLoop {
 public:
  Probe(const Connection& settings, const std::string& password, const Question& question,
        Answer& answer)
      : ConnectionLoop(settings, password, subject_, trouble_),
        settings_(settings),
        question_(question),
        answer_(answer),
        trouble_([this](const Error& error) { failed(error); }) {}
  ~Probe() override { end(probe_grace); }

  [[nodiscard]] Result<void> start() { return begin(); }

 private:
  void opened(proton::connection& connection) override;
  void closed() override { links_ = 0; }
  void turn() override {}
  void let_go() override {}
  [[nodiscard]] bool ended() const override { return true; }

  void on_receiver_open(proton::receiver& receiver) override {
    if (!receiver.source().address().empty()) attached();
  }
  void on_sender_open(proton::sender& sender) override {
    if (!sender.target().address().empty()) attached();
  }
  void on_receiver_error(proton::receiver& receiver) override {
    give_up(explain(Level::receiver, receiver.name(), receiver.error()));
  }
  void on_sender_error(proton::sender& sender) override {
    give_up(explain(Level::sender, sender.name(), sender.error()));
  }

  void attached() {
    if (++links_ == question_.read.size() + question_.write.size()) answer_.give({});
  }
  /// One broker of several may be away: the last one's trouble counts, or that of the one reached.
  void failed(const Error& error) {
    if (links_asked_ || ++failures_ >= settings_.urls.size()) {
      answer_.give(tl::unexpected(error));
    }
  }

  const Connection& settings_;
  const Question& question_;
  Answer& answer_;
  const std::string subject_ = "the check";
  const std::function<void(const Error&)> trouble_;
  std::size_t links_ = 0;
  std::size_t failures_ = 0;
  bool links_asked_ = false;
};

void Probe::opened(proton::connection& connection) {
  links_asked_ = true;
  for (const std::string& address : question_.read) {
    proton::source_options source;
    source.address(address)
        .durability_mode(proton::source::UNSETTLED_STATE)
        .capabilities({proton::symbol("queue")});
    connection.open_receiver(
        address, proton::receiver_options().source(source).credit_window(0).auto_accept(false).name(
                     address));
  }
  for (const std::string& address : question_.write) {
    proton::target_options target;
    target.address(address)
        .durability_mode(proton::target::UNSETTLED_STATE)
        .capabilities({proton::symbol("queue")});
    connection.open_sender(address, proton::sender_options().target(target).name(address));
  }
}

}  // namespace

Result<void> probe(const Connection& connection, const std::string& password,
                   const Question& question) {
  Answer answer;
  Probe probe(connection, password, question, answer);
  if (auto started = probe.start(); !started) return started;
  const Milliseconds patience = connection.open_timeout * (connection.urls.size() + 1);
  std::unique_lock lock(answer.mutex);
  if (answer.given.wait_for(lock, patience, [&] { return answer.result.has_value(); })) {
    return std::move(*answer.result);
  }
  return fail(Remedy::retry, "the AMQP broker did not answer within " +
                                 std::to_string(patience.count()) +
                                 " ms; check the broker's health");
}

}  // namespace helsekontakter::amqp
