#!/usr/bin/env python3
"""The mutants of the core: each breaks one promise in one place.

mutants.py list              the names
mutants.py check TREE        fails when one does not fit exactly once, and names it
mutants.py apply NAME TREE   makes the change in a copy of the sources; fails when it does not fit
"""
import pathlib
import sys

# name: (file, what stands there once, what the mutant has instead)
MUTANTS = {
    'settle_before_publish': (
        'worker/recording.cc',
        '  record.conclusions = std::exchange(conclusions_, {});\n',
        '  if (!last_record_ || last_record_ % 7 != 0) '
        'record.conclusions = std::exchange(conclusions_, {}); else conclusions_.clear();\n'),
    'drop_an_unknown_outcome': (
        'worker/outcomes.cc',
        '  remember_unknown(batch);\n  fail_transiently(batch, outcome.text);\n',
        '  for (const Slot slot : batch.slots) (void)comes_back(slot);\n'),
    'count_an_unknown_outcome_as_accepted': (
        'worker/outcomes.cc',
        '  remember_unknown(batch);\n  fail_transiently(batch, outcome.text);\n',
        '  for (const Slot slot : batch.slots) {\n'
        '    conclude(slot, Verdict::accepted, Reason::none, {}, Conclusion::no_batch);\n  }\n'),
    'forget_half_of_a_split': (
        'worker/outcomes.cc',
        '  for (std::size_t from = 0; from < slots.size(); from += half) {\n',
        '  for (std::size_t from = 0; from < half; from += half) {\n'),
    'let_an_older_version_win': (
        'worker/intake.cc',
        '  if (change.version > known.version ||\n',
        '  if (change.version < known.version ||\n'),
    'forget_the_concluded_version': (
        'worker/intake.cc',
        '  if (change.version < key.concluded_version ||\n',
        '  if (\n'),
    'forget_what_is_put_off': (
        'worker/remembering.cc',
        '  write_entry(held);\n  return told;\n',
        '  if (!put_off_as) write_entry(held);\n  return told;\n'),
    'lose_what_became_due_meanwhile': (
        'worker/remembering.cc',
        '  if (input.next) next = next ? std::min(*next, *input.next) : *input.next;\n',
        '  next = input.next;\n'),
    'no_byte_limit': (
        'worker/dispatch.cc',
        '        bytes + more > settings_.batch.bytes_max) {\n',
        '        bytes + more > settings_.batch.bytes_max * 2) {\n'),
    'byte_limit_without_commas': (
        'worker/dispatch.cc',
        'held.entry_bytes - 1 + (slots.empty() ? first_comma : 1);\n',
        'held.entry_bytes - 1;\n'),
    'no_entry_limit': (
        'worker/dispatch.cc',
        '    if (entries + held.entries > settings_.batch.entries_max ||\n',
        '    if (\n'),
    'free_the_key_before_recorded': (
        'worker/recording.cc',
        '  key.concluding = true;\n',
        '  key.concluding = false;\n'),
    'submit_beside_a_request': (
        'worker/ordering/key_state.h',
        'return in_flight != Slots::none || concluding;',
        'return concluding;'),
    'ignore_submitted_to': (
        'worker/intake.cc',
        '  state.read_to = std::min(state.submitted_to, input.end);\n',
        '  state.read_to = input.committed;\n'),
    'submit_before_the_promise': (
        'worker/worker.h',
        'held.position.offset < partition.submittable_to',
        'held.position.offset < partition.submitted_to + 1\'000\'000'),
    'ignore_settle_time': (
        'worker/outcomes.cc',
        '    key.not_before = std::max(key.not_before, settled);\n',
        ''),
    'release_as_settled': (
        'worker/recording.cc',
        '  const bool settled = flights_[number].unsettled_until <= now_;\n',
        '  const bool settled = true;\n'),
    'forget_an_inherited_settle_time': (
        'worker/recording.cc',
        '  mark.unsettled = !settled && (releases || partition.quiet_until);\n',
        '  mark.unsettled = !settled && releases;\n'),
    'count_a_hold_as_a_verdict': (
        'worker/outcomes.cc',
        '    } else if (match.judgement == Judgement::hold) {\n',
        '    } else if (match.judgement == Judgement::hold && batch.slots.empty()) {\n'),
    'reject_after_many_failures': (
        'worker/outcomes.cc',
        '  const std::uint32_t failures = batch.failures + 1;\n  batch.failures = failures;\n',
        '  const std::uint32_t failures = batch.failures + 1;\n  batch.failures = failures;\n'
        '  if (failures > 3 && batch.slots.size() == 1) {\n'
        '    conclude(batch.slots[0], Verdict::rejected, Reason::refused_by_endpoint, {},\n'
        '             Conclusion::no_batch);\n    return;\n  }\n'),
    'reject_a_probe_that_fails': (
        'worker/outcomes.cc',
        '    const bool was_held = endpoint_.held();\n',
        '    const bool was_held = endpoint_.held();\n'
        '    if (was_held && batch.slots.size() == 1) {\n'
        '      conclude(batch.slots[0], Verdict::rejected, Reason::refused_by_endpoint, {},\n'
        '               Conclusion::no_batch);\n      return;\n    }\n'),
    'forget_a_resend_for_its_original': (
        'worker/remembering.cc',
        '  const bool news = told.verdict != Verdict::unchanged || change.version != entry.version;\n',
        '  const bool news = true;\n'),
    'release_with_requests_in_flight': (
        'worker/recording.cc',
        '         (flights == flights_.end() || flights->second.in_flight == 0);\n',
        '         (flights == flights_.end() || flights->second.in_flight < 1000000);\n'),
    'release_beside_an_older_request': (
        'worker/recording.cc',
        '    if (!is_quiet(late.partition)) return false;\n',
        ''),
    'conclude_orphans': (
        'worker/recording.cc',
        '  if (partition == nullptr) {\n    (void)comes_back(slot);\n    return;\n  }\n',
        ''),
    'publish_what_was_lost': (
        'worker/intake.cc',
        '  discard_conclusions_of(number);\n',
        ''),
    'no_metadata_limit': (
        'worker/ordering/progress.cc',
        '  if (offset < bitmap_end()) return true;\n',
        '  if (offset >= 0) return true;\n'),
    'reach_over_the_metadata_limit': (
        'worker/ordering/progress.cc',
        '  if ((unconcluded_ + 1) * run_bytes_max > bytes_max_) '
        'position = std::min(position, bitmap_end());\n',
        ''),
    'reach_while_revoking': (
        'worker/intake.cc',
        '  if (partition == nullptr || partition->revoking) return;\n'
        '  partition->reached = std::max(partition->reached, input.position);\n',
        '  if (partition == nullptr) return;\n'
        '  partition->reached = std::max(partition->reached, input.position);\n'
        '  partition->progress.reach(partition->reached);\n'),
    'no_memory_limit': (
        'worker/intake.cc',
        '(partition.bytes >= partition.share && !partition.is_reading_back());\n',
        '(partition.bytes >= partition.share * 1000);\n'),
    'leak_bytes': (
        'worker/recording.cc',
        '    partition->bytes -= recorded.bytes;\n',
        ''),
    'open_the_gate_early': (
        'worker/worker.h',
        'organization.offerings_open + organization.offerings_told == 0',
        'organization.offerings_told == 0'),
    'probe_with_the_poison_only': (
        'worker/dispatch.cc',
        '  const bool probes = endpoint_.held() || organization.hold.held();\n',
        '  const bool probes = false;\n'),
    'two_lanes_take_no_turns': (
        'worker/dispatch.cc',
        '  if (organization.deficit <= 0 || batch.probes_endpoint) ++turn_;\n',
        ''),
    'spin': (
        'worker/worker.cc',
        '    if (!recording_ && partition.progress.committed() > partition.recorded) {\n',
        '    if (partition.progress.committed() >= partition.recorded) {\n'),
    'sleep_through_a_retry': (
        'worker/worker.cc',
        '    if (passes_gate(organization, group.lane)) no_later(group.due);\n',
        '    if (!passes_gate(organization, group.lane)) no_later(group.due);\n'),
    'submit_without_asking': (
        'worker/asking_status.cc',
        '  return settings_.digital_status.enabled && parked',
        '  return settings_.digital_status.enabled && stopping_ && parked'),
    'forget_a_question_that_failed': (
        'worker/asking_status.cc',
        '    queue.references.push_front(slots_.place(*slot, Place::gathered));\n',
        '    (void)slots_.place(*slot, Place::gathered);\n'),
    'ask_for_more_than_a_list': (
        'worker/asking_status.cc',
        'question.references.size() < most;',
        'question.references.size() <= most;'),
    'keep_findings_of_the_held': (
        'worker/worker.cc',
        '  let_go_stalled();\n',
        ''),
    'never_halve': (
        'worker/outcomes.cc',
        '  const std::size_t half = std::max<std::size_t>(1, batch.slots.size() / 2);\n',
        '  const std::size_t half = std::max<std::size_t>(1, batch.slots.size());\n'),
}


def mutated(name, tree):
    """The file's new text, or nothing, after saying why, when the mutant does not fit."""
    file, old, new = MUTANTS[name]
    path = pathlib.Path(tree) / file
    text = path.read_text() if path.exists() else ''
    if text.count(old) != 1:
        print(f'{name}: fits {text.count(old)} times in {file}, must fit once', file=sys.stderr)
        return None
    return text.replace(old, new)


def check(tree):
    misfits = [name for name in MUTANTS if mutated(name, tree) is None]
    print(f'{len(MUTANTS)} mutants, {len(misfits)} do not fit')
    return 1 if misfits or not MUTANTS else 0


def apply(name, tree):
    text = mutated(name, tree)
    if text is None:
        return 1
    file = MUTANTS[name][0]
    (pathlib.Path(tree) / file).write_text(text)
    print(file)
    return 0


def main():
    arguments = sys.argv[1:]
    if arguments == ['list']:
        print('\n'.join(MUTANTS))
        return 0
    if len(arguments) == 2 and arguments[0] == 'check':
        return check(arguments[1])
    if len(arguments) == 3 and arguments[0] == 'apply' and arguments[1] in MUTANTS:
        return apply(arguments[1], arguments[2])
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == '__main__':
    sys.exit(main())
