#include "adapters/results/result_writer.h"
#include "tests/integration/kafka/kafka_fixture.h"

#include <cstdio>
#include <cstdlib>

#include <sys/resource.h>

// What consuming and recording cost, in events a second and processor seconds a million, all
// threads of librdkafka included. Figures, not a test: run it by hand against a real Kafka.
//   HELSEKONTAKTER_TEST_KAFKA=host:port kafka_cost [million events]

namespace helsekontakter::kafka::test {
namespace {

double processor_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

class Measure {
 public:
  void print(const char* what, std::size_t count) const {
    const std::chrono::duration<double> took = Clock::now() - begun_;
    const double events = static_cast<double>(count);
    std::printf("%s: %.0f events/s, %.2f processor s per million (%.2f s)\n", what,
                events / took.count(), (processor_seconds() - used_) * 1e6 / events, took.count());
  }

 private:
  Clock::time_point begun_ = Clock::now();
  double used_ = processor_seconds();
};

Delivery decode_nothing(const json::RawEvent& raw) {
  Delivery delivery{.position = raw.position, .epoch = raw.epoch};
  delivery.texts.append(Texts::Field::key, raw.key);
  return delivery;
}

class Cost : public RealKafka {
 public:
  Cost() { SetUp(); }
  void TestBody() override {}

  void measure(std::size_t count) {
    const auto input = make_topic(4);
    const auto results = make_topic(4);
    const std::string payload(400, 'x');
    for (std::size_t sent = 0; sent < count; sent += 100'000) {
      std::vector<Sent> messages;
      for (std::size_t i = 0; i < 100'000; ++i) {
        messages.push_back({.value = payload,
                            .key = "member-" + std::to_string(sent + i),
                            .partition = static_cast<std::int32_t>(i % 4)});
      }
      produce(input, messages);
    }
    Member member(source_settings(input), record_settings(results), 64 << 20, decode_nothing);
    consume(member, count);
    record(member, count);
    record_singly(member);
    write_only(member, count);
  }

 private:
  static void record_singly(Member& member) {
    constexpr int records = 30;
    const auto begun = Clock::now();
    for (int i = 0; i < records; ++i) {
      if (member.write(make(member, 1)) != true) std::abort();
    }
    const std::chrono::duration<double, std::milli> took = Clock::now() - begun;
    std::printf("record of one result: %.1f ms\n", took.count() / records);
  }

  static void write_only(const Member& member, std::size_t count) {
    results::ResultWriter writer({.source = "/helsekontakter/test", .environment = "TEST1"});
    const Record record = make(member, 1000);
    std::string buffer;
    std::size_t bytes = 0;
    const Measure measure;
    for (std::size_t done = 0; done < count; done += record.conclusions.size()) {
      writer.begin(record, WallTime{Milliseconds{1'772'366'400'000}});
      for (const Conclusion& conclusion : record.conclusions) {
        buffer.clear();
        writer.append(conclusion, buffer, 4096);
        bytes += buffer.size();
      }
    }
    measure.print("serialise results", count);
    std::printf("  of %zu bytes each\n", bytes / count);
  }

  static void consume(Member& member, std::size_t count) {
    std::vector<Input> inputs;
    std::size_t seen = 0;
    std::optional<Measure> measure;
    const auto deadline = Clock::now() + 120s;
    while (seen < count && Clock::now() < deadline) {
      member.inbox.take(inputs, Clock::now() + 100ms);
      for (Input& input : inputs) {
        if (const auto* delivered = std::get_if<Delivered>(&input)) {
          if (!measure) measure.emplace();
          seen += delivered->deliveries.size();
        } else if (auto* news = std::get_if<Assigned>(&input)) {
          member.assigned[news->partition] = *news;
        }
      }
    }
    if (measure) measure->print("consume", seen);
  }

  static void record(Member& member, std::size_t count) {
    constexpr std::size_t results_each = 20'000;
    const Measure measure;
    std::size_t done = 0;
    std::chrono::duration<double> building{};
    double building_used = 0;
    while (done < count) {
      const auto begun = Clock::now();
      const double used = processor_seconds();
      Record record = make(member, results_each);
      building += Clock::now() - begun;
      building_used += processor_seconds() - used;
      if (member.write(std::move(record)) != true) std::abort();
      done += results_each;
    }
    measure.print("record", done);
    std::printf("  of it building the records in this program: %.2f s, %.2f processor s\n",
                building.count(), building_used);
  }

  static Record make(const Member& member, std::size_t count) {
    static std::uint64_t id = 1'000'000;
    Record record{.id = RecordId{++id}};
    record.batches.push_back({.entries = 100, .http_status = 200});
    for (const auto& [partition, news] : member.assigned) {
      record.progress.push_back({partition, news.epoch, news.committed, {}});
    }
    record.conclusions.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      using Field = Texts::Field;
      Delivery delivery{.position = {Partition{0}, static_cast<Offset>(i)}};
      delivery.texts.reserve(200);
      delivery.texts.append(Field::id, "3f1c8a52-0d6f-4a0e-9a34-0a4c4b1d" + std::to_string(i));
      delivery.texts.append(Field::source, "/members/organization/crm");
      delivery.texts.append(Field::type, "no.helsekontakter.membership.changed.v1");
      delivery.texts.append(Field::subject, "member-" + std::to_string(i));
      delivery.texts.append(Field::key, "member-" + std::to_string(i));
      delivery.content =
          Change{.organization = *OrganizationNumber::parse("948554062"), .version = 1};
      record.conclusions.push_back({.delivery = std::make_unique<Delivery>(std::move(delivery)),
                                    .verdict = Verdict::accepted,
                                    .attempt = 1});
    }
    return record;
  }
};

}  // namespace
}  // namespace helsekontakter::kafka::test

int main(int argc, char** argv) {
  const double millions = argc > 1 ? std::atof(argv[1]) : 1.0;
  helsekontakter::kafka::test::Cost cost;
  cost.measure(static_cast<std::size_t>(millions * 1e6));
  return 0;
}
