#include "adapters/cli/run.h"

#include "adapters/cli/program.h"

#include <atomic>
#include <csignal>
#include <ctime>
#include <thread>

#include <unistd.h>

namespace helsekontakter::cli {
namespace {

/// Turns SIGTERM and SIGINT into a request to stop; the second one ends the process at once.
/// Made before any other thread, so that every thread inherits the blocked signals.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }
  ~Signals() {
    ended_ = true;
    if (thread_.joinable()) thread_.join();
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  void watch(Program& program) {
    thread_ = std::thread([this, &program] {
      const timespec tenth{.tv_sec = 0, .tv_nsec = 100'000'000};
      for (int seen = 0; !ended_;) {
        if (sigtimedwait(&set_, nullptr, &tenth) < 0) continue;
        if (++seen > 1) _exit(1);
        program.request_stop();
      }
    });
  }

 private:
  sigset_t set_{};
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

}  // namespace

int run(const config::Configuration& configuration, const RunOptions& options) {
  Signals signals;
  Program program(configuration, options);
  if (!program.start()) return 1;
  signals.watch(program);
  return program.work();
}

}  // namespace helsekontakter::cli
