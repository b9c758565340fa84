#!/usr/bin/env python3
"""The subcommands that are no worker, as operators use them, against a real Kafka."""

import datetime
import json
import re
import signal
import subprocess

import parties

HEADER = "member,start,end,subject\n"
PEOPLE = ["13116900216", "02013299997"]
ORGANIZATION = "948554062"


def line(member, subject, start="2026-01-01", end="2099-12-31"):
    return f"{member},{start},{end},{subject}\n"


def event(member, version, identity, **more):
    data = {"organization": ORGANIZATION, "member": member, "version": version,
            "period": {"start": "2026-01-01", "end": "2099-12-31"}}
    return json.dumps({"specversion": "1.0", "id": identity, "source": "/crm",
                       "type": "no.helsekontakter.membership.changed.v1", "data": data,
                       **more}).encode()


class WithTopics(parties.WithWorker):
    PARTITIONS = "3"

    def setUp(self):
        super().setUp()
        done = self.call("check", "--connect", "--create", "--partitions", self.PARTITIONS)
        self.assertEqual(done.returncode, 0, done.stdout)

    def events(self):
        return [json.loads(record.value) for record in parties.read(self.input)]

    def told(self, count):
        """The results, when there are so many: a commit is seen a moment after it was answered."""
        found = []

        def enough():
            found[:] = [json.loads(record.value) for record in parties.read(self.results)]
            return len(found) >= count
        parties.wait_for(f"{count} results", enough)
        self.assertEqual(len(found), count)
        return found

    def assert_says(self, done, status, *words):
        said = done.stdout + done.stderr
        self.assertEqual(done.returncode, status, said)
        for word in words:
            self.assertIn(word, said)
        self.assertEqual(parties.runs_of_eleven_digits(said.encode()), [])
        return said


class Import(WithTopics):
    def import_list(self, text, *words, previous=None):
        path = self.folder / "members.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        if previous is not None:
            (self.folder / "before.csv").write_text(previous)
            words += ("--previous", self.folder / "before.csv")
        return self.call("import", "--organization", ORGANIZATION, *words, path)

    def test_a_list_becomes_changes_that_the_worker_submits(self):
        done = self.import_list(HEADER + line(PEOPLE[0], "m-1") + line(PEOPLE[1], "m-2"))
        self.assert_says(done, 0, "2 new", "2 events")
        self.assertEqual(sorted(record.key for record in parties.read(self.input)),
                         [b"m-1", b"m-2"])
        self.drain()
        found = {result["subject"]: result["data"]["verdict"] for result in self.told(2)}
        self.assertEqual(found, {"m-1": "accepted", "m-2": "accepted"})

    def test_the_difference_to_the_list_before_is_sent_and_who_is_missing_ends(self):
        before = HEADER + line(PEOPLE[0], "m-1") + line(PEOPLE[1], "m-2")
        done = self.import_list(HEADER + line(PEOPLE[0], "m-1"), "--ends-share-max", "0.5",
                                previous=before)
        self.assert_says(done, 0, "1 as before", "1 end now", "1 event")
        ended, = self.events()
        self.assertEqual(ended["subject"], "m-2")
        self.assertIs(ended["data"]["ended"], True)
        tomorrow = datetime.date.today() + datetime.timedelta(days=1)  # in Norway, at most
        self.assertLessEqual(ended["data"]["period"]["end"], tomorrow.isoformat())
        self.drain()
        self.assertEqual([result["data"]["verdict"] for result in self.told(1)], ["accepted"])

    def test_mass_ending_is_refused(self):
        before = HEADER + line(PEOPLE[0], "m-1") + line(PEOPLE[1], "m-2")
        done = self.import_list(HEADER + line(PEOPLE[0], "m-1"), previous=before)
        self.assert_says(done, 2, "1 membership of 2 would end", "--ends-share-max")
        self.assertEqual(self.events(), [])

    def test_a_dry_run_counts_and_sends_nothing(self):
        done = self.import_list(HEADER + line(PEOPLE[0], "m-1"), "--dry-run")
        self.assert_says(done, 0, "1 new", "would be sent")
        self.assertEqual(self.events(), [])

    def test_a_bad_list_is_refused_whole_by_line_without_its_content(self):
        good = line(PEOPLE[0], "m-1")
        cases = {
            "wrong delimiter": (HEADER.replace(",", ";"), ["line 1", "--delimiter ';'"]),
            "Latin-1": ((HEADER + line(PEOPLE[0], "m-\xe5")).encode("latin1"),
                        ["line 2", "iconv"]),
            "missing column": ("member,end,subject\n", ["line 1", "start"]),
            "a member twice": (HEADER + good + good, ["line 3", "line 2"]),
            "check digit": (HEADER + good + line("13116900217", "m"),
                            ["line 3", "member_check_digit"]),
            "number as key": (HEADER + line(PEOPLE[0], PEOPLE[1]), ["line 2", "identity number"]),
        }
        for name, (text, words) in cases.items():
            with self.subTest(name):
                self.assert_says(self.import_list(text), 2, *words)
                self.assertEqual(parties.read(self.input), [])

    def test_a_list_as_spreadsheets_write_it_is_read(self):
        text = "\ufeff" + (HEADER + line(PEOPLE[0], "m-1")).replace(",", ";").replace("\n", "\r\n")
        self.assert_says(self.import_list(text, "--delimiter", ";"), 0, "1 new")
        self.assertEqual(len(self.events()), 1)

    def test_an_organisation_that_is_not_listed_is_refused(self):
        self.config["organizations"] = {"889640782": {}}
        done = self.import_list(HEADER + line(PEOPLE[0], "m-1"))
        self.assert_says(done, 2, ORGANIZATION, "organizations")


