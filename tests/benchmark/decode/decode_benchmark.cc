#include "adapters/crypto/keyed_hash.h"
#include "adapters/json/answer_reader.h"
#include "adapters/json/event_decoder.h"

#include <string>
#include <vector>

#include <benchmark/benchmark.h>

// What one event and one answer cost. The goal for the event: 1.5 microseconds of CPU.

namespace helsekontakter::json {
namespace {

/// A membership event as a sender writes it: 347 bytes.
const std::string membership =
    R"({"specversion":"1.0","id":"5f0c8f6e-6f9c-4d7e-9d5e-6a1b8c0f7d21","source":"/sio/crm",)"
    R"("type":"no.helsekontakter.membership.changed.v1","subject":"m-48",)"
    R"("time":"2026-01-01T12:00:00.000Z","datacontenttype":"application/json","data":{)"
    R"("organization":"948554062","member":"13116900216","period":{"start":"2026-01-01",)"
    R"("end":"2026-06-30"},"version":1042}})";

void decode_membership(benchmark::State& state) {
  EventDecoder decoder({}, crypto::KeyedHash({}));
  RawEvent raw;
  raw.payload = membership;
  raw.key = "m-0048151";
  raw.plain_source = "membership-changes";
  for (auto _ : state) {
    const Delivery delivery = decoder.decode(raw);
    if (!std::holds_alternative<Change>(delivery.content)) state.SkipWithError("no change");
    benchmark::DoNotOptimize(delivery.texts.bytes());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(membership.size()));
}
BENCHMARK(decode_membership);

void hash_three(benchmark::State& state) {
  const crypto::KeyedHash hash({});
  for (auto _ : state) {
    benchmark::DoNotOptimize(hash.digest<struct A>({"m", "948554062", "13116900216"}));
    benchmark::DoNotOptimize(
        hash.digest<struct B>({"/sio/crm", "5f0c8f6e-6f9c-4d7e-9d5e-6a1b8c0f7d21", ""}));
    benchmark::DoNotOptimize(
        hash.digest<struct C>({"m", "948554062", "13116900216", "2026-01-01", "2026-06-30", ""}));
  }
}
BENCHMARK(hash_three);

void read_answer_of_500(benchmark::State& state) {
  std::vector<EntryReference> entries;
  std::string body = R"({"resourceType":"Bundle","type":"batch-response","entry":[)";
  for (std::size_t i = 0; i < 500; ++i) {
    Uuid uuid;
    uuid.bytes[0] = static_cast<std::uint8_t>(i);
    uuid.bytes[1] = static_cast<std::uint8_t>(i >> 8);
    entries.push_back({uuid, std::to_string(10'000'000'000 + i)});
    if (i > 0) body += ',';
    body += R"({"response":{"status":"201 Created","location":"Patient/17"}})";
  }
  body += "]}";
  for (auto _ : state) {
    const auto outcome = read_answer(200, body, Lane::members, entries, std::nullopt);
    if (!std::holds_alternative<Answered>(outcome)) state.SkipWithError("not answered");
  }
}
BENCHMARK(read_answer_of_500);

}  // namespace
}  // namespace helsekontakter::json
