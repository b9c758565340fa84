"""Who may include whom. The link graph is worker <- adapters <- cli; on Debian every library's
headers lie in /usr/include, so only these tables keep the layers apart."""

# The core computes and never waits: no sockets, files, clocks, threads, logging.
STANDARD_BUT_NOT_IN_THE_CORE = {
    "atomic", "barrier", "condition_variable", "coroutine", "csignal", "cstdio", "ctime",
    "filesystem", "fstream", "future", "iomanip", "iostream", "istream", "latch", "mutex",
    "ostream", "random", "semaphore", "shared_mutex", "sstream", "stop_token", "syncstream",
    "thread",
}

STANDARD = STANDARD_BUT_NOT_IN_THE_CORE | set("""
    algorithm any array bit bitset cassert cctype cerrno cfenv cfloat charconv chrono cinttypes
    climits clocale cmath codecvt compare complex concepts csetjmp cstdarg cstddef cstdint cstdlib
    cstring cuchar cwchar cwctype deque exception execution format forward_list functional
    initializer_list ios iosfwd iterator limits list locale map memory memory_resource new numbers
    numeric optional queue ranges ratio regex scoped_allocator set source_location span stack
    stdexcept streambuf string string_view strstream system_error tuple type_traits typeindex
    typeinfo unordered_map unordered_set utility valarray variant vector version
""".split())

CORE_THIRD_PARTY = {"tl/expected.hpp"}

# What the core may not say, even with harmless headers.
CORE_FORBIDDEN_WORDS = ["steady_clock", "system_clock", "high_resolution_clock", "random_device",
                        "getenv", "sleep_for", "sleep_until"]

EVERYTHING = {"*"}

# adapter -> the other adapters that it may include; its own directory always; cli nobody.
ADAPTERS = {
    "amqp": {"clock", "crypto", "inbox", "json", "results"},
    "cli": EVERYTHING,
    "clock": set(),
    "config": EVERYTHING,
    "crypto": set(),
    "endpoint": {"clock", "crypto", "helseid", "https", "inbox", "json"},
    "file": {"clock", "crypto", "inbox", "json", "results"},
    "helseid": {"clock", "crypto", "https"},
    "https": {"crypto"},
    "inbox": set(),
    "json": {"crypto"},
    "kafka": {"clock", "crypto", "inbox", "json", "ledger", "results"},
    "ledger": {"crypto"},
    "operations": {"inbox", "telemetry"},
    "results": {"crypto"},
    "sqlite": {"crypto", "ledger"},
    "telemetry": {"inbox"},
    "tools": {"clock", "config", "crypto", "file", "json", "kafka", "ledger", "results", "sqlite"},
}

# library (by the start of its header's name) -> the adapters that it stays in.
LIBRARIES = {
    "CLI/": {"cli"},
    "boost/": {"cli", "endpoint", "helseid", "https", "inbox", "operations"},
    "librdkafka/": {"kafka"},
    "openssl/": {"crypto", "helseid", "https", "ledger"},
    "prometheus/": {"operations", "telemetry"},
    "proton/": {"amqp"},
    "simdjson.h": {"file", "helseid", "json", "kafka"},
    "spdlog/": {"cli", "telemetry"},
    "sqlite3.h": {"sqlite"},
    "yaml-cpp/": {"config"},
}
