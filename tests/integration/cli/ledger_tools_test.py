#!/usr/bin/env python3
"""The subcommands that read the ledger or speak to all workers, against a real Kafka."""

import json

import parties
from tools_test import ORGANIZATION, PEOPLE, WithTopics, event


class WithLedger(WithTopics):
    def send(self, *messages):
        """(partition, key, value)"""
        lines = [f"{partition} {parties.to_hex(key)} {parties.to_hex(value)} -\n"
                 for partition, key, value in messages]
        parties.records("send", self.input, given="".join(lines))

    def make_inactive(self, *people):
        """For all tests of the class: the simulator does not forget them."""
        path = self.folder / "inactive"
        path.write_text("".join(person + "\n" for person in people))
        self.simulator.control({"api": {"inactive": {"file": str(path)}}})


class Audit(WithLedger):
    def counts(self, done):
        """The figures of the line that sums it up."""
        summary, = [text for text in done.stdout.splitlines() if text.startswith("concluded")]
        words = [part.rsplit(" ", 1) for part in summary.split(", ")]
        return {name: int(number) for name, number in words}

    def assert_counts(self, done, **expected):
        names = {"parked": "parked in the ledger", "twice": "results twice",
                 "wandered": "keys in several partitions"}
        found = self.counts(done)
        self.assertEqual({name: found[names.get(name, name)] for name in expected}, expected)

    def fill(self):
        self.make_inactive(PEOPLE[1])
        once = event(PEOPLE[0], 2, "a-2")
        self.send((1, b"a", event(PEOPLE[0], 1, "a-1")), (1, b"a", once), (1, b"a", once),
                  (2, b"b", event(PEOPLE[1], 1, "b-1")), (0, b"x", b"no event"), (0, b"n", None))

    def test_every_event_has_its_verdict_or_waits(self):
        self.fill()
        done = self.call("audit")
        self.assert_says(done, 0, "4 change events", "1 repeated, 1 null", "nothing is proved")
        self.assert_counts(done, concluded=0, waiting=4, gaps=0)
        self.drain()
        done = self.call("audit")
        self.assert_says(done, 0, "inactive 1", "undecodable 1", "superseded 1")
        self.assert_counts(done, concluded=3, parked=1, waiting=0, gaps=0, twice=0, wandered=0)
        self.assertNotIn("nothing is proved", done.stdout)

    def test_a_settled_event_without_a_result_is_a_gap(self):
        self.fill()
        self.drain()
        empty = self.results + "-empty"
        parties.records("make", empty, "1")
        self.config["results"]["kafka"]["topic"] = empty
        done = self.call("audit")
        self.assert_says(done, 3, f"gap: {self.input}/1 offset 0: settled without a verdict",
                         f"gap: {self.input}/0 offset 0")
        self.assert_counts(done, concluded=0, parked=1, gaps=3)
        self.assert_counts(self.call("audit", "--from", "1:1", "--to", "1:2"), gaps=1)

    def test_a_result_told_twice_and_a_key_in_two_partitions_are_found(self):
        self.send((0, b"a", event(PEOPLE[0], 1, "a-1")), (2, b"z", event(PEOPLE[0], 2, "a-2")))
        self.drain()
        self.told(2)
        result = parties.read(self.results)[0]
        parties.send(self.results, [(result.key, result.value)])
        origin = json.loads(result.value)["data"]["origin"]
        done = self.call("audit")
        self.assert_says(done, 3, f"twice: {self.input}/{origin['partition']} offset 0: 2 results",
                         f"{self.input}/0 offset 0, {self.input}/2 offset 0")
        self.assert_counts(done, concluded=2, gaps=0, twice=1, wandered=1)

    def test_another_hmac_key_is_refused(self):
        self.fill()
        self.drain()
        self.config["ledger"]["hmac_key_file"] = self.secret("other", b"A" * 43 + b"=")
        self.assert_says(self.call("audit"), 2, "hmac_key_file")

    def test_wrong_usage_is_said(self):
        self.assert_says(self.call("audit", "--from", "then"), 2, "--from")


class ReplayByVerdict(WithLedger):
    def test_only_members_whose_last_verdict_it_was_are_sent_once_more(self):
        self.make_inactive(PEOPLE[1])
        self.send((1, b"a", event(PEOPLE[0], 1, "a-1")), (2, b"b", event(PEOPLE[1], 1, "b-1")))
        self.drain()
        self.told(2)
        self.assert_says(self.call("replay", "--from", "earliest", "--verdict", "expired"), 0,
                         "0 events to send")
        self.assert_says(self.call("replay", "--from", "earliest", "--verdict", "inactive"), 0,
                         "1 event sent")
        copies = [json.loads(record.value) for record in parties.read(self.input)
                  if b'"resend"' in record.value]
        self.assertEqual([copy["id"] for copy in copies], ["b-1"])
        self.drain()
        told = {(each["data"]["event"]["id"], "resend" in each["data"], each["data"]["verdict"])
                for each in self.told(4)}
        self.assertIn(("b-1", True, "inactive"), told)
        self.assertIn(("b-1", False, "superseded"), told)
        self.assert_says(self.call("audit"), 0, "gaps 0")


