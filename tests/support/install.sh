#!/usr/bin/env bash
# Installs what is missing on Debian 12; does nothing, and needs no rights, where all is there.
# usage: install.sh build|test
#   build  compiler and libraries of the worker
#   test   build, and what the tests, the demo and the checks need
set -euo pipefail

case ${1:-} in build|test) want=$1 ;; *) echo "usage: install.sh build|test" >&2; exit 2 ;; esac

build=(g++ cmake ninja-build ccache pkg-config libboost1.81-dev librdkafka-dev libssl-dev
       libsimdjson-dev libspdlog-dev libexpected-dev libyaml-cpp-dev libcli11-dev
       prometheus-cpp-dev)
tests=(libgtest-dev libgmock-dev libbenchmark-dev libcjose-dev clang-format-14 clang-tidy-14
       python3-jsonschema python3-yaml openssl curl)
# These may be there without Debian's package: the command counts.
commands_of_tests=(javac=openjdk-17-jdk-headless mvn=maven python3=python3)

missing=()
want_package() {
  [[ $(dpkg-query -W -f '${Status}' "$1" 2>/dev/null) == *" installed" ]] || missing+=("$1")
}

for package in "${build[@]}"; do want_package "$package"; done
if [[ $want == test ]]; then
  for package in "${tests[@]}"; do want_package "$package"; done
  for pair in "${commands_of_tests[@]}"; do
    command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
  done
fi
((${#missing[@]})) || exit 0

as_root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null || {
    echo "missing packages, and neither root nor sudo to install them: ${missing[*]}" >&2
    exit 1
  }
  as_root=(sudo)
fi
echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -q -o Acquire::Retries=3
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -q -y --no-install-recommends -o Acquire::Retries=3 \
  -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "${missing[@]}"
