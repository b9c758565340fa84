// What a member costs in memory, and how long it takes to restore a partition from its records:
//
//   ledger_benchmark [MEMBERS [PARKED_PERCENT]]        2 000 000 and 0 by default
//
// The records are encoded as they lie on Kafka and in SQLite, a chunk at a time, so that the memory
// measured is the table's. Reading them from a broker or a disk is not in it.

#include "adapters/ledger/record_format.h"
#include "tests/unit/ledger/samples.h"
#include "worker/fhir/bundle.h"
#include "worker/ledger/table.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace helsekontakter::ledger {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

RecordFormat make_format() {
  crypto::KeyedHash::Key key;
  key.fill(7);
  const std::vector<crypto::KeyedHash::Key> keys{key};
  auto sealing = SealingKeys::make(keys);
  return RecordFormat({fingerprint_of(crypto::KeyedHash(key)), 16}, *sealing, BundleForm{});
}

/// A membership as the decoder makes it, so that its entry is built again from its dates.
ParkedChange parked_membership(const MemberKey& key, std::uint64_t number) {
  using Field = Texts::Field;
  ParkedChange parked = samples::waiting(key, 2, samples::at(Milliseconds{number}));
  const std::string organization = parked.change.organization.digits();
  std::string entry;
  fhir::append_member_entry(entry, BundleForm{},
                            {.full_url = parked.change.full_url,
                             .member = "13116900216",
                             .organization = organization,
                             .start = "2026-01-01",
                             .end = "2026-06-30"});
  Texts texts;
  texts.append(Field::id, "0190d1c2-7c1e-7d4a-9f10-3d6f0a4b9c11");
  texts.append(Field::source, "/helsekontakter/membership-register");
  texts.append(Field::type, "no.helsekontakter.membership.changed.v1");
  texts.append(Field::subject, "7f1c2f5e-member");
  texts.append(Field::key, "7f1c2f5e-member");
  texts.append(Field::identifier, "13116900216");
  texts.append(Field::entry, entry);
  parked.texts = std::move(texts);
  return parked;
}

struct Worst {
  double put_ms = 0;
  std::size_t bytes_per_member = 0;
};

struct Restored {
  LedgerTable table;
  double seconds = 0;
  Worst worst;
};

using Records = std::vector<std::pair<MemberKey, std::string>>;

Records encode(const RecordFormat& format, std::uint64_t begin, std::uint64_t end,
               unsigned percent) {
  Records records;
  for (std::uint64_t i = begin; i < end; ++i) {
    const MemberKey key = samples::key(i);
    LedgerEntry entry = samples::entry(static_cast<std::int64_t>(i));
    if (i % 100 < percent) {
      entry.parked = std::make_shared<const ParkedChange>(parked_membership(key, i));
    }
    records.emplace_back(key, *format.encode(key, entry));
  }
  return records;
}

Restored restore(const RecordFormat& format, std::uint64_t members, unsigned percent) {
  constexpr std::uint64_t chunk = 10'000;
  Restored restored;
  for (std::uint64_t begin = 1; begin <= members; begin += chunk) {
    const Records records = encode(format, begin, std::min(begin + chunk, members + 1), percent);
    auto last = Clock::now();
    for (const auto& [key, value] : records) {
      const auto read =
          format.read(RecordFormat::encode_key(key), value, restored.table, "benchmark");
      if (!read) std::abort();
      const auto now = Clock::now();
      restored.seconds += Seconds(now - last).count();
      restored.worst.put_ms = std::max(restored.worst.put_ms, Seconds(now - last).count() * 1000);
      last = now;
    }
    const std::size_t size = restored.table.size();
    if (size >= 100'000) {
      restored.worst.bytes_per_member =
          std::max(restored.worst.bytes_per_member, restored.table.bytes() / size);
    }
  }
  return restored;
}

double look_up_ns(const LedgerTable& table, std::uint64_t members) {
  constexpr std::uint64_t lookups = 1'000'000;
  std::uint64_t found = 0;
  const auto begun = Clock::now();
  for (std::uint64_t i = 0; i < lookups; ++i) {
    found += table.find(samples::key(i * 7919 % (members * 2))).has_value() ? 1 : 0;
  }
  const double took = Seconds(Clock::now() - begun).count();
  if (found == 0) std::abort();
  return took * 1e9 / lookups;
}

void measure(std::uint64_t members, unsigned percent) {
  const RecordFormat format = make_format();
  { const Records warm = encode(format, 0, 10'000, percent); }
  const std::size_t before = resident_bytes();
  const Restored restored = restore(format, members, percent);
  const std::size_t after = resident_bytes();
  const LedgerTable& table = restored.table;
  const auto each = [&](std::size_t bytes) {
    return static_cast<double>(bytes) / static_cast<double>(members);
  };
  std::printf("members                    %zu, of them parked %zu\n", table.size(), table.parked());
  std::printf("bytes a member             %.1f (at most %zu while growing)\n", each(table.bytes()),
              restored.worst.bytes_per_member);
  if (table.parked() > 0) {
    std::printf("bytes a parked change      %.1f\n",
                static_cast<double>(table.parked_bytes()) / static_cast<double>(table.parked()));
  }
  std::printf("resident bytes a member    %.1f\n", each(after - before));
  std::printf("restored                   %.2f s, %.2f s a million\n", restored.seconds,
              restored.seconds * 1e6 / static_cast<double>(members));
  std::printf("longest single put         %.1f ms (the index doubles)\n", restored.worst.put_ms);
  std::printf("look-up, half of them miss %.0f ns\n", look_up_ns(table, members));
}

}  // namespace
}  // namespace helsekontakter::ledger

int main(int argc, char** argv) {
  const std::uint64_t members = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 2'000'000;
  const auto percent = argc > 2 ? static_cast<unsigned>(std::strtoul(argv[2], nullptr, 10)) : 0U;
  helsekontakter::ledger::measure(members, percent);
  return 0;
}
