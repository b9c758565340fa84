#!/usr/bin/env python3
"""What the program makes of files: `run` reads lines, and results, dead letters and the checkpoint
are held against the contracts, whatever happens to processes, disks and files meanwhile."""

import json
import os
import pathlib
import resource
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
import parties  # noqa: E402

FEED = parties.RECORDS  # the third program of this test's command line
EXAMPLES = parties.SCHEMAS / "examples"


def example(number, version=1, **changes):
    """The golden membership under another id; the same member, so versions decide."""
    event = json.loads((EXAMPLES / "membership.json").read_text())
    event.update({"id": f"e{number}", **changes})
    event["data"]["version"] = version
    return json.dumps(event)


class WithFiles(parties.WithWorker):
    def configuration(self, name):
        config = super().configuration(name)
        self.input = self.folder / "changes.ndjson"
        self.results = self.folder / "results.ndjson"
        self.letters = self.folder / "letters.ndjson"
        self.checkpoint = self.folder / "changes.checkpoint"
        config["source"] = {"file": {"path": str(self.input), "checkpoint": str(self.checkpoint)}}
        config["results"] = {"source": "/helsekontakter/test", "file": {
            "path": str(self.results), "dead_letter_path": str(self.letters)}}
        del config["ledger"]["kafka"]
        config["ledger"]["sqlite"] = {"path": str(self.folder / "ledger.db")}
        config["brake"] = {"rejected_in_row_max": 1000, "rejected_share_max": 1}
        return config

    def use_standard_streams(self):
        self.config["source"] = {"file": {"path": "-"}}
        self.config["results"] = {"source": "/helsekontakter/test"}

    def feed(self, members, **more):
        """Makes the input; returns the organisations' part of the configuration."""
        words = [f"--{name.replace('_', '-')}={value}" for name, value in more.items()]
        subprocess.run([FEED, "lists", "--lines", self.input, "--members", str(members),
                        "--offerings", "--events", self.folder / "events", "--expect",
                        self.folder / "expect", "--numbers", self.folder / "numbers", *words],
                       check=True, capture_output=True, timeout=parties.WITHIN_S)
        numbers = subprocess.run([FEED, "organizations"], check=True, capture_output=True,
                                 timeout=parties.WITHIN_S, text=True).stdout.split('"')
        self.config["organizations"] = {numbers[1]: {}}
        self.config["identifier"] = {"synthetic_allowed": True}

    def judge(self):
        done = subprocess.run([FEED, "judge-lines", "--file", self.results, "--events",
                               self.folder / "events", "--at-least-once"], capture_output=True,
                              text=True, timeout=parties.WITHIN_S, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def read(self, text=None):
        """The results, each valid and without an identity number."""
        found = []
        validator = parties.result_validator()
        raw = self.results.read_bytes() if text is None else text.encode()
        self.assertEqual(parties.runs_of_eleven_digits(raw), [])
        for line in raw.splitlines():
            event = json.loads(line)
            self.assertEqual([error.message for error in validator.iter_errors(event)], [], event)
            found.append(event)
        return found

    def verdicts(self, text=None):
        """Line of the input → verdict."""
        return {event["data"]["origin"]["offset"]: event["data"]["verdict"]
                for event in self.read(text)}

    def journal(self):
        """The simulator's judge: the newest version of each member, none over a newer one."""
        self.simulator.statistics()  # writes what it holds of the journal
        done = subprocess.run([parties.SIMULATOR, "journal", "--expect", self.folder / "expect",
                               "--file", pathlib.Path(self.home.name) / "journal.ndjson"],
                              capture_output=True, text=True, timeout=parties.WITHIN_S, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        found = json.loads(done.stdout)
        self.assertEqual([found["older_over_newer"], found["members_left_older"]], [0, 0], found)

    def pipe(self, text, *words):
        return self.call("run", *words, given=text)

    def kept(self):
        return json.loads(self.checkpoint.read_text())

    def wait_for_results(self, count):
        def there():
            return self.results.exists() and self.results.read_bytes().count(b"\n") >= count
        parties.wait_for(f"{count} results", there)


class Run(WithFiles):
    def test_standard_input_to_standard_output_is_the_smallest_deployment(self):
        self.use_standard_streams()
        done = self.pipe("\ufeff" + example(1, 1) + "\r\n\r\n" + example(2, 2) + "\r\nhello\r\n"
                         + example(3, 3), "--drain")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.verdicts(done.stdout),
                         {0: "superseded", 2: "superseded", 3: "undecodable", 4: "accepted"})
        for line in done.stderr.splitlines():
            self.assertIn("event", json.loads(line), "logs go to standard error, and only they")

    def test_standard_input_ends_the_program_without_drain_too(self):
        self.use_standard_streams()
        done = self.pipe(example(1) + "\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.verdicts(done.stdout), {0: "accepted"})

    def test_an_empty_standard_input_is_done_at_once(self):
        self.use_standard_streams()
        done = self.pipe("", "--drain")
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)

    def test_a_reader_that_went_away_ends_it_with_a_fault(self):
        self.use_standard_streams()
        read, write = os.pipe()
        os.close(read)
        done = subprocess.run(self.command("run"), env=self.environment(), input=example(1).encode(),
                              stdout=write, stderr=subprocess.PIPE, timeout=parties.WITHIN_S,
                              check=False)
        os.close(write)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(b"whoever read it has ended", done.stderr)

    def test_every_event_of_a_file_has_one_result(self):
        self.feed(2000, changed_twice=0.2, invalid=0.02)
        self.drain()
        self.judge()
        self.journal()
        lines = self.input.read_bytes().count(b"\n")
        self.assertEqual(len(self.read()), lines)
        self.assertEqual((self.kept()["line"], self.kept()["byte"]),
                         (lines, self.input.stat().st_size))
        letters = self.letters.read_bytes().splitlines()
        rejected = [event for event in self.read() if event["data"]["verdict"] == "rejected"]
        inputs = self.input.read_bytes().splitlines()
        self.assertEqual(sorted(letters), sorted(
            inputs[event["data"]["origin"]["offset"]] for event in rejected))
        self.assertGreater(len(letters), 10)
        self.drain()
        self.assertEqual(len(self.read()), lines, "a second run finds nothing to do")

    def test_bad_lines_are_told_and_the_others_go_on(self):
        self.config["source"]["file"]["event_bytes_max"] = 2048
        self.input.write_bytes(b"\xef\xbb\xbf" + example(1, 1).encode() + b"\r\n\r\n\xff\xfe\n"
                               + b"x" * 3_000_000 + b"\n" + example(2, 2).encode() + b"\n{")
        self.drain()
        self.assertEqual(self.verdicts(), {0: "superseded", 2: "undecodable", 3: "undecodable",
                                           4: "accepted", 5: "undecodable"})
        reasons = {event["data"]["origin"]["offset"]: event["data"].get("reason", {}).get("code")
                   for event in self.read()}
        self.assertEqual((reasons[2], reasons[3]), ("invalid_utf8", "event_too_large"))
        letters = self.letters.read_bytes().splitlines()
        self.assertIn(b"\xff\xfe", letters)
        self.assertIn("event_too_large", [json.loads(line).get("reason") for line in letters
                                          if line.startswith(b'{"verdict"')])

    def test_a_file_that_grows_is_followed(self):
        self.input.write_text(example(1, 1) + "\n")
        worker = self.start()
        self.wait_for_results(1)
        with self.input.open("a") as file:
            file.write(example(2, 2)[:40])
            file.flush()
            file.write(example(2, 2)[40:] + "\n")
        self.wait_for_results(2)
        worker.wait_until_ready()
        self.assertEqual(worker.stop(), 0)
        # The second says nothing new of the member, so it is not submitted.
        self.assertEqual(self.verdicts(), {0: "accepted", 1: "unchanged"})
        with self.input.open("a") as file:
            file.write(example(3, 3) + "\n")
        self.drain()
        self.assertEqual(len(self.read()), 3)


class Faults(WithFiles):
    def test_killed_again_and_again_it_loses_nothing(self):
        self.config["batch"] = {"age_max_ms": 50, "entries_max": 20}
        self.simulator.control({"api": {"latency": {"base_ms": 20}}})
        self.addCleanup(self.simulator.control, {"api": {"latency": {"base_ms": 0}}})
        self.feed(1500, changed_twice=0.3)
        for results in (100, 500, 900):
            worker = self.start()
            self.wait_for_results(results)
            worker.process.kill()
            worker.process.wait(parties.WITHIN_S)
            worker.file.close()
        # What a crash of the machine may leave, too.
        with self.results.open("ab") as file:
            file.write(b'{"specversion":"1.0","id":"torn')
        (self.folder / "changes.checkpoint.new").write_text("{")
        self.drain()
        self.judge()
        self.journal()

    def test_a_full_disk_stops_it_until_there_is_room(self):
        self.feed(500)
        room = 100_000
        worker = parties.Running(self.command("run", "--drain"), self.environment(),
                                 self.folder / "worker.log")
        self.addCleanup(lambda: worker.process.poll() is None and worker.stop())
        resource.prlimit(worker.process.pid, resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))

        def told():
            return [line for line in worker.logged() if "ulimit" in line.get("reason", "")]
        parties.wait_for("it says that the file is full", told)
        self.assertLessEqual(self.results.stat().st_size, room)
        resource.prlimit(worker.process.pid, resource.RLIMIT_FSIZE,
                         (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        self.assertEqual(worker.process.wait(parties.WITHIN_S), 0)
        worker.file.close()
        self.judge()
        self.assertEqual(len(self.read()), self.input.read_bytes().count(b"\n"),
                         "nothing is repeated, because nothing was half written")

    def test_a_full_file_system_stops_it_until_there_is_room(self):
        small = self.folder / "small"
        small.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", small],
                                 capture_output=True, check=False).returncode == 0
        if not mounted:
            return  # without the right to mount, the limit of the test above stands for it
        self.addCleanup(subprocess.run, ["umount", "-l", small], check=False)
        self.results = small / "results.ndjson"
        self.config["results"]["file"]["path"] = str(self.results)
        self.feed(300)
        worker = parties.Running(self.command("run", "--drain"), self.environment(),
                                 self.folder / "worker.log")
        self.addCleanup(lambda: worker.process.poll() is None and worker.stop())

        def told():
            return [line for line in worker.logged() if "make room" in line.get("reason", "")]
        parties.wait_for("it says that the disk is full", told)
        subprocess.run(["mount", "-o", "remount,size=8m", small], check=True)
        self.assertEqual(worker.process.wait(parties.WITHIN_S), 0)
        worker.file.close()
        self.judge()

    def test_a_brake_stays_pulled_until_it_is_released_by_hand(self):
        self.config["brake"] = {"rejected_in_row_max": 3}
        ended = {"start": "2026-05-01", "end": "2026-04-01"}
        organization = next(iter(self.config["organizations"]))

        def of(period, first):
            lines = []
            for number in range(first, first + 3):
                event = json.loads(example(number, number))
                event["data"]["period"] = period
                lines.append(json.dumps(event) + "\n")
            return "".join(lines)

        def logged(worker, event):
            return [line for line in worker.logged() if line.get("event") == event]
        self.input.write_text(of(ended, 1))
        worker = self.start()
        parties.wait_for("the brake is pulled", lambda: logged(worker, "brake pulled"))
        worker.process.kill()
        worker.process.wait(parties.WITHIN_S)
        with self.input.open("a") as lines:
            lines.write(example(9, 9) + "\n")
        worker = self.start()
        parties.wait_for("it is still pulled", lambda: logged(worker, "organisation held"))
        self.assertIn("control release-brake", logged(worker, "organisation held")[0]["detail"])
        in_use = self.call("control", "release-brake", "--organization", organization)
        self.assertEqual(in_use.returncode, 2)
        self.assertIn("is in use by another process", in_use.stderr)
        self.assertEqual(worker.stop(), 0)
        self.assertNotIn("accepted", self.verdicts().values())
        other = self.call("control", "release-brake")
        self.assertEqual(other.returncode, 2)
        self.assertIn("the brake of the source is not pulled", other.stderr)
        self.assertEqual(self.call("control", "hold").returncode, 2)
        done = self.call("control", "release-brake", "--organization", organization)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.drain()
        self.assertEqual(self.verdicts()[3], "accepted")

    def test_a_second_process_is_refused(self):
        self.input.write_text(example(1) + "\n")
        worker = self.start()
        self.wait_for_results(1)
        self.config["results"]["file"]["path"] = str(self.folder / "other")
        self.config["results"]["file"]["dead_letter_path"] = str(self.folder / "others")
        on_the_same_ledger = self.call("run")
        self.assertEqual(on_the_same_ledger.returncode, 2)
        self.assertIn("is in use by another process", on_the_same_ledger.stderr)
        self.config["ledger"]["sqlite"]["path"] = str(self.folder / "other.db")
        second = self.call("run")
        self.assertEqual(second.returncode, 1)
        self.assertIn("another process works with the checkpoint", second.stderr)
        self.config["source"]["file"]["checkpoint"] = str(self.folder / "other.checkpoint")
        self.config["results"]["file"]["path"] = str(self.results)
        third = self.call("run")
        self.assertEqual(third.returncode, 1)
        self.assertIn("another process writes", third.stderr)
        self.assertEqual(worker.stop(), 0)

    def test_a_file_that_was_cut_short_or_replaced_is_not_read(self):
        self.input.write_text(example(1, 1) + "\n" + example(2, 2) + "\n")
        self.drain()
        for text, said in ((example(1, 1) + "\n", "was cut short"),
                           (example(7, 7) + "\n" + example(8, 8) + "\n" + example(9, 9) + "\n",
                            "is not the file that the checkpoint was written for")):
            with self.subTest(said):
                self.input.write_text(text)
                done = self.call("run", "--drain")
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertIn(said, done.stderr)
                self.assertEqual(len(self.read()), 2)
        self.checkpoint.unlink()
        self.drain()
        self.assertEqual(len(self.read()), 5)

    def test_a_file_that_is_cut_short_while_it_is_read_is_held(self):
        self.input.write_text(example(1, 1) + "\n" + example(2, 2) + "\n")
        worker = self.start()
        self.wait_for_results(2)
        os.truncate(self.input, 10)

        def told():
            return [line for line in worker.logged() if "cut short" in line.get("reason", "")]
        parties.wait_for("it says so", told)
        self.assertIn("helsekontakter_partitions_held 1", worker.page("/metrics"))
        self.assertEqual(worker.stop(), 0)
        self.assertEqual(len(self.read()), 2)

    def test_sigterm_finishes_what_is_in_flight(self):
        self.simulator.control({"api": {"latency": {"base_ms": 100}}})
        self.addCleanup(self.simulator.control, {"api": {"latency": {"base_ms": 0}}})
        self.feed(400)
        self.config["batch"] = {"age_max_ms": 50, "entries_max": 10}
        worker = self.start()
        self.wait_for_results(50)
        worker.process.send_signal(signal.SIGTERM)
        self.assertEqual(worker.process.wait(parties.WITHIN_S), 0)
        worker.file.close()
        before = len(self.read())
        self.assertLess(before, self.input.read_bytes().count(b"\n"))
        self.drain()
        self.assertEqual(len(self.read()), self.input.read_bytes().count(b"\n"))

    def test_a_damaged_checkpoint_is_never_taken_as_a_start(self):
        self.input.write_text(example(1) + "\n")
        self.checkpoint.write_text("{")
        done = self.call("run", "--drain")
        self.assertEqual(done.returncode, 1)
        self.assertIn("is damaged", done.stderr)
        self.assertEqual(self.read(), [])


class Check(WithFiles):
    def test_says_the_guarantee_and_what_of_the_files_is_wrong(self):
        self.input.write_text("")
        done = self.call("check", "--connect")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("delivery: file to file: at least once", done.stdout)
        self.assertIn("ok    input: ", done.stdout)
        self.assertEqual([self.checkpoint.exists(), self.results.exists()], [False, False])
        self.input.unlink()
        self.config["results"]["file"]["path"] = str(self.folder / "gone" / "results")
        done = self.call("check", "--connect")
        self.assertEqual(done.returncode, 1)
        self.assertIn("FAIL  input: ", done.stdout)
        self.assertIn("FAIL  output: ", done.stdout)

    def test_names_the_folder_where_no_ledger_can_be_kept_whatever_the_source(self):
        self.input.write_text("")
        ledger = self.folder / "gone" / "ledger.db"
        self.config["ledger"]["sqlite"]["path"] = str(ledger)
        queues = {"amqp": {"url": ["amqp://127.0.0.1:1"], "address": "in"}}
        for source, results in ((self.config["source"], self.config["results"]),
                                (queues, {"amqp": {"address": "out"}})):
            self.config["source"], self.config["results"] = source, results
            said = self.call("check", "--connect").stdout
            self.assertIn(f"FAIL  ledger: the folder of {ledger} (ledger.sqlite.path) cannot be "
                          "written", said)
            ledger.parent.mkdir()
            self.assertIn(f"ok    ledger: {ledger} can be kept",
                          self.call("check", "--connect").stdout)
            self.assertFalse(ledger.exists())
            ledger.parent.rmdir()


class Show(WithFiles):
    ORGANIZATION = json.loads((EXAMPLES / "membership.json").read_text())["data"]["organization"]
    MEMBERS = ("13116900216", "02013299997")  # synthetic; the second is not digitally active

    def fill(self):
        inactive = self.folder / "inactive"
        inactive.write_text(self.MEMBERS[1] + "\n")
        self.simulator.control({"api": {"inactive": {"file": str(inactive)}}})
        second = json.loads(example("b", 3, subject="m-2"))
        second["data"]["member"] = self.MEMBERS[1]
        second["data"]["period"]["end"] = "2099-12-31"
        return example("a", 7, subject="m-1") + "\n" + json.dumps(second) + "\n"

    def assert_shows(self, words, *said, given="", status=0):
        with self.subTest(words):
            done = self.call("show", "--organization", self.ORGANIZATION, *words, given=given)
            self.assertEqual(done.returncode, status, done.stdout + done.stderr)
            told = done.stdout + done.stderr
            self.assertEqual(parties.runs_of_eleven_digits(told.encode()), [])
            for text in said:
                self.assertIn(text, told)

    def test_a_member_is_found_in_files(self):
        self.input.write_text(self.fill())
        self.drain()
        accepted = ("accepted, version 7, attempts 1", "last accepted", "event ea",
                    f"from {self.input.name} line 1")
        waits = ("waits: version 3, not_digitally_active, attempts 1, next due", "event eb",
                 f"from {self.input.name} line 2")
        for name, member, event, said in (("m-1", self.MEMBERS[0], "ea", accepted),
                                          ("m-2", self.MEMBERS[1], "eb", waits)):
            self.assert_shows(["--subject", name], *said)
            self.assert_shows(["--event-id", event], *said)
            self.assert_shows(["--member-stdin"], *said, given=member + "\n")
        self.assert_shows(["--event-id", "nobody"], "nothing is known of it", status=1)
        self.results.unlink()
        self.assert_shows(["--subject", "m-1"], "results.file.path", "cannot be read", status=2)

    def test_the_ledger_alone_is_asked_where_no_results_are_kept(self):
        self.use_standard_streams()
        done = self.pipe(self.fill(), "--drain")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_shows(["--member-stdin"], "accepted, version 7", given=self.MEMBERS[0] + "\n")
        self.assert_shows(["--subject", "m-2"], "waits: version 3")
        self.assert_shows(["--subject", "m-1"], "--member-stdin finds every member", status=1)

    def test_a_ledger_in_use_or_not_there_is_refused(self):
        self.assert_shows(["--subject", "m-1"], "cannot be read", status=2)
        self.results.write_text("")
        self.assert_shows(["--subject", "m-1"], "ledger.db is not there", status=2)
        self.assertFalse((self.folder / "ledger.db").exists())
        self.input.write_text(self.fill())
        worker = self.start()
        self.wait_for_results(2)
        self.assert_shows(["--subject", "m-1"], "is in use by another process", status=2)
        self.assertEqual(worker.stop(), 0)


if __name__ == "__main__":
    parties.main()
