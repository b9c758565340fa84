#include "adapters/cli/shared_link.h"

#include "worker/domain/ensure.h"

#include <chrono>
#include <utility>

namespace helsekontakter::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto notices_a_stop_within = 200ms;
constexpr auto flush_within = 2s;

const ledger::Identity& identity_of(const OpenLedger& ledger) {
  ensure(ledger.topic.format != nullptr);
  return ledger.topic.format->identity();
}

}  // namespace

SharedLink::SharedLink(const OpenLedger& ledger, Inbox& inbox, const kafka::Observer& observer,
                       std::function<void(const Error&)> refused)
    : identity_(identity_of(ledger)),
      refused_(std::move(refused)),
      writer_(ledger.shared_topic, observer),
      reader_(ledger.shared_topic, identity_,
              {.news = [&inbox](SharedNews news) { inbox.push(std::move(news)); },
               .caught_up = [this](const auto& found) { on_caught_up(found); },
               .refused = [this](const Error& error) { on_refused(error); }},
              observer) {}

Result<void> SharedLink::start(const std::function<bool()>& goes_on) {
  if (auto started = writer_.start(); !started) return started;
  if (auto started = reader_.start(); !started) return started;
  std::unique_lock lock(mutex_);
  while (!caught_up_ && !error_) {
    if (!goes_on()) return fail(Remedy::retry, "stopped while the shared topic was read");
    changed_.wait_for(lock, notices_a_stop_within, [&] { return caught_up_ || error_; });
  }
  if (error_) return tl::unexpected(*error_);
  return {};
}

void SharedLink::on_caught_up(const std::optional<ledger::Identity>& found) {
  if (!found) writer_.publish(identity_);
  {
    const std::lock_guard lock(mutex_);
    caught_up_ = true;
  }
  changed_.notify_all();
}

void SharedLink::on_refused(const Error& error) {
  bool is_running = false;
  {
    const std::lock_guard lock(mutex_);
    error_ = error;
    is_running = caught_up_;
  }
  changed_.notify_all();
  if (is_running) refused_(error);  // else start() says so
}

void SharedLink::stop() {
  reader_.stop();
  (void)writer_.flush(std::chrono::steady_clock::now() + flush_within);
  writer_.stop();
}

}  // namespace helsekontakter::cli
