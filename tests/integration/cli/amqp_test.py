#!/usr/bin/env python3
"""Queues as source and as results, alone and beside Kafka: what `check --connect` says of them, what
becomes of events, good and bad, and that the guarantee that is printed holds."""

import json
import os
import pathlib
import subprocess
import time

import parties

BROKER = os.environ.get("HELSEKONTAKTER_TEST_AMQP")
EXAMPLES = parties.SCHEMAS / "examples"
MEMBERSHIP = json.loads((EXAMPLES / "membership.json").read_text())["data"]


def membership(identity, subject="m-1", version=7):
    event = json.loads((EXAMPLES / "membership.json").read_text())
    event["id"], event["subject"], event["data"]["version"] = identity, subject, version
    return json.dumps(event).encode()


class WithQueues(parties.WithWorker):
    def setUp(self):
        super().setUp()
        self.queues = {name: f"/queue/{self.input}-{name}" for name in ("in", "out", "dead")}

    def feed(self, command, queue, *words):
        done = subprocess.run(
            [parties.AMQP_FEED, command, "--url", f"amqp://{BROKER}", "--user", "worker",
             "--password", "secret", "--address", queue, *words],
            text=True, capture_output=True, timeout=parties.WITHIN_S, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def send(self, bodies, *words):
        lines = self.folder / "lines"
        lines.write_bytes(b"".join(body + b"\n" for body in bodies))
        self.feed("send", self.queues["in"], "--lines", str(lines), *words)

    def take(self, name):
        lines = self.folder / f"{name}.taken"
        self.feed("take", self.queues[name], "--lines", str(lines), "--deadline", "2")
        return lines.read_bytes().splitlines()

    def connection(self, **more):
        return {"url": [f"amqp://{BROKER}"], "user": "worker",
                "password_file": self.secret("password", b"secret"), **more}

    def read_queue(self, **more):
        self.config["source"] = {"amqp": self.connection(address=self.queues["in"], **more)}
        self.config["ledger"].pop("kafka", None)
        self.config["ledger"]["sqlite"] = {"path": str(self.folder / "ledger.db")}

    def write_queue(self, **more):
        self.config["results"] = {
            "source": "/helsekontakter/test",
            "amqp": self.connection(address=self.queues["out"],
                                    dead_letter_address=self.queues["dead"], **more)}

    def write_topic(self):
        self.config["results"]["kafka"]["brokers"] = [parties.BROKERS]

    def show(self, *words):
        """The golden member, where it is asked for by its number."""
        return self.call("show", "--organization", MEMBERSHIP["organization"], *words,
                         given=MEMBERSHIP["member"] + "\n")

    def verdicts(self, results):
        validator = parties.result_validator()
        found = {}
        for result in results:
            event = json.loads(result)
            validator.validate(event)
            found[event["data"]["event"]["id"]] = event["data"]["verdict"]
        return found


class Check(WithQueues):
    def check(self):
        return self.call("check", "--connect")

    def failed(self, done):
        self.assertEqual(done.returncode, 1, done.stdout)
        return [line for line in done.stdout.splitlines() if line.startswith("FAIL")]

    def test_says_that_both_ends_are_well_and_what_they_promise(self):
        self.read_queue()
        self.write_queue()
        done = self.check()
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("AMQP to AMQP: at least once", done.stdout)
        self.assertIn("one consumer at a time", done.stdout)
        self.assertIn(f"input: {self.queues['in']} is there", done.stdout)
        self.assertIn("takes results", done.stdout)
        self.assertNotIn("broker:", done.stdout)

    def test_names_a_queue_that_is_not_there_and_takes_nothing_of_one_that_is(self):
        self.send([membership("a")])
        self.read_queue()
        self.write_queue()
        self.assertEqual(self.check().returncode, 0)
        self.assertEqual(self.take("in"), [membership("a")])
        self.config["source"]["amqp"]["address"] = "/amq/queue/nobody-made-this"
        failed = self.failed(self.check())
        self.assertEqual(len(failed), 1)
        self.assertIn("nobody-made-this", failed[0])
        self.assertIn("create it", failed[0])

    def test_tells_a_wrong_password_and_a_right_that_is_missing_apart(self):
        self.read_queue(password_file=self.secret("wrong", b"wrong"))
        self.write_queue(user="reader")
        source, results = self.failed(self.check())
        self.assertIn("source.amqp", source)
        self.assertIn("password", source)
        self.assertIn("results.amqp", results)
        self.assertIn("right", results)

    def test_says_that_no_broker_answers(self):
        self.read_queue(url=["amqp://127.0.0.1:1"])
        self.write_queue(url=[f"amqp://{BROKER}"])
        failed = self.failed(self.check())
        self.assertEqual(len(failed), 1)
        self.assertIn("check that the broker runs", failed[0])


class Drain(WithQueues):
    def test_every_event_of_a_queue_good_or_bad_has_its_result(self):
        self.read_queue(event_bytes_max=2000)
        self.write_queue()
        bad = {b"hello": "not_json", b"": "not_json", b"[1,2]": "not_an_event",
               b'{"pad":"' + b"x" * 5_000_000 + b'"}': "event_too_large"}
        self.send([membership("good"), membership("old", version=6), *bad])
        self.drain()
        results = [json.loads(result) for result in self.take("out")]
        for result in results:
            parties.result_validator().validate(result)
        reasons = [result["data"]["reason"]["code"] for result in results
                   if result["data"]["verdict"] == "undecodable"]
        self.assertEqual(sorted(reasons), sorted(bad.values()))
        others = {result["data"]["event"]["id"]: result["data"]["verdict"] for result in results
                  if result["data"]["verdict"] != "undecodable"}
        self.assertEqual(others, {"good": "accepted", "old": "superseded"})
        self.assertEqual(self.take("in"), [])
        letters = self.take("dead")
        self.assertEqual(len(letters), len(bad))
        self.assertIn(b"hello", letters)
        self.assertTrue(all(len(letter) < 1000 for letter in letters))

    def test_cloud_events_are_read_and_written_in_both_modes(self):
        golden = json.dumps(json.loads((EXAMPLES / "membership.json").read_text())).encode()
        for mode, words in (("structured", ()), ("binary", ("--binary",))):
            with self.subTest(mode):
                self.read_queue()
                self.config["ledger"]["sqlite"]["path"] = str(self.folder / f"{mode}.db")
                self.write_queue(mode=mode)
                self.send([golden], *words)
                self.drain()
                results = self.take("out")
                (self.folder / "out.taken").unlink()
                # The feed puts a binary one together in another order.
                self.assertEqual(results[0].startswith(b'{"specversion"'), mode == "structured")
                self.assertEqual(self.verdicts(results), {json.loads(golden)["id"]: "accepted"},
                                 "valid by the schema too")

    def test_an_empty_queue_is_drained_by_the_brokers_word(self):
        """By silence it would take ten minutes, for which no call waits."""
        self.read_queue()
        self.write_queue()
        self.drain()

    def test_of_a_topic_into_a_queue_the_offsets_are_committed_after_the_results(self):
        self.make_topics()
        self.write_queue()
        parties.send(self.input, [(b"k", membership("a")), (b"k", b"hello")])
        self.assertIn("Kafka to AMQP: at least once", self.call("check", "--connect").stdout)
        self.drain()
        results = self.take("out")
        self.assertEqual(len(results), 2)
        self.assertEqual(self.verdicts(results)["a"], "accepted")
        self.assertEqual(self.take("dead"), [b"hello"])
        (self.folder / "out.taken").unlink()
        self.drain()
        self.assertEqual(self.take("out"), [], "a second run finds nothing to tell")

    def test_of_a_queue_into_a_topic_deliveries_are_accepted_after_the_results(self):
        self.make_topics()
        self.read_queue()
        self.write_topic()
        self.send([membership("a"), b"hello"])
        self.assertIn("AMQP to Kafka: at least once", self.call("check", "--connect").stdout)
        self.drain()
        results = parties.read(self.results)
        self.assertEqual(self.verdicts(record.value for record in results)["a"], "accepted")
        self.assertEqual(len(results), 2)
        self.assertEqual([record.value for record in parties.read(self.letters)], [b"hello"])
        self.assertEqual(self.take("in"), [])
        for words in (["--subject", "m-1"], ["--event-id", "a"], ["--member-stdin"]):
            with self.subTest(words):
                found = self.show(*words)
                self.assertEqual(found.returncode, 0, found.stderr)
                self.assertIn(f"event a, from {self.queues['in']}", found.stdout)

    def test_nothing_is_accepted_while_the_topic_of_results_is_missing(self):
        self.read_queue()
        self.write_topic()
        self.send([membership("a")])
        running = self.start()
        parties.wait_for("the worker says so", lambda: [
            line for line in running.logged() if "does not exist" in line.get("reason", "")])
        running.stop()
        self.assertEqual(self.take("in"), [membership("a")])

    def test_what_became_of_a_member_is_asked_of_the_ledger_alone(self):
        self.read_queue()
        self.write_queue()
        self.send([membership("a")])
        self.drain()
        found = self.show("--member-stdin")
        self.assertEqual(found.returncode, 0, found.stderr)
        self.assertIn("accepted, version 7", found.stdout)
        self.assertNotIn(MEMBERSHIP["member"], found.stdout + found.stderr)
        self.assertIn("--member-stdin finds", self.show("--subject", "m-1").stderr)

class EndpointDown(WithQueues):
    EVENTS = 30_000

    def resident(self, running):
        status = pathlib.Path(f"/proc/{running.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) // 1024

    def metric(self, running, name):
        lines = running.page("/metrics").splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))

    def test_credit_stops_and_memory_stays_flat(self):
        self.read_queue()
        self.write_queue()
        self.config["memory"] = {"bytes_max": 8 * 1024 * 1024}
        self.config["source"]["amqp"]["event_bytes_max"] = 65536
        self.config["batch"]["bytes_max"] = 65536
        self.simulator.control({"api": {"down": True}})
        self.addCleanup(self.simulator.control, {"api": {"down": False}})
        self.send(membership(f"e-{i}", f"m-{i}") for i in range(self.EVENTS))
        running = self.start()
        seen = [-1]

        def at_rest():
            time.sleep(1)
            seen.append(self.metric(running, "helsekontakter_events_consumed_total"))
            return 0 < seen[-1] == seen[-2]

        parties.wait_for("nothing more is read", at_rest)
        self.assertLess(seen[-1], self.EVENTS / 2)
        before = self.resident(running)
        for _ in range(5):
            self.assertTrue(at_rest(), "credit was given")
        self.assertLessEqual(self.resident(running), before + 8)
        self.assertLess(self.resident(running), 120)
        self.simulator.control({"api": {"down": False}})
        parties.wait_for("it goes on", lambda: not at_rest())
        running.stop()


if __name__ == "__main__":
    parties.main()
