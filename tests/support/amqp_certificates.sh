#!/usr/bin/env bash
# An authority, a server's certificate (localhost, 127.0.0.1) and a client's (CN=client) for the
# brokers that tests start. usage: amqp_certificates.sh FOLDER
set -euo pipefail
tls=${1:?usage: amqp_certificates.sh FOLDER}
mkdir -p "$tls"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test-ca \
  -keyout "$tls/ca-key.pem" -out "$tls/ca.pem" 2>/dev/null
printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' > "$tls/server.ext"
printf 'extendedKeyUsage=clientAuth\n' > "$tls/client.ext"
for name in server client; do
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" \
    -keyout "$tls/$name-key.pem" -out "$tls/$name.csr" 2>/dev/null
  openssl x509 -req -in "$tls/$name.csr" -CA "$tls/ca.pem" -CAkey "$tls/ca-key.pem" \
    -CAcreateserial -days 2 -extfile "$tls/$name.ext" -out "$tls/$name.pem" 2>/dev/null
done
