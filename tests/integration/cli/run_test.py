#!/usr/bin/env python3
"""What becomes of each event, good or bad: `run` reads them from a real Kafka, and the results and
dead letters are held against the contracts in schemas/."""

import collections
import json
import re
import subprocess

import parties

REASONS = {reason["code"]: reason
           for reason in json.loads((parties.SCHEMAS / "reasons.json").read_text())["reasons"]}
EXAMPLES = parties.SCHEMAS / "examples"
UNLISTED = "889640782"

Case = collections.namedtuple("Case", "name key value verdict reason headers", defaults=[()])


def membership(**changes):
    """The golden membership with another id; None takes a field away."""
    event = json.loads((EXAMPLES / "membership.json").read_text())
    for path, value in changes.items():
        *above, name = path.split("__")
        place = event
        for part in above:
            place = place[part]
        if value is None:
            del place[name]
        else:
            place[name] = value
    return event


def encoded(event):
    return json.dumps(event).encode()


def golden_cases():
    """The bad events of schemas/examples, as they lie there."""
    listed = json.loads((EXAMPLES / "index.json").read_text())["examples"]
    for example in listed:
        if example.get("verdict") in ("undecodable", "rejected"):
            yield Case(example["file"], b"opaque", (EXAMPLES / example["file"]).read_bytes(),
                       example["verdict"], example["reason"])


def own_cases(event_bytes_max):
    good = encoded(membership(id="own"))
    number = membership()["data"]["member"]

    def bad(name, reason, value, key=b"opaque", headers=()):
        return Case(name, key, value, REASONS[reason]["verdict"], reason, headers)

    yield bad("not JSON", "not_json", b"hello")
    yield bad("empty value", "not_json", b"")
    yield bad("truncated", "not_json", good[:-10])
    yield bad("an array", "not_an_event", b"[1,2]")
    yield bad("invalid UTF-8", "invalid_utf8", good.replace(b"m-0048151", b"m-\xff\xfe"))
    yield bad("number as text", "wrong_type", encoded(membership(id="a", data__version="7")))
    yield bad("text as number", "wrong_type", encoded(membership(id="b", data__member=1)))
    yield bad("missing member", "field_missing", encoded(membership(id="c", data__member=None)))
    yield bad("empty member", "field_missing", encoded(membership(id="d", data__member="")))
    yield bad("check digit", "member_check_digit",
              encoded(membership(id="e", data__member=number[:-1] + "0")))
    yield bad("end before start", "period_reversed",
              encoded(membership(id="f", data__period__end="2025-12-31")))
    yield bad("a name twice", "duplicate_name", good.replace(b'"id"', b'"id": "x", "id"', 1))
    yield bad("too large", "event_too_large",
              encoded(membership(id="g", data__note="x" * event_bytes_max)))
    yield bad("number in key", "identity_in_metadata", good, key=number.encode())
    yield bad("number in subject", "identity_in_metadata",
              encoded(membership(id="h", subject="m/" + number)))
    yield bad("broken, with a number in its key", "not_json", b"{", key=number.encode())
    yield bad("broken, with headers", "not_json", b"{", headers=[("trace", b"\x00\xff"),
                                                                 ("trace", b""), ("n", None)])


def good_cases():
    """Changes that are submitted: of both kinds, in all modes."""
    plain = json.loads((EXAMPLES / "membership-plain.json").read_text())
    offering = json.loads((EXAMPLES / "offering.json").read_text())
    withdrawn = json.loads((EXAMPLES / "offering-withdrawn.json").read_text())
    people = ["02013299997"]
    attributes = membership(id="binary")
    data = attributes.pop("data")
    data["member"] = people[0]
    headers = [("content-type", attributes.pop("datacontenttype").encode())]
    headers += [("ce_" + name, text.encode()) for name, text in attributes.items()]
    yield Case("binary", b"m-2", encoded(data), "accepted", None, headers)
    yield Case("offering, older", b"o-1", encoded(offering), "superseded", "newer_version")
    yield Case("offering, withdrawn", b"o-1", encoded(withdrawn), "accepted", None)
    yield Case("structured, older", b"m-1", encoded(membership(id="older", data__version=1)),
               "superseded", "newer_version")
    plain["version"] = 2000
    yield Case("plain", b"m-1", encoded(plain), "accepted", None)


