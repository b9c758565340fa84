#!/usr/bin/env bash
# Proves that the tests bite: breaks the core in one place at a time (mutants.py), in a copy, and
# demands that a unit test or the simulation fails. Prints a table; exit status 1 when one survives.
#
#   tests/simulation/mutants.sh [NAME…]     MUTANT_SEEDS: seeds of the simulation, 800 by default
#   tests/simulation/mutants.sh --check     only that each still fits the code, at once
#
# A mutant that hangs or crashes the tests counts as killed; one that does not build does not.
set -uo pipefail

cd "$(dirname "$0")/../.." || exit 2
seeds=${MUTANT_SEEDS:-800}
mutants=$PWD/tests/simulation/mutants.py
[[ ${1:-} == --check ]] && exec python3 -B "$mutants" check .
work=$(mktemp -d)
ulimit -v 4000000  # a mutant without a limit must not take the machine with it
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
tree=$work/tree
mkdir -p "$tree/tests/unit"
cp -r worker "$tree/"
cp -r tests/simulation tests/support "$tree/tests/"
cp -r tests/unit/worker "$tree/tests/unit/"
cp -r "$tree" "$work/original"

cat >"$tree/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(mutants LANGUAGES CXX)
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_FLAGS "-O1 -w")
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
include_directories(${PROJECT_SOURCE_DIR})
find_package(GTest REQUIRED)
file(GLOB_RECURSE core worker/*.cc)
file(GLOB units tests/unit/worker/*.cc)
file(GLOB simulation tests/simulation/*.cc)
add_library(core STATIC ${core})
add_executable(units ${units})
add_executable(simulation ${simulation})
foreach(program units simulation)
  target_link_libraries(${program} core GTest::gmock GTest::gtest_main)
endforeach()
CMAKE

build() { cmake --build "$work/build" -j 2 >"$work/build.log" 2>&1; }

# Says what kills the mutant that is built: "unit tests", "seed N" or nothing.
killer() {
  timeout 60 "$work/build/units" --gtest_brief=1 >"$work/out" 2>&1 || { echo "unit tests"; return; }
  local status seed
  SIMULATION_SEEDS=$seeds timeout 600 "$work/build/simulation" --gtest_brief=1 >"$work/out" 2>&1
  status=$?
  ((status == 0)) && return
  seed=$(sed -n 's/^seed \([0-9]*\):.*/\1/p' "$work/out" | head -1)
  echo "simulation, seed ${seed:-(none: crash or hang)}"
}

cmake -S "$tree" -B "$work/build" -G Ninja >"$work/build.log" 2>&1 && build \
  || { tail -20 "$work/build.log"; echo "the core itself does not build"; exit 1; }
found=$(killer)
[[ -n $found ]] && { tail -20 "$work/out"; echo "the core itself fails: $found"; exit 1; }

survivors=0
names=("$@")
((${#names[@]})) || mapfile -t names < <(python3 "$mutants" list)
for name in "${names[@]}"; do
  if ! file=$(python3 "$mutants" apply "$name" "$tree"); then
    word="DOES NOT FIT"
  elif ! build; then
    word="DOES NOT BUILD"
  else
    word=$(killer)
    [[ -n $word ]] && word="killed by $word"
  fi
  [[ $word == killed* ]] || { survivors=$((survivors + 1)); : "${word:=SURVIVES}"; }
  printf '%-40s %s\n' "$name" "$word"
  [[ -n ${file:-} ]] && cp "$work/original/$file" "$tree/$file"
done
printf '%d mutants, %d not killed\n' "${#names[@]}" "$survivors"
((survivors == 0))
