#!/usr/bin/env bash
# Builds and tests everything on Debian 12, installing what is missing (root or sudo, once).
#
#   tests/run.sh           release build, core under sanitizers, unit, contract, simulation,
#                          architecture, FHIR validation, both demos, integration with a real
#                          Kafka, RabbitMQ and Artemis
#   tests/run.sh --quick   the core alone: its unit tests and the simulation
#   tests/run.sh --long    also everything under address and thread sanitizers, clang-tidy on the
#                          core, repeats, and the scripts in tests/long/; hours
#   tests/run.sh --long NAME…  the release build and these of tests/long/ alone: --long rebalances
#
# A failing step does not stop the others, except those that need it. Exit status 0: all passed.
set -uo pipefail

cd "$(dirname "$0")/.." || exit 2
mode=normal
case "${1:-}" in
  '') ;;
  --quick) mode=quick ;;
  --long) mode=long ;;
  *) sed -n '2,12p' "$0" >&2; exit 2 ;;
esac
shift $(($# > 0))
readonly scripts=("$@")
for name in "${scripts[@]}"; do
  [[ $mode == long && -e tests/long/$name.sh ]] && continue
  echo "run.sh: no $name; --long takes names out of: $(basename -a -s .sh tests/long/*.sh | xargs)" >&2
  exit 2
done

: "${HOME:=$(getent passwd "$(id -u)" | cut -d: -f6)}"
export HOME
jobs=$(nproc)
logs=$PWD/build/test-logs
kafka=$PWD/build/test-kafka
amqp=$PWD/build/test-amqp
rm -rf "$logs" && mkdir -p "$logs" || exit 2

summary=()
failed_logs=()
failed=0
child=

# Ends what this run started, whatever ended the run.
clean_up() {
  [[ -n $child ]] && kill "$child" 2>/dev/null
  local dir
  for dir in "$kafka"-*; do
    [[ -e $dir/env ]] && tests/support/kafka.sh stop --dir "$dir" >>"$logs/kafka-stop.log" 2>&1
  done
  for dir in rabbitmq artemis; do
    [[ -e $amqp-$dir/env ]] \
      && "tests/support/$dir.sh" stop --dir "$amqp-$dir" >>"$logs/amqp-stop.log" 2>&1
  done
  rm -rf "$kafka"-* "$amqp"-*
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# step NAME MINUTES COMMAND…: runs it with a deadline and its own log; remembers how it went.
step() {
  local name=$1 minutes=$2 from=$SECONDS status
  shift 2
  printf '%-28s ' "$name"
  timeout --kill-after=30 "${minutes}m" "$@" >"$logs/$name.log" 2>&1 </dev/null &
  child=$!
  wait "$child"
  status=$?
  child=
  local word=passed
  ((status == 124 || status == 137)) && word="FAILED: not done in $minutes min"
  ((status != 0)) && [[ $word == passed ]] && word="FAILED ($status)"
  printf '%s, %d s\n' "$word" "$((SECONDS - from))"
  summary+=("$(printf '%-28s %-24s %5d s' "$name" "$word" "$((SECONDS - from))")")
  ((status == 0)) && return 0
  failed=1
  failed_logs+=("$logs/$name.log")
  tail -n 40 "$logs/$name.log" | sed 's/^/    /'
  return 1
}

# not_run NAME WHY: a step that could not be tried counts as failed.
not_run() {
  failed=1
  printf '%-28s NOT RUN: %s\n' "$1" "$2"
  summary+=("$(printf '%-28s NOT RUN: %s' "$1" "$2")")
}

# What the failed tests said, which parallel tests bury in the middle of a log.
show_failures() {
  local log
  for log in "${failed_logs[@]}"; do
    printf '\n%s\n' "$log"
    grep -aE -A 9 '(^|: )(FAIL|ERROR):|: Failure$|Error: |Sanitizer: |FAILED:|\*\*\*(Failed|Timeout)' "$log" \
      | head -n 60 | cut -c 1-300 | sed 's/^/    /'
  done
}

finish() {
  ((failed == 0)) || show_failures
  printf '\n'
  printf '%s\n' "${summary[@]}"
  printf 'total %d s, logs in %s\n' "$SECONDS" "$logs"
  ((failed == 0)) && echo "all passed" || echo "FAILED"
  exit "$failed"
}

# build_core NAME CMAKE_OPTION…: configures and builds worker/ and its tests in build/NAME.
build_core() {
  local name=$1
  shift
  step "$name-configure" 5 cmake -S . -B "build/$name" -G Ninja -DHELSEKONTAKTER_CORE_ONLY=ON "$@" \
    && step "$name-build" 60 cmake --build "build/$name" -j "$jobs"
}

tests_in() {  # NAME MINUTES BUILD_FOLDER CTEST_OPTION…
  local name=$1 minutes=$2 folder=$3
  shift 3
  step "$name" "$minutes" ctest --test-dir "$folder" --output-on-failure --no-tests=error "$@"
}

# Two Kafkas, the oldest and the newest supported, a RabbitMQ and an Artemis as the second opinion;
# where they are goes into the environment.
run_integration() {
  local version broker
  for version in 3.9.1 4.1.1; do
    rm -rf "$kafka-$version"
    step "kafka-$version" 5 tests/support/kafka.sh start --version "$version" \
      --dir "$kafka-$version" || { not_run integration "no Kafka $version"; return; }
  done
  for broker in rabbitmq artemis; do
    rm -rf "$amqp-$broker"
    step "$broker" 5 "tests/support/$broker.sh" start --dir "$amqp-$broker" \
      || { not_run integration "no $broker"; return; }
  done
  # shellcheck disable=SC1091
  HELSEKONTAKTER_TEST_KAFKA=$(. "$kafka-3.9.1/env" && echo "$KAFKA_BOOTSTRAP")
  # shellcheck disable=SC1091
  HELSEKONTAKTER_TEST_KAFKA_4=$(. "$kafka-4.1.1/env" && echo "$KAFKA_BOOTSTRAP")
  export HELSEKONTAKTER_TEST_KAFKA HELSEKONTAKTER_TEST_KAFKA_4
  export HELSEKONTAKTER_TEST_RABBITMQ_DIR=$amqp-rabbitmq HELSEKONTAKTER_TEST_ARTEMIS_DIR=$amqp-artemis
  # They wait for brokers and timeouts most of the time.
  tests_in integration 60 build/release -L integration -j $((jobs + 2))
  HELSEKONTAKTER_TEST_KAFKA=$HELSEKONTAKTER_TEST_KAFKA_4 step transactions-4.1.1 10 \
    build/release/tests/integration/kafka/kafka_integration_test '--gtest_filter=Recording*'
}

run_sanitized() {  # PRESET: everything that needs no broker
  local preset=$1 prefix=()
  # g++ 12's thread sanitizer cannot map its shadow under the randomisation of newer kernels.
  [[ $preset == tsan ]] && setarch -R true 2>/dev/null && prefix=(setarch -R)
  step "$preset-configure" 5 cmake --preset "$preset" \
    && step "$preset-build" 180 cmake --build --preset "$preset" -j "$jobs" \
    && SIMULATION_SEEDS=15 step "$preset" 60 "${prefix[@]}" ctest --test-dir "build/$preset" --output-on-failure \
      --no-tests=error -j "$jobs" -L 'unit|contract|simulation' -LE integration \
    || return 1
}

# The named scripts of tests/long/, or all.
run_scripts() {
  local script named=("$@")
  (($# > 0)) || mapfile -t named < <(basename -a -s .sh tests/long/*.sh)
  for script in "${named[@]}"; do
    step "long-$script" 120 bash "tests/long/$script.sh" build/release
    tail -n 12 "$logs/long-$script.log" | sed 's/^/    /'
  done
}

run_long() {
  step clang-tidy 60 run-clang-tidy-14 -quiet -p build/release -j "$jobs" \
    "-extra-arg-before=-isystem$PWD/tests/support/clang_tidy" "$PWD/worker/.*\.cc"
  tests_in repeats 60 build/release -j "$jobs" -L 'unit|contract|simulation' \
    --repeat until-fail:5
  run_sanitized asan
  run_sanitized tsan
  run_scripts
}

step install 20 bash tests/support/install.sh test || finish
# A python3 from elsewhere may lack the modules that Debian's has.
python3 -c 'import jsonschema, yaml' 2>/dev/null || export PATH=/usr/bin:$PATH
export UBSAN_OPTIONS=print_stacktrace=1

if [[ $mode == quick ]]; then
  build_core quick -DCMAKE_BUILD_TYPE=Release \
    && tests_in quick-tests 10 build/quick -j "$jobs" -L 'unit|simulation'
  finish
fi

build_release() {
  step release-configure 5 cmake --preset release \
    && step release-build 90 cmake --build --preset release -j "$jobs"
}

if ((${#scripts[@]} > 0)); then
  if build_release; then run_scripts "${scripts[@]}"; else not_run tests "the release build failed"; fi
  finish
fi

build_core asan-core -DCMAKE_BUILD_TYPE=Debug "-DCMAKE_CXX_FLAGS_DEBUG=-O0 -g1" \
  -DHELSEKONTAKTER_SANITIZE=address,undefined \
  && SIMULATION_SEEDS=15 tests_in asan-core-tests 20 build/asan-core -j "$jobs" -L 'unit|simulation'

# As a newcomer sees it first; its build takes all sources of a target as one.
step demo-embedded 15 env PRESET=first-look deploy/demo.sh --embedded

if build_release; then
  tests_in unit-contract-simulation 20 build/release -j "$jobs" -LE 'integration|architecture|chaos'
  tests_in architecture 30 build/release -j "$jobs" -L architecture
  step demo 10 env PRESET=release deploy/demo.sh
  step fhir 10 bash tests/fhir/run_fhir_validation.sh build/release/tests/fhir/fhir_write_bundles
  run_integration
  [[ $mode == long ]] && run_long
else
  not_run tests "the release build failed"
fi
finish
