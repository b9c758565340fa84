#include "tests/feed/plan.h"

#include <chrono>
#include <queue>
#include <stdexcept>
#include <utility>
#include <vector>

namespace helsekontakter::feed {
namespace {

enum Purpose : std::uint64_t {
  event_id,
  subject,
  service,
  is_invalid,
  is_twice,
  is_inactive,
  when
};

constexpr std::size_t soon = 200;  ///< events between the two changes of every second such member

/// A file of lines, or nothing where none is wanted.
class Lines {
 public:
  explicit Lines(const std::string& file) : file_(file) {
    if (!file.empty()) stream_.open(file, std::ios::trunc);
  }
  void add(std::string_view line) {
    if (!file_.empty()) stream_ << line << '\n';
  }
  void close() {
    if (file_.empty()) return;
    stream_.close();
    if (!stream_) throw std::runtime_error(file_ + " cannot be written");
  }

 private:
  std::string file_;
  std::ofstream stream_;
};

/// A second change of a member: due once so many members had their first.
struct Second {
  std::size_t due;
  std::size_t member;
  std::string number;
  bool operator>(const Second& other) const {
    return std::pair(due, member) > std::pair(other.due, other.member);
  }
};

class Feeder {
 public:
  Feeder(const Wishes& wishes, const Emit& emit)
      : wishes_(wishes),
        emit_(emit),
        organizations_(organization_numbers(wishes.organizations)),
        text_(std::chrono::system_clock::now()),
        expect_(wishes.expect_file),
        numbers_(wishes.numbers_file),
        events_(wishes.events_file),
        inactive_(wishes.inactive_file) {}

  Planned run() {
    if (wishes_.offerings) add_offerings();
    IdentityNumbers people;
    for (std::size_t member = 0; member < wishes_.members && !stopped_; ++member) {
      add_first(member, people.next());
      while (!seconds_.empty() && seconds_.top().due <= member) add_second();
    }
    while (!seconds_.empty() && !stopped_) add_second();
    for (Lines* lines : {&expect_, &numbers_, &events_, &inactive_}) lines->close();
    return planned_;
  }

 private:
  void emit(const std::string& id, std::string_view key) {
    events_.add(id);
    ++planned_.events;
    stopped_ = stopped_ || !emit_(key, buffer_);
  }

  std::string event_of(std::uint64_t number, std::int32_t version) const {
    return uuid_of(wishes_.seed + 1'000'003 * static_cast<std::uint64_t>(version), number,
                   event_id);
  }

  void add_offerings() {
    for (std::size_t i = 0; i < organizations_.size(); ++i) {
      const std::string id = event_of(members_max + i, wishes_.version);
      text_.write({.id = id,
                   .service = uuid_of(wishes_.seed, i, service),
                   .organization = organizations_[i],
                   .version = wishes_.version},
                  buffer_);
      emit(id, organizations_[i]);
      ++planned_.offerings;
    }
  }

  void add_change(std::size_t member, const std::string& number, std::int32_t version) {
    const std::string id = event_of(member, version);
    const std::string key = uuid_of(wishes_.seed, member, subject);
    text_.write({.id = id,
                 .subject = key,
                 .organization = organization_of(member),
                 .member = number,
                 .version = version},
                buffer_);
    emit(id, key);
  }

  void add_first(std::size_t member, std::string number) {
    const bool invalid = chance(wishes_.invalid, member, is_invalid);
    const bool inactive = !invalid && chance(wishes_.inactive, member, is_inactive);
    const bool twice = !invalid && chance(wishes_.changed_twice, member, is_twice);
    if (invalid) number = IdentityNumbers::with_wrong_check_digit(std::move(number));
    numbers_.add(number);
    add_change(member, number, wishes_.version);
    planned_.invalid += invalid ? 1 : 0;
    planned_.inactive += inactive ? 1 : 0;
    planned_.changed_twice += twice ? 1 : 0;
    if (inactive) inactive_.add(number);
    if (!invalid && !inactive) {
      expect_.add("{\"organization\":\"" + organization_of(member) + "\",\"member\":\"" + number +
                  "\",\"version\":" + std::to_string(wishes_.version + (twice ? 1 : 0)) + "}");
    }
    if (!twice) return;
    const std::uint64_t bits = mixed(wishes_.seed, member, when);
    const std::size_t range = bits % 2 == 0 ? soon : wishes_.members;
    seconds_.push({member + static_cast<std::size_t>((bits >> 1) % range), member, number});
  }

  void add_second() {
    const Second second = seconds_.top();
    seconds_.pop();
    add_change(second.member, second.number, wishes_.version + 1);
  }

  const std::string& organization_of(std::size_t member) const {
    return organizations_[member % organizations_.size()];
  }

  bool chance(double share, std::size_t member, Purpose purpose) const {
    return share > 0 && falls_within(share, wishes_.seed, member, purpose);
  }

  const Wishes& wishes_;
  const Emit& emit_;
  std::vector<std::string> organizations_;
  EventText text_;
  Lines expect_;
  Lines numbers_;
  Lines events_;
  Lines inactive_;
  std::priority_queue<Second, std::vector<Second>, std::greater<>> seconds_;
  std::string buffer_;
  Planned planned_;
  bool stopped_ = false;
};

}  // namespace

Planned feed(const Wishes& wishes, const Emit& emit) {
  return Feeder(wishes, emit).run();
}

}  // namespace helsekontakter::feed
