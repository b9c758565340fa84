// What the SQLite ledger costs on the disk of this machine:
//
//   sqlite_benchmark FILE [MEMBERS]        2 000 000 by default; the file is made and left there
//
// Writes all members, a thousand in a transaction in no order of keys, then opens and restores.

#include "adapters/sqlite/sqlite_ledger.h"
#include "tests/contract/ledger/formats.h"
#include "tests/unit/ledger/samples.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace helsekontakter::sqlite {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

SqliteLedger open(const std::string& path) {
  auto opened = SqliteLedger::open(path, *ledger::format_of(1, 1));
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().message.c_str());
    std::exit(1);
  }
  return std::move(*opened);
}

void write(const std::string& path, std::uint64_t members) {
  constexpr std::uint64_t at_a_time = 1000;
  SqliteLedger ledger = open(path);
  double longest = 0;
  const auto begun = Clock::now();
  for (std::uint64_t begin = 0; begin < members; begin += at_a_time) {
    std::vector<LedgerWrite> writes;
    for (std::uint64_t i = begin; i < std::min(begin + at_a_time, members); ++i) {
      writes.push_back({Partition{0}, Epoch{1}, ledger::samples::key(i),
                        ledger::samples::entry(static_cast<std::int64_t>(i))});
    }
    const auto one = Clock::now();
    if (!ledger.write(writes)) std::abort();
    longest = std::max(longest, seconds_since(one));
  }
  const double took = seconds_since(begun);
  std::printf("written     %.1f s, %.1f ms a transaction of 1000, the longest %.0f ms\n", took,
              took * 1e6 / static_cast<double>(members), longest * 1000);
}

void read(const std::string& path, std::uint64_t members) {
  auto begun = Clock::now();
  SqliteLedger ledger = open(path);
  std::printf("opened      %.1f s (all of it is looked through)\n", seconds_since(begun));
  begun = Clock::now();
  const auto table = ledger.restore(Partition{0});
  if (!table || table->size() != members) std::abort();
  const double took = seconds_since(begun);
  std::printf("restored    %.1f s, %.2f s a million\n", took,
              took * 1e6 / static_cast<double>(members));
  std::printf("file        %.0f bytes a member\n",
              static_cast<double>(std::filesystem::file_size(path)) / static_cast<double>(members));
}

}  // namespace
}  // namespace helsekontakter::sqlite

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: sqlite_benchmark FILE [MEMBERS]\n");
    return 2;
  }
  const std::uint64_t members = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 2'000'000;
  helsekontakter::sqlite::write(argv[1], members);
  helsekontakter::sqlite::read(argv[1], members);
  return 0;
}
