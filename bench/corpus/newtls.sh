#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# newtls.sh DIR: a throwaway CA and server certificate for the HTTPS probes.
set -eu
d=$1; mkdir -p "$d"; cd "$d"
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 11000 \
	-subj '/CN=Probe Test CA' -addext basicConstraints=critical,CA:TRUE \
	-addext keyUsage=critical,keyCertSign 2>/dev/null
openssl req -newkey rsa:2048 -nodes -keyout server.key -out csr -subj /CN=probe.test 2>/dev/null
printf 'subjectAltName=DNS:probe.test,DNS:localhost\nextendedKeyUsage=serverAuth\n' >ext
openssl x509 -req -in csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 10900 \
	-extfile ext -out server.crt 2>/dev/null
rm -f ca.key csr ext ca.srl