class Show(WithLedger):
    def setUp(self):
        super().setUp()
        self.make_inactive(PEOPLE[1])
        self.send((1, b"a", event(PEOPLE[0], 7, "a-7", subject="m-1")),
                  (2, b"b", event(PEOPLE[1], 3, "b-3", subject="m-2")))
        self.drain()
        self.told(2)

    def show(self, *words, given=""):
        return self.call("show", "--organization", ORGANIZATION, *words, given=given)

    def test_a_member_is_found_by_event_subject_and_number(self):
        accepted = ("accepted, version 7, attempts 1", "last accepted", "event a-7",
                    f"from {self.input}/1 offset 0")
        inactive = ("waits: version 3, not_digitally_active, attempts 1, next due", "event b-3",
                    f"from {self.input}/2 offset 0")
        for words, given, said in ((["--event-id", "a-7"], "", accepted),
                                   (["--subject", "m-1"], "", accepted),
                                   (["--member-stdin"], PEOPLE[0] + "\n", accepted),
                                   (["--event-id", "b-3"], "", inactive),
                                   (["--subject", "m-2"], "", inactive),
                                   (["--member-stdin"], PEOPLE[1] + "\r\n", inactive)):
            with self.subTest(words):
                done = self.show(*words, given=given)
                self.assert_says(done, 0, *said)
                other = "b-3" if "a-7" in said[2] else "a-7"
                self.assertNotIn(other, done.stdout)

    def test_what_is_not_known_is_said(self):
        self.assert_says(self.show("--event-id", "c"), 1, "nothing is known")
        self.assert_says(self.show("--member-stdin", given="02013299998\n"), 2, "--member-stdin")

    def test_a_number_on_the_command_line_is_refused(self):
        self.assert_says(self.show("--subject", PEOPLE[0]), 2, "--member-stdin")
        self.assert_says(self.show("--subject", "a", "--event-id", "b"), 2)
        self.assert_says(self.show(), 2)


class Control(WithLedger):
    def test_a_worker_obeys_hold_and_resume(self):
        done = self.call("control", "hold", "--organization", ORGANIZATION, "--why", PEOPLE[0])
        self.assert_says(done, 0, "told all workers")
        self.send((1, b"a", event(PEOPLE[0], 1, "a-1")))
        before = self.simulator.statistics()["api"]["entries"]
        self.drain()
        self.assertEqual(self.simulator.statistics()["api"]["entries"], before)
        self.assert_says(self.call("audit"), 0, "parked in the ledger 1")
        self.assert_says(self.call("control", "resume", "--organization", ORGANIZATION), 0)
        worker = self.start()
        result, = self.told(1)
        self.assertEqual(result["data"]["verdict"], "accepted")
        self.assertEqual(worker.stop(), 0)

    def test_each_action_is_written_with_a_subject_of_its_own(self):
        shared = self.config["ledger"]["kafka"]["shared_topic"]
        for action in ("hold", "resume", "release-brake", "retry-now"):
            self.assert_says(self.call("control", action), 0)
            self.assert_says(self.call("control", action, "--organization", ORGANIZATION), 0)
        keys = [record.key.decode() for record in parties.read(shared)]
        self.assertEqual(keys.count("hold/operator/" + ORGANIZATION), 2)
        self.assertEqual(keys.count("hold/operator/endpoint"), 2)
        self.assertEqual(keys.count("brake/" + ORGANIZATION), 1)
        self.assertEqual(keys.count("brake/source"), 1)
        self.assertEqual(len([key for key in keys if key.startswith("retry-now/")]), 2)

    def test_wrong_usage_is_said(self):
        self.assert_says(self.call("control", "stop"), 2, "hold")
        self.assert_says(self.call("control", "hold", "--organization", "889640782"), 2,
                         "organizations")
        self.config["ledger"]["kafka"]["shared_topic"] = self.input
        self.assert_says(self.call("control", "hold"), 2, self.input)


class Gate(WithLedger):
    PARTITIONS = "2"

    def test_members_wait_for_an_offering_that_another_worker_reads(self):
        self.config["offering"] = {"gate": "required"}
        workers = [self.start("one"), self.start("other")]

        def each_has_a_partition():
            return all("helsekontakter_partitions_owned 1" in worker.page("/metrics")
                       for worker in workers)
        parties.wait_for("a partition for each", each_has_a_partition)
        self.send((1, b"a", event(PEOPLE[0], 1, "a-1")))
        parties.wait_for("the member waits", lambda: any(
            "helsekontakter_organizations_gated 1" in worker.page("/metrics")
            for worker in workers))
        self.assertEqual(parties.read(self.results), [])
        self.send((0, b"service-1", (parties.SCHEMAS / "examples/offering.json").read_bytes()))
        verdicts = [result["data"]["verdict"] for result in self.told(2)]
        self.assertEqual(verdicts, ["accepted", "accepted"])
        for worker in workers:
            self.assertEqual(worker.stop(), 0)
        # The next worker knows of it, from the ledger or the shared topic.
        self.send((1, b"b", event(PEOPLE[1], 1, "b-1")))
        self.drain()
        self.assertEqual(self.told(3)[2]["data"]["verdict"], "accepted")


if __name__ == "__main__":
    parties.main()
