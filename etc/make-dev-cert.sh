#!/usr/bin/env bash
# Makes a self-signed certificate for localhost, for development only.
#
# usage: etc/make-dev-cert.sh [DIR]     writes DIR/cert.pem and DIR/key.pem (default: var); keeps what is there
set -euo pipefail
case ${1:-} in -h | --help) sed -n '2,4s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
dir=${1:-$(dirname "$0")/../var}
mkdir -p "$dir"
if [ -s "$dir/cert.pem" ] && [ -s "$dir/key.pem" ]; then
  echo "$dir/cert.pem is there already"
  exit 0
fi
umask 077
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 825 -subj /CN=localhost \
  -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1' -keyout "$dir/key.pem" -out "$dir/cert.pem" 2> /dev/null
echo "made $dir/cert.pem and $dir/key.pem"
