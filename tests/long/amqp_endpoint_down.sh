#!/usr/bin/env bash
# Ten minutes with the endpoint down and 300 000 changes in a queue (benchmark/amqp/endpoint_down.sh).
#
#   amqp_endpoint_down.sh BUILD_FOLDER
set -euo pipefail

for broker in rabbitmq artemis; do
  timeout --kill-after=30 30m bash "$(dirname "$0")/../benchmark/amqp/endpoint_down.sh" \
    "${1:?the build folder}" --minutes 5 --broker "$broker"
done
