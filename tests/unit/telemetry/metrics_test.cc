#include "adapters/telemetry/metrics.h"

#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace helsekontakter::telemetry {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class MetricsTest : public testing::Test {
 protected:
  /// The value of one series, as it is written; empty: there is none.
  [[nodiscard]] std::string value(std::string_view series) const {
    std::istringstream in(metrics_.expose());
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with(series) && line.size() > series.size() && line[series.size()] == ' ') {
        return line.substr(series.size() + 1);
      }
    }
    return {};
  }

  Metrics metrics_{"0.1.0", WallTime(Milliseconds(1'700'000'000'000)), 1024};
  const OrganizationNumber organization_ = OrganizationNumber::parse("948554062").value();
};

/// Every metric once.
void use_all(Metrics& metrics) {
  metrics.events_consumed(EventKind::member, 1);
  metrics.event_bytes_consumed(1);
  metrics.unknown_fields(1);
  metrics.results(Verdict::accepted, Reason::none, 1);
  metrics.dead_letters(1);
  metrics.submission(Lane::members, RequestOutcome::unknown);
  metrics.request(Lane::members, 100, 60'000, 200, Milliseconds(2500));
  metrics.retries(Lane::members, 1);
  metrics.status_question(StatusFailure::Kind::refused);
  metrics.status_members(DigitalStatus::active, 1);
  metrics.batch_halved();
  metrics.requests_in_flight(1);
  metrics.waiting(1, 1);
  metrics.oldest_unconcluded(Milliseconds(1));
  metrics.endpoint_held(true);
  metrics.source_braked(true);
  metrics.redelivered();
  metrics.unsettled(1);
  metrics.organization_held(OrganizationNumber::parse("948554062").value(), true);
  metrics.brake_pulled();
  metrics.organizations_gated(1);
  metrics.partitions_full(1);
  metrics.partitions_held(1);
  metrics.ledger(1, 1, 1);
  metrics.ledger_restored(Milliseconds(1));
  metrics.partitions_restoring(1);
  metrics.token_fetched(Milliseconds(1), Milliseconds(60'000), WallTime(Milliseconds(5000)));
  metrics.token_failed(NotSentCause::token_refused);
  metrics.clock_skew(Peer::issuer, Milliseconds(-2000));
  metrics.recorded(false, Milliseconds(90));
  metrics.rebalanced(AssignmentChange::lost);
  metrics.partitions_owned(3);
  metrics.lag(Partition{2}, 5, 7);
}

TEST_F(MetricsTest, ExposeEveryEntryOfTheTableAndNothingElse) {
  use_all(metrics_);
  std::set<std::string> exposed;
  std::istringstream in(metrics_.expose());
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("# TYPE ")) exposed.insert(line.substr(7));
  }
  std::set<std::string> documented;
  for (const MetricEntry& entry : metric_table()) {
    documented.insert(std::string(entry.name) + " " + std::string(name(entry.type)));
  }
  EXPECT_EQ(exposed, documented);
}

TEST_F(MetricsTest, HaveTheLabelsOfTheTable) {
  use_all(metrics_);
  const std::string text = metrics_.expose();
  for (const MetricEntry& entry : metric_table()) {
    std::istringstream labels{std::string(entry.labels)};
    const std::size_t at = text.find("# TYPE " + std::string(entry.name) + " ");
    const std::size_t series = text.find('\n', at) + 1;
    const std::string line = text.substr(series, text.find('\n', series) - series);
    for (std::string label; std::getline(labels, label, ',');) {
      EXPECT_THAT(line, HasSubstr(label + "=\"")) << entry.name;
    }
    if (entry.labels.empty() && entry.type != MetricType::histogram) {
      EXPECT_THAT(line, Not(HasSubstr("{"))) << entry.name;
    }
  }
}

TEST(MetricTable, FollowsTheNamingOfPrometheus) {
  std::set<std::string_view> names;
  for (const MetricEntry& entry : metric_table()) {
    EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
    EXPECT_EQ(entry.name.ends_with("_total"), entry.type == MetricType::counter) << entry.name;
    EXPECT_THAT(entry.help, Not(IsEmpty())) << entry.name;
    const bool may_name_organizations = entry.name == "helsekontakter_organization_held";
    EXPECT_EQ(entry.labels.find("organization") != std::string_view::npos, may_name_organizations)
        << entry.name;
  }
}

TEST_F(MetricsTest, CountAndSet) {
  metrics_.events_consumed(EventKind::member, 40);
  metrics_.events_consumed(EventKind::member, 2);
  metrics_.results(Verdict::rejected, Reason::member_check_digit, 3);
  metrics_.waiting(10, 2048);
  metrics_.organization_held(organization_, true);
  EXPECT_EQ(value("helsekontakter_events_consumed_total{kind=\"member\"}"), "42");
  EXPECT_EQ(
      value("helsekontakter_results_total{reason=\"member_check_digit\",verdict=\"rejected\"}"),
      "3");
  EXPECT_EQ(value("helsekontakter_waiting_bytes"), "2048");
  EXPECT_EQ(value("helsekontakter_memory_bytes_max"), "1024");
  EXPECT_EQ(value("helsekontakter_organization_held{organization=\"948554062\"}"), "1");
  metrics_.organization_held(organization_, false);
  EXPECT_EQ(value("helsekontakter_organization_held{organization=\"948554062\"}"), "0");
  EXPECT_EQ(value("process_start_time_seconds"), "1700000000");
  EXPECT_EQ(value("helsekontakter_build_info{version=\"0.1.0\"}"), "1");
}

TEST_F(MetricsTest, ShowSeriesThatARateIsTakenOfFromTheStart) {
  EXPECT_EQ(value("helsekontakter_submissions_total{lane=\"members\",outcome=\"unknown\"}"), "0");
  EXPECT_EQ(value("helsekontakter_results_total{reason=\"not_json\",verdict=\"undecodable\"}"),
            "0");
  EXPECT_EQ(value("helsekontakter_brakes_total"), "0");
  EXPECT_EQ(value("helsekontakter_endpoint_latency_seconds_count{lane=\"offerings\"}"), "0");
}

TEST_F(MetricsTest, PutLatenciesIntoBucketsAroundTheGoals) {
  metrics_.request(Lane::members, 100, 60'000, 200, Milliseconds(9900));
  metrics_.request(Lane::members, 1, 700, 0, std::nullopt);
  const std::string latency = "helsekontakter_endpoint_latency_seconds";
  EXPECT_EQ(value(latency + "_bucket{lane=\"members\",le=\"7.5\"}"), "0");
  EXPECT_EQ(value(latency + "_bucket{lane=\"members\",le=\"10\"}"), "1");
  EXPECT_EQ(value(latency + "_count{lane=\"members\"}"), "1") << "no answer has no latency";
  EXPECT_EQ(value("helsekontakter_batch_entries_count{lane=\"members\"}"), "2");
  EXPECT_EQ(value("helsekontakter_http_statuses_total{lane=\"members\",status=\"200\"}"), "1");
  EXPECT_EQ(value("helsekontakter_http_statuses_total{lane=\"members\",status=\"0\"}"), "");
}

TEST_F(MetricsTest, CountQuestionsAndTheMembersTheyWereAbout) {
  const std::string questions = "helsekontakter_status_questions_total";
  EXPECT_EQ(value(questions + "{outcome=\"unknown\"}"), "0");
  metrics_.status_question(std::nullopt);
  metrics_.status_question(StatusFailure::Kind::unknown);
  metrics_.status_question(StatusFailure::Kind::withheld);
  metrics_.status_members(DigitalStatus::active, 300);
  metrics_.status_members(DigitalStatus::unknown, 1);
  EXPECT_EQ(value(questions + "{outcome=\"answered\"}"), "1");
  EXPECT_EQ(value(questions + "{outcome=\"unknown\"}"), "1");
  EXPECT_EQ(value(questions + "{outcome=\"withheld\"}"), "1");
  EXPECT_EQ(value("helsekontakter_status_members_total{status=\"active\"}"), "300");
  EXPECT_EQ(value("helsekontakter_status_members_total{status=\"unknown\"}"), "1");
}

TEST_F(MetricsTest, CountAnUnknownOutcomeTwice) {
  metrics_.submission(Lane::offerings, outcome_of(OutcomeUnknown{}));
  metrics_.submission(Lane::offerings, outcome_of(Answered{}));
  EXPECT_EQ(value("helsekontakter_outcomes_unknown_total{lane=\"offerings\"}"), "1");
  EXPECT_EQ(value("helsekontakter_submissions_total{lane=\"offerings\",outcome=\"answered\"}"),
            "1");
  EXPECT_EQ(outcome_of(NotSent{}), RequestOutcome::not_sent);
}

TEST_F(MetricsTest, ForgetAPartitionThatIsNotOurs) {
  metrics_.lag(Partition{2}, 5, 7);
  EXPECT_EQ(value("helsekontakter_consumer_lag{partition=\"2\"}"), "7");
  EXPECT_EQ(value("helsekontakter_consumer_unread{partition=\"2\"}"), "5");
  metrics_.forget_lag(Partition{2});
  EXPECT_EQ(value("helsekontakter_consumer_lag{partition=\"2\"}"), "");
  metrics_.lag(Partition{2}, 1, 1);
  EXPECT_EQ(value("helsekontakter_consumer_lag{partition=\"2\"}"), "1");
}

TEST_F(MetricsTest, CountFailedRecordsAndTheirTime) {
  metrics_.recorded(true, Milliseconds(80));
  metrics_.recorded(false, Milliseconds(10'000));
  EXPECT_EQ(value("helsekontakter_record_seconds_count"), "2");
  EXPECT_EQ(value("helsekontakter_record_failures_total"), "1");
}

}  // namespace
}  // namespace helsekontakter::telemetry
