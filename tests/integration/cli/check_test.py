#!/usr/bin/env python3
"""`check --connect` says what is well and what is not, by its text and its exit status."""

import pathlib
import subprocess

import parties


class CheckConnect(parties.WithWorker):
    def check(self, *words):
        return self.call("check", "--connect", *words)

    def line(self, done, what):
        found = [line for line in done.stdout.splitlines() if line[6:].startswith(what + ":")
                 or line[6:].startswith(what + " for")]
        self.assertEqual(len(found), 1, done.stdout)
        return found[0]

    def assert_only_failure(self, done, what, *words):
        self.assertEqual(done.returncode, 1, done.stdout)
        failed = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
        self.assertEqual(len(failed), 1, done.stdout)
        self.assertEqual(failed[0], self.line(done, what))
        for word in words:
            self.assertIn(word, failed[0])

    def other_keys(self):
        folder = self.folder / "other"
        subprocess.run([parties.SIMULATOR, "keys", "--out", folder, "--tenancy", "multi"],
                       check=True, capture_output=True, timeout=parties.WITHIN_S)
        return folder

    def test_names_each_missing_topic_then_makes_them_then_finds_them(self):
        self.assert_only_failure(self.check(), "topics", self.input, self.results, self.letters,
                                 "source.kafka.topic", "--create")
        made = self.check("--create", "--partitions", "3")
        self.assertEqual(made.returncode, 0, made.stdout)
        said = self.line(made, "topics")
        self.assertEqual(said.count("was made: 3 partitions, delete"), 3, said)
        self.assertEqual(said.count("was made: 3 partitions, compact"), 1, said)
        self.assertEqual(said.count("was made: 1 partition, compact"), 1, said)
        self.assertIn("kept 14 days", said)
        found = self.check("--create")
        self.assertEqual(found.returncode, 0, found.stdout)
        self.assertNotIn("was made", found.stdout)
        self.assertEqual(self.line(found, "topics").count("3 partitions"), 4)

    def test_all_is_well(self):
        self.make_topics()
        before = self.simulator.statistics()
        done = self.check()
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertNotIn("FAIL", done.stdout)
        self.assertIn("accepts us", self.line(done, "broker"))
        self.assertIn("TLS", self.line(done, "endpoint"))
        self.assertIn("within 1 s", self.line(done, "clock"))
        self.assertIn("Bearer, 60 s of life", self.line(done, "token"))
        self.assertEqual(self.simulator.statistics()["members"], before["members"])

    def test_an_organisation_that_helseid_refuses_leaves_the_others_alone(self):
        self.make_topics()
        self.config["organizations"]["889640782"] = {}
        self.simulator.control({"helseid": {"revoked_organizations": ["889640782"]}})
        self.addCleanup(self.simulator.control, {"helseid": {"revoked_organizations": []}})
        done = self.check()
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("FAIL  token for 889640782", done.stdout)
        self.assertIn("ok    token for 948554062", done.stdout)

    def test_a_token_for_the_status_api_has_a_scope_of_its_own(self):
        self.make_topics()
        self.config["digital_status"] = {"enabled": True}
        done = self.check()
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("ok    status token for 948554062", done.stdout)
        self.config["digital_status"]["scope"] = "not:ours/at-all"
        done = self.check()
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("ok    token for 948554062", done.stdout)
        self.assertIn("FAIL  status token for 948554062", done.stdout)
        self.assertIn("digital_status.scope", done.stdout)

    def test_an_authority_that_did_not_sign_the_endpoints_certificate(self):
        self.make_topics()
        self.config["api"]["ca_file"] = str(self.other_keys() / "ca.pem")
        self.assert_only_failure(self.check(), "endpoint", "TLS", "api.ca_file")

    def test_an_authority_that_did_not_sign_the_issuers_certificate(self):
        self.make_topics()
        self.config["auth"]["ca_file"] = str(self.other_keys() / "ca.pem")
        self.assert_only_failure(self.check(), "token", "TLS", "auth.ca_file")

    def test_a_client_key_that_helseid_does_not_know(self):
        self.make_topics()
        self.config["auth"]["jwk_file"] = str(self.other_keys() / "client.jwk.json")
        self.assert_only_failure(self.check(), "token", "invalid_client", "client_id")

    def test_a_broker_that_is_not_there(self):
        self.config["source"]["kafka"]["brokers"] = ["127.0.0.1:9"]
        done = self.check()
        self.assertEqual(done.returncode, 1, done.stdout)
        said = self.line(done, "broker")
        self.assertIn("FAIL", said)
        self.assertIn("Connection refused", said)
        self.assertIn("source.kafka.brokers", said)
        self.assertIn("FAIL", self.line(done, "topics"))
        self.assertIn("ok", self.line(done, "endpoint"))
        self.assertIn("ok", self.line(done, "token"))

    def test_a_broker_that_speaks_no_tls(self):
        self.config["source"]["kafka"]["tls_ca_file"] = str(
            pathlib.Path(self.home.name) / "ca.pem")
        done = self.check()
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("SSL", self.line(done, "broker"))
        self.assertIn("tls_ca_file", self.line(done, "broker"))

    def test_a_helseid_that_is_not_there(self):
        self.make_topics()
        self.config["auth"]["issuer"] = "https://localhost:9"
        self.assert_only_failure(self.check(), "token", "localhost:9", "cannot be reached")

    def test_a_helseid_that_is_ill(self):
        self.make_topics()
        self.simulator.control({"helseid": {"fault": "server_error"}})
        self.addCleanup(self.simulator.control, {"helseid": {"fault": "none"}})
        self.assert_only_failure(self.check(), "token", "HelseID")

    def test_an_endpoint_whose_name_nobody_knows(self):
        self.make_topics()
        self.config["api"]["base_url"] = "https://nowhere.invalid"
        self.assert_only_failure(self.check(), "endpoint", "nowhere.invalid", "api.base_url")

    def test_results_that_would_be_compacted_away(self):
        parties.records("make", self.input, "1")
        parties.records("make", self.results, "1", "cleanup.policy=compact")
        parties.records("make", self.letters, "1")
        self.assert_only_failure(self.check(), "topics", self.results, "compact")


if __name__ == "__main__":
    parties.main()
