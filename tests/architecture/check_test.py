#!/usr/bin/env python3
"""Each rule of check.py finds the fault it exists for, and leaves good code alone."""

import os
import tempfile
import unittest

import check

GOOD_HEADER = """#pragma once

#include "worker/domain/b.h"

#include <string>

#include <tl/expected.hpp>

namespace n {

/// A comment may say <thread> or Result<int> f().
[[nodiscard]] Result<std::vector<int>> f();

}  // namespace n
"""


def faults(rule, files):
    """What the rule says of a tree with these files, beside a good header."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in {"worker/domain/a.h": GOOD_HEADER, **files}.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as file:
                file.write(text)
        return list(check.CHECKS[rule](root))


class EachRule(unittest.TestCase):
    def assert_one(self, rule, path, text, part=""):
        found = faults(rule, {path: text})
        self.assertEqual(len(found), 1, found)
        self.assertIn(path, found[0])
        self.assertIn(part, found[0])

    def test_leaves_good_code_alone(self):
        for rule in ("includes", "core_words", "nodiscard", "size", "text"):
            self.assertEqual(faults(rule, {}), [], rule)

    def test_keeps_libraries_threads_and_adapters_out_of_the_core(self):
        for line in ('<spdlog/spdlog.h>', '<thread>', '<random>', '<unistd.h>', '<fstream>',
                     '"adapters/json/x.h"', '"b.h"', '"tests/x.h"'):
            self.assert_one("includes", "worker/x.cc", f"#include {line}\n")

    def test_keeps_adapters_apart(self):
        self.assert_one("includes", "adapters/json/x.cc", '#include "adapters/kafka/x.h"\n',
                        "may not include adapter kafka")
        self.assert_one("includes", "adapters/config/x.cc", '#include "adapters/cli/x.h"\n')
        self.assertEqual(faults("includes", {
            "adapters/helseid/x.cc": '#include "adapters/https/http.h"\n',
            "adapters/cli/x.cc": '#include "adapters/kafka/x.h"\n',
            "adapters/json/x.cc": '#include "worker/domain/a.h"\n#include "adapters/json/x.h"\n'},
            ), [])

    def test_keeps_a_library_in_its_adapter(self):
        self.assert_one("includes", "adapters/json/x.cc", "#include <librdkafka/rdkafka.h>\n",
                        "stays in: kafka")

    def test_keeps_tests_out_of_shipped_code(self):
        self.assert_one("includes", "adapters/json/x.cc", '#include "tests/unit/x.h"\n')

    def test_refuses_an_adapter_that_no_rule_names(self):
        self.assert_one("includes", "adapters/pigeon/x.cc", "#include <string>\n", "rules.py")

    def test_finds_a_clock_in_the_core(self):
        self.assert_one("core_words", "worker/x.cc", "auto t = std::chrono::steady_clock::now();\n")
        self.assertEqual(faults("core_words", {"worker/x.cc": "// no steady_clock here\n"}), [])

    def test_finds_a_result_that_may_be_discarded(self):
        for declaration in ("Result<int> f();", "class A {\n static Result<A> f();\n};",
                            "virtual Result<std::pair<int, A<int>>> f() = 0;",
                            "[[nodiscard]] int g();\nResult<void> f(int a);"):
            self.assert_one("nodiscard", "adapters/json/x.h", "#pragma once\n" + declaration + "\n")

    def test_takes_a_result_that_is_no_functions_for_none(self):
        self.assertEqual(faults("nodiscard", {
            "adapters/json/x.h": "using F = std::function<Result<int>(int)>;\n"
                                 "Result<int> stored;\nvoid g(Result<int> given);\n"}), [])

    def test_finds_what_is_not_formatted(self):
        found = faults("format", {".clang-format": "BasedOnStyle: Google\nSortIncludes: false\n",
                                  "worker/x.cc": "int  f( ) ;\n"})
        self.assertEqual(found, ["worker/x.cc: not formatted; run clang-format-14 -i worker/x.cc"])

    def test_finds_long_files_lines_and_functions(self):
        self.assert_one("size", "worker/x.cc", "int a;\n" * 501, "501 lines")
        self.assert_one("size", "worker/x.cc", "//" + "a" * 99 + "\n", "101 columns")
        self.assert_one("size", "worker/x.cc",
                        "int f(int a,\n      int b) {\n" + "  ++a;\n" * 48 + "}\n", "51 lines")
        self.assertEqual(faults("size", {
            "worker/x.cc": "int f() {\n" + "  ++a;\n" * 48 + "}\n"}), [])

    def test_finds_unfinished_work(self):
        self.assert_one("text", "deploy/x.sh", "# TO" + "DO: mend\n", "unfinished")

    def test_finds_skipped_tests_swallowed_exceptions_macros_and_missing_guards(self):
        self.assert_one("text", "tests/x.cc", "TEST(A, DISABLED" + "_B) {}\n", "skipped")
        self.assert_one("text", "adapters/x.cc", "try { f(); } catch (...) {\n}\n", "swallowed")
        self.assert_one("text", "worker/x.cc", "#define A 1\n", "macro")
        self.assert_one("text", "worker/x.h", "int f();\n", "pragma once")

    def test_finds_a_part_without_a_page_about_it(self):
        found = faults("readmes", {"worker/README.md": "core\n"})
        self.assertEqual(found, ["worker/domain/README.md: missing"])
        found = faults("readmes", {"worker/README.md": "core\n" * 101,
                                   "worker/domain/README.md": "words\n"})
        self.assertEqual(found, ["worker/README.md: more than 100 lines"])


if __name__ == "__main__":
    unittest.main()
