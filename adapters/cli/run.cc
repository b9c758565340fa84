#include "adapters/cli/run.h"

#include "adapters/cli/program.h"

#include <atomic>
#include <csignal>
#include <ctime>
#include <mutex>
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

  /// Asks `program` to stop, from the first signal on and as long as this lives: the program must
  /// not be reached while it is being destroyed, yet a second signal must still end it then.
  class Watch {
   public:
    Watch(Signals& signals, Program& program) : signals_(signals) { signals_.aim(&program); }
    ~Watch() { signals_.aim(nullptr); }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    Signals& signals_;
  };

 private:
  void aim(Program* program) {
    {
      const std::lock_guard lock(mutex_);
      program_ = program;
    }
    if (program != nullptr && !thread_.joinable()) {
      thread_ = std::thread([this] { wait(); });
    }
  }

  void wait() {
    const timespec tenth{.tv_sec = 0, .tv_nsec = 100'000'000};
    for (int seen = 0; !ended_;) {
      if (sigtimedwait(&set_, nullptr, &tenth) < 0) continue;
      if (++seen > 1) _exit(1);
      const std::lock_guard lock(mutex_);
      if (program_ != nullptr) program_->request_stop();
    }
  }

  sigset_t set_{};
  std::atomic<bool> ended_{false};
  std::mutex mutex_;            ///< guards program_, and holds it while it is called
  Program* program_ = nullptr;  ///< none: nobody to ask
  std::thread thread_;
};

}  // namespace

int run(const config::Configuration& configuration, const RunOptions& options) {
  // A peer that went away is told by the write that fails: libraries that write through OpenSSL
  // cannot say MSG_NOSIGNAL.
  (void)std::signal(SIGPIPE, SIG_IGN);
  Signals signals;
  Program program(configuration, options);
  const Signals::Watch watch(signals, program);
  if (const int status = program.start(); status != 0) return status;
  return program.work();
}

}  // namespace helsekontakter::cli
