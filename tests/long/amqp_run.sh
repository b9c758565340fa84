#!/usr/bin/env bash
# The run through queues with 200 000 changes, on RabbitMQ and on Artemis.
#
#   amqp_run.sh BUILD_FOLDER
set -euo pipefail

script=$(dirname "$0")/../integration/real_run/amqp_run.sh
for broker in rabbitmq artemis; do
  timeout --kill-after=30 30m bash "$script" "${1:?the build folder}" --broker "$broker" \
    --members 180000
done
