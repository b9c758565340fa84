#include "adapters/tools/stretch_marks.h"

#include "adapters/clock/wall_now.h"
#include "adapters/json/calendar.h"
#include "worker/domain/national_id.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace helsekontakter::tools {
namespace {

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

std::optional<kafka::Offsets> parse_offsets(std::string_view text) {
  kafka::Offsets offsets;
  while (true) {
    const std::size_t comma = text.find(',');
    const std::string_view each = text.substr(0, comma);
    const std::size_t colon = each.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto partition = number_of<std::int32_t>(each.substr(0, colon));
    const auto offset = number_of<Offset>(each.substr(colon + 1));
    if (!partition || !offset) return std::nullopt;
    if (!offsets.emplace(Partition{*partition}, *offset).second) return std::nullopt;
    if (comma == std::string_view::npos) return offsets;
    text.remove_prefix(comma + 1);
  }
}

std::string place(const TopicFacts& facts, Partition partition) {
  return facts.topic + "/" + std::to_string(static_cast<std::int32_t>(partition));
}

tl::unexpected<Error> is_gone(const TopicFacts& facts, Partition partition, Offset first,
                              const std::string& since) {
  return fail(Remedy::stop, place(facts, partition) + " begins at offset " + std::to_string(first) +
                                ": what came before it, " + since +
                                ", was removed by retention and cannot be read; say a later "
                                "--from, or --from earliest for what is left");
}

/// Whether records that are not older than `time` may have been removed from the front.
bool may_be_gone(WallTime time, Offset found, Offset first, const TopicFacts& facts) {
  if (first == 0 || found > first) return false;
  const bool kept_long_enough =
      !facts.is_bounded_by_size && facts.retention && time >= facts.now - *facts.retention;
  return !kept_long_enough;
}

/// Partitions that offsets name and the topic has not.
Result<void> check_partitions(const kafka::Offsets& offsets, const TopicFacts& facts) {
  for (const auto& [partition, offset] : offsets) {
    const auto bounds = facts.bounds.find(partition);
    if (bounds == facts.bounds.end()) {
      return fail(Remedy::stop, place(facts, partition) + ": the topic has " +
                                    std::to_string(facts.bounds.size()) + " partitions, from 0 on");
    }
    if (offset > bounds->second.to) {
      return fail(Remedy::stop, place(facts, partition) + " ends at offset " +
                                    std::to_string(bounds->second.to) + ", before " +
                                    std::to_string(offset));
    }
  }
  return {};
}

Result<kafka::Stretches> begin(const Mark& from, const TopicFacts& facts) {
  kafka::Stretches stretches;
  if (const auto* offsets = std::get_if<kafka::Offsets>(&from)) {
    if (auto known = check_partitions(*offsets, facts); !known) {
      return tl::unexpected(known.error());
    }
    for (const auto& [partition, offset] : *offsets) {
      const kafka::Stretch& bounds = facts.bounds.at(partition);
      if (offset < bounds.from) {
        return is_gone(facts, partition, bounds.from,
                       "from offset " + std::to_string(offset) + " on");
      }
      stretches[partition] = {offset, bounds.to};
    }
    return stretches;
  }
  for (const auto& [partition, bounds] : facts.bounds) {
    Offset first = std::holds_alternative<Latest>(from) ? bounds.to : bounds.from;
    if (const auto* time = std::get_if<WallTime>(&from)) {
      first = facts.at_from.at(partition);
      if (may_be_gone(*time, first, bounds.from, facts)) {
        return is_gone(facts, partition, bounds.from, "from " + json::time_text(*time) + " on");
      }
    }
    stretches[partition] = {first, bounds.to};
  }
  return stretches;
}

Result<void> end(const Mark& to, const TopicFacts& facts, kafka::Stretches& stretches) {
  const auto* offsets = std::get_if<kafka::Offsets>(&to);
  if (offsets != nullptr) {
    if (auto known = check_partitions(*offsets, facts); !known) return known;
  }
  for (auto& [partition, stretch] : stretches) {
    if (offsets != nullptr) {
      const auto named = offsets->find(partition);
      if (named == offsets->end()) {
        return fail(Remedy::stop, "--to: names no offset for " + place(facts, partition) +
                                      ", where --from begins");
      }
      stretch.to = named->second;
    } else if (std::holds_alternative<WallTime>(to)) {
      stretch.to = facts.at_to.at(partition);
    } else if (std::holds_alternative<Earliest>(to)) {
      stretch.to = stretch.from;
    }
    stretch.to = std::max(stretch.to, stretch.from);
  }
  return {};
}

std::string text_of(const kafka::Stretches& stretches, Offset kafka::Stretch::*which) {
  std::string text;
  for (const auto& [partition, stretch] : stretches) {
    text += (text.empty() ? "" : ",") + std::to_string(static_cast<std::int32_t>(partition)) + ":" +
            std::to_string(stretch.*which);
  }
  return text;
}

}  // namespace

Result<Mark> parse_mark(const std::string& option, std::string_view text) {
  if (text == "earliest") return Mark{Earliest{}};
  if (text == "latest") return Mark{Latest{}};
  if (const auto time = json::parse_time(text)) {
    return Mark{std::chrono::floor<Milliseconds>(*time)};
  }
  if (auto offsets = parse_offsets(text)) return Mark{std::move(*offsets)};
  return fail(Remedy::stop,
              option +
                  ": neither a time (2026-03-01T08:00:00+01:00), nor earliest, latest or "
                  "offsets (PARTITION:OFFSET,PARTITION:OFFSET), each partition once");
}

Result<kafka::Stretches> resolve(const Mark& from, const Mark& to, const TopicFacts& facts) {
  auto stretches = begin(from, facts);
  if (!stretches) return stretches;
  if (auto ended = end(to, facts, *stretches); !ended) return tl::unexpected(ended.error());
  return stretches;
}

Result<kafka::Stretches> resolve(const Mark& from, const Mark& to, const kafka::TopicLog& log,
                                 const kafka::TopicDescription& description) {
  TopicFacts facts{.topic = log.topic(),
                   .bounds = {},
                   .at_from = {},
                   .at_to = {},
                   .retention = description.retention,
                   .is_bounded_by_size = description.is_bounded_by_size,
                   .now = wall_now()};
  for (const auto& [mark, offsets] :
       {std::pair(&from, &facts.at_from), std::pair(&to, &facts.at_to)}) {
    const auto* time = std::get_if<WallTime>(mark);
    if (time == nullptr) continue;
    auto found = log.offsets_at(*time);
    if (!found) return tl::unexpected(found.error());
    *offsets = std::move(*found);
  }
  auto bounds = log.bounds();
  if (!bounds) return tl::unexpected(bounds.error());
  facts.bounds = std::move(*bounds);
  return resolve(from, to, facts);
}

std::string begins_text(const kafka::Stretches& stretches) {
  return text_of(stretches, &kafka::Stretch::from);
}

std::string ends_text(const kafka::Stretches& stretches) {
  return text_of(stretches, &kafka::Stretch::to);
}

}  // namespace helsekontakter::tools
