// Remembering: what the ledger says of a key before its change is ordered, and what it is told.

#include "worker/domain/ensure.h"
#include "worker/worker.h"

#include <algorithm>
#include <utility>

namespace helsekontakter {
namespace {

/// About what a parked change takes while it is at hand.
constexpr std::size_t parked_bytes = 1'024;

bool is_at_endpoint(Verdict verdict) {
  return verdict == Verdict::accepted || verdict == Verdict::unchanged;
}

}  // namespace

/// The change waits until the ledger has said what it holds of its key.
void Worker::ask(Slot slot, KeyState& key) {
  (void)slots_.place(slot, Place::asking);
  slots_[slot].next = Slots::none;
  Slot* link = &key.asking;
  while (*link != Slots::none) link = &slots_[*link].next;
  *link = slot;
  if (key.asked) return;
  key.asked = true;
  key.partition = slots_[slot].position.partition;
  out_->look_ups.push_back({.partition = key.partition,
                            .epoch = slots_[slot].epoch,
                            .key = key.member,
                            .with_parked = true});
}

void Worker::learn(KeyState& key, Partition partition, LedgerEntry entry) {
  key.partition = partition;
  key.concluded_version = entry.version;
  key.concluded_content = entry.content;
  key.ledger = std::make_unique<LedgerEntry>(std::move(entry));
}

void Worker::take(LedgerAnswers& input) {
  for (std::size_t i = 0; i < input.answers.size(); ++i) {
    LedgerAnswer& answer = input.answers[i];
    if (i + fetched_ahead < input.answers.size()) {
      keys_.fetch_bucket(input.answers[i + fetched_ahead].key);
      keys_.fetch_state(input.answers[i + fetched_ahead / 2].key);
    }
    if (partition_of(answer.partition, answer.epoch) == nullptr) continue;
    KeyState* key = keys_.find(answer.key);
    if (key == nullptr || !key->asked || key->partition != answer.partition) continue;
    key->asked = false;
    if (!key->ledger && answer.entry) {
      learn(*key, answer.partition, std::move(*answer.entry));
    } else if (!key->ledger && key->asking != Slots::none) {
      learn(*key, answer.partition,
            {.organization = slots_[key->asking].change().organization});  // never heard of
    }
    order_asking(*key);
    remember_key(*key);
  }
}

void Worker::order_asking(KeyState& key) {
  for (Slot slot = std::exchange(key.asking, Slots::none); slot != Slots::none;) {
    const Slot next = std::exchange(slots_[slot].next, Slots::none);
    order(slot);
    slot = next;
  }
}

/// Parked changes whose time has come. One that is at hand already, or was concluded meanwhile, is
/// passed over.
void Worker::take(DueChanges& input) {
  PartitionState* partition = partition_of(input.partition, input.epoch);
  if (partition == nullptr) return;
  partition->taking_due = false;
  // What became due since it was asked for is not in the answer, and not to be forgotten for it.
  std::optional<WallTime>& next = partition->next_due;
  if (input.next) next = next ? std::min(*next, *input.next) : *input.next;
  if (partition->revoking) return;
  for (auto& [member, entry] : input.due) {
    KeyState& key = keys_[member];
    if (key.ledger && key.ledger->parked && entry.parked && !key.concluding &&
        key.ledger->parked->change.event == entry.parked->change.event) {
      key.ledger->parked = entry.parked;  // it may be due earlier than we knew
    }
    if (!key.ledger) {
      learn(key, input.partition, std::move(entry));
      key.asked = false;  // it is answered by this
      order_asking(key);  // a newer change may have been submitted before a crash
    }
    const ParkedChange* parked = key.ledger->parked.get();
    if (parked != nullptr && parked->due <= wall_ && !has_parked_at_hand(key)) {
      order(revive(key, input.partition, *partition));
    }
    remember_key(key);
  }
}

void Worker::take(ClockSeen& input) {
  peer_clocks_.at(static_cast<std::size_t>(input.peer)) = {input.skew, now_};
  const bool wrong = is_clock_wrong();
  if (std::exchange(clock_wrong_told_, wrong) == wrong) return;
  if (!wrong) {
    notice(Notice::Kind::clock_right, std::nullopt, std::nullopt, "our clock agrees again");
    return;
  }
  const bool is_endpoint = input.peer == ClockSeen::Peer::endpoint;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(input.skew).count();
  notice(Notice::Kind::clock_wrong, std::nullopt, std::nullopt,
         "our clock is " + std::to_string(std::abs(seconds)) + " s " +
             (seconds > 0 ? "behind" : "ahead of") + " that of the " +
             (is_endpoint ? "endpoint" : "status API") +
             " (its Date header): nothing expires until they agree. Run a time service");
}

/// That of the endpoint or of the status API differs from ours by too much.
bool Worker::is_clock_wrong() const {
  return std::any_of(peer_clocks_.begin(), peer_clocks_.end(), [&](const auto& clock) {
    return clock && std::chrono::abs(clock->skew) > clock_skew_max &&
           now_ - clock->seen < clock_seen_max;
  });
}

/// A clock that is wrong, or that nobody has confirmed, must not end anything.
bool Worker::is_clock_right() const {
  return !is_clock_wrong() &&
         std::any_of(peer_clocks_.begin(), peer_clocks_.end(), [&](const auto& clock) {
           return clock && now_ - clock->seen < clock_seen_max;
         });
}

void Worker::take(LedgerRoom& input) {
  if (std::exchange(ledger_full_, input.full) == input.full) return;
  if (input.full) {
    notice(Notice::Kind::ledger_full, std::nullopt, std::nullopt,
           "the ledger is at its limit: nothing more is read. Raise " + input.limit +
               " and the container's memory, and restart, or add workers");
  } else {
    notice(Notice::Kind::ledger_has_room, std::nullopt, std::nullopt, "the ledger has room again");
  }
}

/// One whose partition was lost meanwhile does not count: it is forgotten when its request ends.
bool Worker::has_parked_at_hand(const KeyState& key) {
  if (key.parked == Slots::none) return false;
  const Held& held = slots_[key.parked];
  return partition_of(held.position.partition, held.epoch) != nullptr;
}

/// Makes the key's parked change a held one again.
Worker::Slot Worker::revive(KeyState& key, Partition number, PartitionState& partition) {
  const ParkedChange& parked = *key.ledger->parked;
  Delivery delivery;
  delivery.position = {number, parked.offset};
  delivery.epoch = partition.epoch;
  delivery.texts = parked.texts;
  delivery.content = parked.change;
  const Slot slot = slots_.add(std::move(delivery));
  Held& held = slots_[slot];
  held.parked = true;
  held.ask_first = is_asked_first(parked);
  held.attempt = parked.attempt;
  held.key = &key;
  held.organization = &organization_of(parked.change.organization);
  held.since = now_;
  if (held.lane == Lane::offerings) open_offering(slot);
  partition.bytes += held.cost;
  key.parked = slot;
  return slot;
}

/// Whether the ledger alone tells the change's verdict. A parked change that the key has, and that
/// is older, hangs on this one from now on.
bool Worker::is_told_by_ledger(Slot slot, KeyState& key) {
  const Held& held = slots_[slot];
  if (held.parked) return false;
  const Change& change = held.change();
  const LedgerEntry& known = *key.ledger;
  const bool concluded = known.version != LedgerEntry::nothing_concluded;
  if (concluded && change.event == known.event) {
    repeat(slot, known.verdict, known.reason, known.attempt);
    return true;
  }
  if (change.version < known.version) return false;  // superseded, as order() finds
  const bool parked_elsewhere = known.parked && !has_parked_at_hand(key);
  if (known.parked && change.event == known.parked->change.event) {
    const ParkedChange& parked = *known.parked;
    const bool said = parked.why != Reason::none;
    // At hand, and nothing was said of it yet: the one at hand tells, if it comes from the ledger.
    if (parked_elsewhere || (!said && slots_[key.parked].parked)) {
      Conclusion& repeated = repeat(slot, Verdict::inactive, parked.why, parked.attempt);
      repeated.round = settings_.member.every_inactive ? parked.round : 0;
      repeated.publishes = said;
      return true;
    }
  }
  if (parked_elsewhere) {
    const ParkedChange& parked = *known.parked;
    const bool equal = change.version == parked.change.version;
    if (change.version < parked.change.version || (equal && !change.resend)) {
      (void)add_conclusion(slot, Verdict::superseded,
                           equal ? Reason::version_equal : Reason::newer_version, nullptr);
      return true;
    }
  }
  const Slot head = key.waiting != Slots::none ? key.waiting : key.in_flight;
  const bool alone = head == Slots::none;
  PartitionState* partition = partition_of(held.position.partition, held.epoch);
  if (parked_elsewhere && partition != nullptr) {
    const Slot parked = revive(key, held.position.partition, *partition);
    chain(alone ? slot : head, parked, ChainedAs::newer_version);
  }
  // What is parked may have arrived without an answer, and then the endpoint holds that.
  const bool may_differ = !alone || key.concluding || known.parked;
  const bool same_content = concluded && change.content == known.content;
  if (!settings_.member.skip_unchanged || change.resend || may_differ || !same_content ||
      !is_at_endpoint(known.verdict)) {
    return false;
  }
  const EntryAnswer nothing;
  conclude_chain(slot, Verdict::unchanged, Reason::none, nothing, Conclusion::no_batch);
  return true;
}

/// The very same event came again: its stored result is told once more.
Conclusion& Worker::repeat(Slot slot, Verdict verdict, Reason reason, std::uint32_t attempt) {
  Conclusion& conclusion = add_conclusion(slot, verdict, reason, nullptr);
  conclusion.attempt = attempt;
  return conclusion;
}

/// What the ledger holds of the key once the next record is durable.
Worker::Remembered Worker::remember(Slot slot, Verdict verdict, Reason reason,
                                    const std::optional<PutOff>& put_off_as) {
  const Held& held = slots_[slot];
  KeyState& key = *held.key;
  const Change& change = held.change();
  LedgerEntry& entry = *key.ledger;
  Remembered told{.verdict = verdict, .reason = reason, .round = held.attempt};
  if (put_off_as) {
    remember_put_off(held, *put_off_as, entry, told);
  } else if (verdict == Verdict::inactive) {
    remember_inactive(held, reason, entry, told);
  }
  // The same version with the same content is no news. The event that stands there may be a resend,
  // which would be submitted once more if it were forgotten.
  const bool news = told.verdict != Verdict::unchanged || change.version != entry.version;
  if (is_terminal(told.verdict) && news) {
    entry.version = std::max(entry.version, change.version);
    entry.event = change.event;
    entry.content = change.content;
    entry.verdict = told.verdict;
    entry.reason = told.reason;
    entry.attempt = held.attempt;
    entry.parked.reset();
    if (told.verdict == Verdict::accepted) {
      entry.ever_accepted = true;
      entry.accepted_on = std::chrono::floor<std::chrono::days>(wall_);
    }
  }
  write_entry(held);
  return told;
}

/// What is known of the change's key becomes durable with the next record.
void Worker::write_entry(const Held& held) {
  LedgerEntry& entry = *held.key->ledger;
  entry.lane = held.lane;
  entry.organization = held.change().organization;
  ledger_writes_.push_back({held.position.partition, held.epoch, held.key->member, entry});
}

/// It is parked without a result, unless requests with it alone have failed for too long while
/// others succeeded. What waits for an organisation, the endpoint or room never expires by that.
void Worker::remember_put_off(const Held& held, const PutOff& how, LedgerEntry& entry,
                              Remembered& told) {
  const ParkedChange* before = held.parked ? entry.parked.get() : nullptr;
  if (how.failed_alone && before != nullptr && is_clock_right() &&
      failing_for(*before) >= settings_.retry.exhausted_expiry) {
    told.verdict = Verdict::expired;
    told.reason = Reason::exhausted_too_long;
    return;
  }
  entry.parked = std::make_shared<const ParkedChange>(put_off(held, entry, how));
  told.publishes = false;
}

/// It is parked, unless it was inactive for too long, or its membership is over and never arrived.
void Worker::remember_inactive(const Held& held, Reason reason, LedgerEntry& entry,
                               Remembered& told) {
  const ParkedChange* before = held.parked ? entry.parked.get() : nullptr;
  auto parked = std::make_shared<const ParkedChange>(park(held, before, reason));
  told.round = parked->round;
  const bool too_long = wall_ - parked->parked_since >= settings_.member.inactive_expiry;
  const bool over = !entry.ever_accepted && parked->period_end && *parked->period_end <= wall_;
  if ((too_long || over) && is_clock_right()) {
    told.verdict = Verdict::expired;
    told.reason = Reason::inactive_too_long;
    return;
  }
  const bool said = before != nullptr && before->why != Reason::none;
  told.publishes = !said || settings_.member.every_inactive;
  told.next_attempt = parked->due;
  entry.parked = std::move(parked);
}

/// An inactive member's change, to be tried again after an interval that grows, with jitter.
ParkedChange Worker::park(const Held& held, const ParkedChange* before, Reason why) {
  const auto& member = settings_.member;
  const std::uint32_t last_round = before == nullptr ? 0 : before->round;
  if (before != nullptr && before->why == Reason::none) before = nullptr;  // it was only put off
  const auto grown = [&](Milliseconds last) {
    const double next = static_cast<double>(last.count()) * member.inactive_retry_factor;
    const auto most = static_cast<double>(member.inactive_retry_max.count());
    return Milliseconds(static_cast<std::int64_t>(std::min(next, most)));
  };
  ParkedChange parked{
      .change = held.change(),
      .texts = held.delivery->texts,
      .offset = held.position.offset,
      .attempt = held.attempt,
      .round = before == nullptr ? last_round : last_round + 1,
      .why = why,
      .parked_since = before == nullptr ? wall_ : before->parked_since,
      .period_end = held.change().period_end(),
      .interval = before == nullptr ? member.inactive_retry : grown(before->interval)};
  const auto tenth = static_cast<std::uint64_t>(parked.interval.count() / 10);
  const auto jitter = static_cast<std::int64_t>(random_.up_to(2 * tenth));
  parked.due = wall_ + parked.interval - Milliseconds(tenth) + Milliseconds(jitter);
  if (is_asked_first(parked)) parked.due = asking_time(parked.due, parked.change.organization);
  return parked;
}

/// Asks for parked changes that are due, while there is room for more.
void Worker::take_due() {
  if (!settings_.ledger.enabled || stopping_) return;
  const bool room = ready_changes() < enough_ready();
  const bool asks = settings_.digital_status.enabled;
  for (auto& [number, partition] : partitions_) {
    if (partition.revoking || partition.recovering || partition.taking_due || !room) continue;
    if (!partition.next_due || *partition.next_due > wall_) continue;
    if (asks ? partition.is_crowded() : partition.bytes >= partition.share) continue;
    // A question is better filled, as far as there is room for a thousand.
    const std::size_t fitting = (partition.share - partition.bytes) / parked_bytes;
    const std::size_t listed = std::min(fitting, settings_.digital_status.list_max);
    const std::size_t at_once = settings_.ledger.due_at_once_max;
    partition.taking_due = true;
    partition.next_due.reset();
    out_->take_due.push_back({.partition = number,
                              .epoch = partition.epoch,
                              .until = wall_,
                              .at_most = asks ? std::max(at_once, listed) : at_once});
  }
}

/// What the ledger said of keys of a partition that goes may be another worker's word by the time
/// it comes back. Of a partition that is let go in order, requests in flight still need it.
void Worker::forget_ledger_of(Partition number, bool lost) {
  std::vector<KeyState*> ask_again;
  std::vector<KeyState*> left;  // that nothing refers to any more
  keys_.for_each([&](KeyState& key) {
    Slot* link = &key.asking;
    while (*link != Slots::none) {
      const Slot slot = *link;
      if (slots_[slot].position.partition != number) {
        link = &slots_[slot].next;
        continue;
      }
      *link = slots_[slot].next;
      forget(slot);
    }
    if (key.partition != number) return;
    if (key.asked) {
      key.asked = false;
      if (key.asking != Slots::none) {
        ask_again.push_back(&key);
      } else if (!key.remembered) {
        left.push_back(&key);
      }
    }
    if (lost || !key.is_excluded()) key.ledger.reset();
  });
  for (KeyState* key : ask_again) order_asking(*key);
  for (KeyState* key : left) remember_key(*key);
}

}  // namespace helsekontakter