class Replay(WithTopics):
    def send(self, *messages):
        """(partition, key, value[, headers])"""
        lines = []
        for partition, key, value, *more in messages:
            headers = ",".join(f"{name}={parties.to_hex(text)}"
                               for name, text in (more[0] if more else []))
            lines.append(f"{partition} {parties.to_hex(key)} {parties.to_hex(value)} "
                         f"{headers or '-'}\n")
        parties.records("send", self.input, given="".join(lines))

    def copies(self):
        """The records that a replay wrote, with the id of it."""
        found = []
        for record in parties.read(self.input):
            headers = dict(record.headers)
            inside = json.loads(record.value) if (record.value or b"")[:1] == b"{" else {}
            identity = inside.get("resend") or headers.get("ce_resend", b"").decode()
            if identity:
                found.append((identity, record))
        return found

    def fill(self):
        plain = json.dumps({"organization": ORGANIZATION, "member": PEOPLE[1], "version": 4,
                            "period": {"start": "2026-01-01", "end": "2099-12-31"}}).encode()
        self.send((1, b"a", event(PEOPLE[0], 1, "a-1")), (1, b"a", event(PEOPLE[0], 2, "a-2")),
                  (2, b"b", plain), (0, b"x", b"no event"), (0, b"n", None))

    def test_the_newest_of_each_member_goes_once_more_into_its_partition(self):
        self.fill()
        self.drain()
        self.assert_says(self.call("replay", "--from", "earliest", "--dry-run", "--rate", "1"), 0,
                         "2 events to send once more, of 5", "1 left out", "takes 2 s")
        self.assertEqual(self.copies(), [])
        before = self.simulator.statistics()["api"]["entries"]
        said = self.assert_says(self.call("replay", "--from", "earliest"), 0, "2 events sent")
        identity = re.search(r"resend (replay-\S+),", said)[1]
        found = {(record.partition, record.key): name for name, record in self.copies()}
        self.assertEqual(found, {(1, b"a"): identity, (2, b"b"): identity})
        self.drain()
        told = [(result["data"]["event"]["id"], result["data"]["verdict"])
                for result in self.told(6) if result["data"].get("resend") == identity]
        self.assertEqual(sorted(told), [("2/0", "accepted"), ("a-2", "accepted")])
        self.assertEqual(self.simulator.statistics()["api"]["entries"], before + 2)

    def test_copies_are_not_copied_again(self):
        self.fill()
        self.assert_says(self.call("replay", "--from", "earliest"), 0, "2 events sent")
        self.assert_says(self.call("replay", "--from", "earliest"), 0, "2 events sent",
                         "2 copies of earlier replays left out")
        self.assertEqual(len(self.copies()), 4)
        self.assertEqual(len({name for name, _ in self.copies()}), 2)

    def test_a_stretch_by_offsets_and_an_organisation(self):
        self.fill()
        self.assert_says(self.call("replay", "--from", "1:0", "--to", "1:1"), 0, "1 event sent")
        (_, record), = self.copies()
        self.assertEqual(json.loads(record.value)["id"], "a-1")
        self.config["organizations"]["889640782"] = {}
        self.assert_says(self.call("replay", "--from", "earliest", "--organization", "889640782"),
                         0, "0 events to send")

    def test_an_interrupted_replay_goes_on_where_it_was(self):
        # So many that the slowest machine interrupts it long before its end: 40 s at this rate.
        count = 400
        members = [f"{100 + i}" for i in range(count)]
        offers = [{"organization": {"number": ORGANIZATION, "name": "S", "businessId": "1"},
                   "service": {"id": f"3f2504e0-4f89-41d3-9a0c-0305e82c3{each}", "active": True,
                               "name": "H", "herId": "129688"},
                   "locations": [{"line": ["G 1"], "city": "Oslo", "postalCode": "0371"}],
                   "version": 1} for each in members]
        self.send(*[(i % 3, name.encode(), json.dumps(offer).encode())
                    for i, (name, offer) in enumerate(zip(members, offers))])
        process = subprocess.Popen(self.command("replay", "--from", "earliest", "--rate", "10"),
                                   env=self.environment(), text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        parties.wait_for("some copies", lambda: len(self.copies()) >= 3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=parties.WITHIN_S)
        self.assertEqual(process.returncode, 1, out + err)
        sent = len(self.copies())
        self.assertLess(sent, count - 1)
        words = re.search(r"--resume \S+ --from \S+ --to \S+", err)[0].split()
        said = self.assert_says(self.call("replay", *words), 0, f"{count - sent} events sent",
                                f"{sent} events sent before the interruption")
        self.assertIn(words[1], said)
        copies = self.copies()
        self.assertEqual({name for name, _ in copies}, {words[1]})
        self.assertEqual(sorted(record.key for _, record in copies),
                         sorted(name.encode() for name in members))

    def test_a_stretch_that_retention_has_removed_is_refused(self):
        short = self.input + "-short"
        parties.records("make", short, "1", "retention.ms=1000", "segment.ms=100")
        self.config["source"]["kafka"]["topic"] = self.input = short
        self.send((0, b"a", event(PEOPLE[0], 1, "a-1")))

        def is_gone():
            (_, sent), = parties.send(short, [(b"b", event(PEOPLE[1], 1, "b-1"))])
            left = parties.read(short)  # maybe nothing: retention takes what was just sent, too
            return (left[0].offset if left else sent) > 0
        parties.wait_for("retention removes the first record", is_gone)
        for start in ("0:0", "2026-01-01T00:00:00Z"):
            self.assert_says(self.call("replay", "--from", start, "--dry-run"), 2,
                             f"{short}/0 begins at offset", "removed by retention")

        def replays():
            # Retention goes on, and may take what is to be read next: that is said too.
            done = self.call("replay", "--from", "earliest", "--dry-run")
            if done.returncode == 2:
                self.assert_says(done, 2, f"{short}/0: what was to be read next was removed")
                return False
            self.assert_says(done, 0)
            return True
        parties.wait_for("a replay from what is left", replays)

    def test_wrong_usage_is_said(self):
        for words, said in ((["--from", "yesterday"], "--from"),
                            (["--from", "9:0"], "has 3 partitions"),
                            (["--from", "earliest", "--verdict", "parked"], "--verdict"),
                            (["--from", "earliest", "--organization", "1"], "--organization"),
                            (["--from", "earliest", "--resume", "a b"], "--resume")):
            with self.subTest(words):
                self.assert_says(self.call("replay", *words), 2, said)


if __name__ == "__main__":
    parties.main()
