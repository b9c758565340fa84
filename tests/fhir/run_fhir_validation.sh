#!/usr/bin/env bash
# Writes Bundles of every combination of settings and validates them as FHIR R4 with HAPI, offline.
# usage: run_fhir_validation.sh GENERATOR [WORK_FOLDER]
#   GENERATOR    the program fhir_write_bundles
#   WORK_FOLDER  where Bundles and classes go; a temporary one, removed afterwards, by default
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
generator=${1:?usage: run_fhir_validation.sh GENERATOR [WORK_FOLDER]}
if [[ $# -ge 2 ]]; then
  work=$2
  rm -rf "$work/bundles" "$work/classes"
  mkdir -p "$work"
else
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
fi

# The jars are kept under the sum of the pom: another version gets another folder.
sum=$(sha256sum "$here/validator/pom.xml" | cut -c1-12)
jars=${XDG_CACHE_HOME:-$HOME/.cache}/helsekontakter/hapi/$sum
if [[ ! -e $jars/complete ]]; then
  mkdir -p "$jars"
  mvn -q -B -f "$here/validator/pom.xml" dependency:copy-dependencies \
    -DoutputDirectory="$jars" -DincludeScope=runtime
  touch "$jars/complete"
fi

"$generator" "$work/bundles"
mkdir -p "$work/classes"
javac -encoding UTF-8 --release 17 -cp "$jars/*" -d "$work/classes" \
  "$here/validator/src/main/java/ValidateBundles.java"
java -XX:+UseSerialGC -Dfile.encoding=UTF-8 -cp "$work/classes:$jars/*" ValidateBundles \
  "$work/bundles"