class Run(parties.WithWorker):
    def setUp(self):
        super().setUp()
        self.config["source"]["kafka"]["event_bytes_max"] = 65536
        self.config["brake"] = {"rejected_in_row_max": 1000, "rejected_share_max": 1}
        self.make_topics()

    def send(self, cases):
        """Offset in the input → case."""
        places = parties.send(self.input, [(case.key, case.value, case.headers) for case in cases])
        return {offset: case for case, (_, offset) in zip(cases, places)}

    def read_results(self):
        """Offset in the input → result event; each is valid, and exactly one."""
        found = {}
        validator = parties.result_validator()
        for record in parties.read(self.results):
            event = json.loads(record.value)
            self.assertEqual([error.message for error in validator.iter_errors(event)], [], event)
            self.assertEqual(parties.runs_of_eleven_digits(record.value), [], event)
            self.assertEqual(parties.runs_of_eleven_digits(record.key or b""), [], event)
            data = event["data"]
            origin = data["origin"]
            self.assertEqual(origin["topic"], self.input)
            self.assertNotIn(origin["offset"], found)
            found[origin["offset"]] = (record, event)
            if "reason" in data:
                reason = REASONS[data["reason"]["code"]]
                self.assertEqual((data["verdict"], data["action"]),
                                 (reason["verdict"], reason["action"]), event)
        return found

    def assert_verdicts(self, sent):
        results = self.read_results()
        for offset, case in sent.items():
            with self.subTest(case.name):
                self.assertIn(offset, results)
                record, event = results[offset]
                data = event["data"]
                reason = data.get("reason", {}).get("code")
                self.assertEqual((data["verdict"], reason), (case.verdict, case.reason), event)
                if not parties.runs_of_eleven_digits(case.key or b""):
                    self.assertEqual(record.key, case.key)
        self.assertEqual(len(results), len(sent))
        return results

    def assert_no_number(self, text):
        self.assertEqual(re.findall(r"(?<![0-9A-Za-z.])[0-9]{11}(?![0-9A-Za-z])", text), [])

    def assert_dead_letters(self, sent):
        """One for each, byte for byte; what was never kept is referred to."""
        found = set()
        for letter in parties.read(self.letters):
            headers = dict(letter.headers)
            error = json.loads(headers["helsekontakter-error"])
            case = sent[error["offset"]]
            found.add(error["offset"])
            with self.subTest(case.name):
                self.assertEqual((error["topic"], error["partition"]), (self.input, 0))
                self.assertEqual((error["verdict"], error["reason"]), (case.verdict, case.reason))
                if case.reason == "event_too_large":
                    self.assertEqual(json.loads(letter.value), error)
                    continue
                self.assertEqual(letter.value, case.value)
                self.assertEqual(letter.headers[:-1], list(case.headers))
                if parties.runs_of_eleven_digits(case.key):
                    self.assertEqual(parties.runs_of_eleven_digits(letter.key), [])
                else:
                    self.assertEqual(letter.key, case.key)
        self.assertEqual(found, set(sent))

    def test_each_bad_event_has_its_result_and_its_dead_letter_byte_for_byte(self):
        submitted = self.simulator.statistics()["api"]["entries"]
        sent = self.send([*golden_cases(), *own_cases(65536)])
        log = self.drain()
        self.assert_verdicts(sent)
        self.assert_no_number(log)
        self.assert_dead_letters(sent)
        self.assertEqual(self.simulator.statistics()["api"]["entries"], submitted)

    def test_changes_of_both_kinds_in_every_mode_are_submitted_once(self):
        sent = self.send(list(good_cases()))
        log = self.drain()
        results = self.assert_verdicts(sent)
        self.assert_no_number(log)
        for _, event in results.values():
            if event["data"]["verdict"] == "accepted":
                self.assertEqual(event["data"]["httpStatus"], 200, event)
                self.assertEqual(event["data"]["organization"], "948554062")
        self.assertEqual(parties.read(self.letters), [])
        self.drain()
        self.assertEqual(len(parties.read(self.results)), len(sent))

    def test_a_null_value_is_settled_without_a_result(self):
        parties.send(self.input, [(b"m-1", None), (None, None)])
        self.drain()
        self.assertEqual(parties.read(self.results), [])
        self.assertEqual(parties.read(self.letters), [])

    def test_a_change_without_a_key_is_a_change(self):
        sent = self.send([Case("no key", None, encoded(membership(id="n", data__version=9)),
                               "accepted", None)])
        self.drain()
        self.assert_verdicts(sent)

    def test_an_unlisted_organisation_is_held_until_it_is_listed(self):
        unlisted = encoded(membership(id="u", data__organization=UNLISTED, data__version=9))
        listed = encoded(membership(id="l", data__version=10))
        parties.send(self.input, [(b"u", unlisted), (b"l", listed)])
        worker = self.start()
        parties.wait_for("the other organisation's result",
                         lambda: len(parties.read(self.results)) == 1)
        metrics = worker.page("/metrics")
        self.assertIn(f'organization_held{{organization="{UNLISTED}"}} 1', metrics)
        self.assert_no_number(metrics)
        worker.wait_until_ready()
        self.assertEqual(worker.stop(), 0)
        self.assertEqual(list(self.read_results()), [1])
        self.config["organizations"][UNLISTED] = {}
        self.drain()
        self.assertEqual(sorted(self.read_results()), [0, 1])
        self.assertEqual(self.read_results()[0][1]["data"]["verdict"], "accepted")


class Ends(parties.WithWorker):
    def send_one(self):
        parties.send(self.input, [(b"k", encoded(membership(id="e", data__version=9)))])

    def test_a_second_sigterm_ends_it_at_once_and_nothing_is_lost(self):
        self.make_topics()
        self.simulator.control({"api": {"latency": {"base_ms": 20_000, "max_ms": 20_000}}})
        self.addCleanup(self.simulator.control, {"api": {"latency": {"base_ms": 0}}})
        self.send_one()
        worker = self.start()
        parties.wait_for("a request is under way", lambda: re.search(
            r"^helsekontakter_requests_in_flight 1$", worker.page("/metrics"), re.MULTILINE))
        worker.process.terminate()
        with self.assertRaises(subprocess.TimeoutExpired):
            worker.process.wait(1)
        worker.process.terminate()
        self.assertEqual(worker.process.wait(5), 1)
        worker.file.close()
        self.assertEqual(parties.read(self.results), [])
        self.simulator.control({"api": {"latency": {"base_ms": 0}}})
        self.drain()
        result, = parties.read(self.results)
        self.assertEqual(json.loads(result.value)["data"]["verdict"], "accepted")

    def test_a_ledger_that_would_forget_members_is_not_begun_with(self):
        ledger = self.config["ledger"]["kafka"]["topic"]
        parties.records("make", ledger, "1", "cleanup.policy=delete")
        self.call("check", "--connect", "--create", "--partitions", "1")  # the others
        self.send_one()
        done = self.call("run", "--drain")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn(f"{ledger} has cleanup.policy=delete, which would forget members", done.stderr)
        self.assertEqual(parties.read(self.results), [])


if __name__ == "__main__":
    parties.main()
