#!/usr/bin/env bash
# Installs what is missing on Debian 12; does nothing, and needs no rights, where all is there.
# usage: install.sh build|embedded-demo|demo|test
#   build  compiler and libraries of the worker
#   embedded-demo  build, and what deploy/demo.sh --embedded needs
#   demo   that, and what deploy/demo.sh needs
#   test   demo, and what the tests and the checks need
set -euo pipefail

case ${1:-} in
  build|embedded-demo|demo|test) want=$1 ;;
  *) echo "usage: install.sh build|embedded-demo|demo|test" >&2; exit 2 ;;
esac

build=(g++ cmake ninja-build ccache pkg-config libboost1.81-dev librdkafka-dev libssl-dev
       libsimdjson-dev libspdlog-dev libexpected-dev libyaml-cpp-dev libcli11-dev libsqlite3-dev
       libgoogle-perftools-dev
       prometheus-cpp-dev libqpid-proton-cpp12-dev libsasl2-modules)
demo=(libgtest-dev libgmock-dev libbenchmark-dev libcjose-dev curl)
tests=(clang-format-14 clang-tidy-14 python3-jsonschema python3-yaml openssl rabbitmq-server)
# These may be there without Debian's package: the command counts.
commands_of_every_demo=(python3=python3)
commands_of_demo=(java=openjdk-17-jre-headless mvn=maven)
commands_of_tests=(javac=openjdk-17-jdk-headless)

missing=()
want_package() {
  [[ $(dpkg-query -W -f '${Status}' "$1" 2>/dev/null) == *" installed" ]] || missing+=("$1")
}

for package in "${build[@]}"; do want_package "$package"; done
want_command() {  # COMMAND=PACKAGE
  command -v "${1%%=*}" >/dev/null || missing+=("${1#*=}")
}
if [[ $want != build ]]; then
  for package in "${demo[@]}"; do want_package "$package"; done
  for pair in "${commands_of_every_demo[@]}"; do want_command "$pair"; done
fi
if [[ $want == demo || $want == test ]]; then
  for pair in "${commands_of_demo[@]}"; do want_command "$pair"; done
fi
if [[ $want == test ]]; then
  for package in "${tests[@]}"; do want_package "$package"; done
  for pair in "${commands_of_tests[@]}"; do want_command "$pair"; done
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
# The tests start a broker of their own; Debian's must not come up beside it as a service.
policy=/usr/sbin/policy-rc.d
if [[ " ${missing[*]} " == *" rabbitmq-server "* && ! -e $policy ]]; then
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -q -o Acquire::Retries=3
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -q -y --no-install-recommends -o Acquire::Retries=3 \
  -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "${missing[@]}"
