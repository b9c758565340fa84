#include "worker/worker.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ctime>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

// What one event costs in the core alone. The goal: 700 nanoseconds.

namespace helsekontakter {
namespace {

using namespace std::chrono_literals;
using Field = Texts::Field;

/// CPU time of this thread, so that a busy machine tells the same.
std::chrono::nanoseconds cpu_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

constexpr std::size_t members = 1'000'000;
constexpr std::size_t delivered_at_once = 512;
constexpr std::size_t partitions = 8;

const std::vector<OrganizationNumber>& organizations() {
  static const std::vector<OrganizationNumber> numbers{
      *OrganizationNumber::parse("948554062"), *OrganizationNumber::parse("993467049"),
      *OrganizationNumber::parse("310911186"), *OrganizationNumber::parse("123456785"),
      *OrganizationNumber::parse("910000020")};
  return numbers;
}

template <class D>
D digest_of(std::uint64_t number) {
  Random mix(number);
  D digest;
  const std::uint64_t words[2] = {mix.next(), mix.next()};
  std::memcpy(digest.bytes.data(), words, sizeof words);
  return digest;
}

/// A membership as the decoder hands it over: its entry is what fhir/bundle.h writes, 420 bytes.
Delivery membership(std::size_t member, Offset offset) {
  static const std::string entry(420, 'e');
  Delivery delivery;
  delivery.position = {Partition{static_cast<std::int32_t>(member % partitions)}, offset};
  delivery.epoch = Epoch{1};
  delivery.content = Change{.organization = organizations()[member % 5],
                            .key = digest_of<MemberKey>(member),
                            .event = digest_of<EventDigest>(member + members),
                            .content = digest_of<ContentDigest>(member + 2 * members),
                            .version = 1,
                            .full_url = digest_of<Uuid>(member)};
  delivery.texts.reserve(600);
  delivery.texts.append(Field::id, "5f0c8f6e-6f9c-4d7e-9d5e-6a1b8c0f7d21");
  delivery.texts.append(Field::source, "/sio/crm");
  delivery.texts.append(Field::type, "no.helsekontakter.membership.changed.v1");
  delivery.texts.append(Field::subject, "m-0048151");
  delivery.texts.append(Field::key, "m-0048151");
  delivery.texts.append(Field::identifier, "13116900216");
  delivery.texts.append(Field::entry, entry);
  return delivery;
}

WorkerSettings settings() {
  WorkerSettings settings;
  settings.batch.entries_max = 500;
  settings.api.requests_per_second_max = 0;
  settings.api.in_flight_max = 10;
  settings.api.in_flight_per_organization_max = 2;
  for (const OrganizationNumber number : organizations()) settings.organizations[number] = {};
  return settings;
}

/// Answers every command at once; sums up the time that turns take.
class Driver {
 public:
  Driver() : worker_(settings()) {
    std::vector<Input> inputs;
    for (std::size_t i = 0; i < partitions; ++i) {
      Assigned assigned;
      assigned.partition = Partition{static_cast<std::int32_t>(i)};
      assigned.epoch = Epoch{1};
      assigned.partitions_total = partitions;
      inputs.emplace_back(std::move(assigned));
    }
    turn(std::move(inputs));
  }

  void deliver(std::vector<Delivery> deliveries) {
    std::vector<Input> inputs;
    inputs.emplace_back(Delivered{std::move(deliveries)});
    turn(std::move(inputs));
  }

  void pass(Milliseconds time) {
    now_ += time;
    turn({});
  }

  [[nodiscard]] std::chrono::nanoseconds spent() const { return spent_; }
  [[nodiscard]] std::size_t concluded() const { return concluded_; }

 private:
  void turn(std::vector<Input> inputs) {
    do {
      Commands commands;
      const auto from = cpu_time();
      worker_.turn({.now = now_, .wall = WallTime(now_.time_since_epoch()), .random = 1}, inputs,
                   commands);
      spent_ += cpu_time() - from;
      inputs.clear();
      for (const Submit& submit : commands.submissions) {
        Answered answered;
        answered.entries.resize(submit.entries.size(), EntryAnswer{.status = 201});
        inputs.emplace_back(
            Outcome{.id = submit.id, .outcome = std::move(answered), .submitted_at = std::nullopt});
      }
      if (commands.record) {
        concluded_ += commands.record->conclusions.size();
        inputs.emplace_back(Recorded{commands.record->id, true});
      }
    } while (!inputs.empty());
  }

  Worker worker_;
  TimePoint now_{1'000s};
  std::chrono::nanoseconds spent_{0};
  std::size_t concluded_ = 0;
};

void a_million_members(benchmark::State& state) {
  for (auto _ : state) {
    Driver driver;
    std::vector<Offset> next(partitions, 0);
    for (std::size_t from = 0; from < members; from += delivered_at_once) {
      std::vector<Delivery> deliveries;
      const std::size_t to = std::min(from + delivered_at_once, members);
      for (std::size_t member = from; member < to; ++member) {
        deliveries.push_back(membership(member, next[member % partitions]++));
      }
      driver.deliver(std::move(deliveries));
    }
    driver.pass(10s);
    driver.pass(10s);
    if (driver.concluded() != members) state.SkipWithError("not all are concluded");
    state.SetIterationTime(std::chrono::duration<double>(driver.spent()).count());
    state.counters["ns_per_event"] =
        static_cast<double>(driver.spent().count()) / static_cast<double>(members);
  }
}
BENCHMARK(a_million_members)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(3);

}  // namespace
}  // namespace helsekontakter
