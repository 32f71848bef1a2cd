#!/bin/sh
# TLS: authorities, certs.d, client certificates; what is refused, and in which words; http: only
# where it may be; proxies.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/registry/registry.sh"
tls
registry safe tls
safe=$host
registry expired tls-expired
expired=$host
registry wrong tls-wrong
wrong=$host
registry client tls-client
client=$host
image data 10000
id=$(thimble inspect --format '{{.Id}}' data)
number=0
pull() { # OPTION... NAME: into a store of its own
	number=$((number + 1))
	thimble --root "$T/pulled/$number" pull "$@"
}

fails 1 "an authority nobody knows" thimble push data "$safe/data:1"
like "$err" 'certificate' "says so"
like "$err" 'try .*--cacert' "and what to do"
ok "--cacert" thimble push --cacert "$ca" data "$safe/data:1"
fails 1 "--cacert of another authority" pull --cacert "$tls/other-ca.pem" "$safe/data:1"
fails 1 "--cacert that is not there" pull --cacert nothing.pem "$safe/data:1"
like "$err" 'nothing.pem' "names it"
echo no certificate >bad.pem
fails 1 "--cacert that is none" pull --cacert bad.pem "$safe/data:1"
like "$err" 'bad.pem' "names it, too"
ok "--insecure" pull --insecure "$safe/data:1"
ok "--tls-verify=false" pull --tls-verify=false "$safe/data:1"
fails 1 "expired" pull --cacert "$ca" "$expired/data:1"
like "$err" 'expired' "says so"
ok "expired, --insecure" thimble push --insecure data "$expired/data:1"
fails 1 "a certificate for another name" pull --cacert "$ca" "$wrong/data:1"
like "$err" 'name|match|127.0.0.1' "says so"
ok "by the name localhost" pull --cacert "$ca" "localhost:${safe#*:}/data:1"
mkdir dir
cp "$ca" dir/ca.crt
ok "--cert-dir" pull --cert-dir dir "$safe/data:1"
fails 1 "a client certificate is wanted" pull --cert-dir dir "$client/data:1"
cp "$tls/client.pem" dir/client.cert
fails 1 "its key is not there" pull --cert-dir dir "$client/data:1"
like "$err" 'client.key' "which one"
cp "$tls/client.key" dir/client.key
ok "with a client certificate" thimble push --cert-dir dir data "$client/data:1"
ok "and pull" pull --cert-dir dir "$client/data:1"
mkdir -p "$HOME/.config/containers/certs.d/$safe"
cp "$ca" "$HOME/.config/containers/certs.d/$safe/ca.crt"
ok "certs.d" pull "$safe/data:1"
fails 1 "it is for this host only" pull "$expired/data:1"
for n in $(seq $number); do
	[ ! -d "$T/pulled/$n" ] || thimble --root "$T/pulled/$n" images -q --no-trunc
done | sort -u >ids
is "$(cat ids)" "$id" "all brought the image"

# A proxy that redirects from https: to http:.
registry plain
plain=$host
ok "push, plain" thimble push data "$plain/data:1"
faults down "$plain" --cert "$tls/server.pem" --key "$tls/server.key"
rules down ''
ok "TLS in front of it" pull --cacert "$ca" "$host/data:1"
rules down "GET /blobs/ * redirect to=http://$plain{path}"
fails 1 "a redirect from https: to http:" pull --cacert "$ca" "$host/data:1"
like "$err" "'$host' leads from https: to 'http://$plain/.*', which is not encrypted" "says so"
like "$err" "try +a registry behind a proxy that speaks https must be told so \(X-Forwarded-Proto, or its 'host' setting\)" "and what to do"

# http: without TLS is for loopback only. Our own address that is not loopback stands for elsewhere.
fails 1 "https is tried first" pull "$plain.invalid/data:1"
address=$(hostname -I 2>/dev/null | tr ' ' '\n' | grep -m 1 '^[0-9.]*$')
if [ -n "$address" ]; then
	python3 - "$address" "${plain#*:}" "$T/relay" <<'P' &
import socket, sys, threading
s = socket.create_server((sys.argv[1], 0))
open(sys.argv[3] + '.new', 'w').write(str(s.getsockname()[1]))
import os; os.rename(sys.argv[3] + '.new', sys.argv[3])
def copy(a, b):
    try:
        while d := a.recv(65536): b.sendall(d)
    except OSError: pass
    b.close()
while True:
    c, _ = s.accept()
    u = socket.create_connection(('127.0.0.1', int(sys.argv[2])))
    for a, b in ((c, u), (u, c)): threading.Thread(target=copy, args=(a, b), daemon=True).start()
P
	mkdir -p "$servers/relay"
	echo $! >"$servers/relay/pid"
	server_wait relay test -e "$T/relay"
	far=$address:$(cat "$T/relay")
	fails 1 "http: elsewhere is refused" pull "$far/data:1"
	like "$err" "try +if '$far' is a registry without TLS: --insecure, or insecure = true in registries.conf" "and how it would be allowed"
	ok "--insecure" pull --insecure "$far/data:1"
	printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$far" >insecure.conf
	ok "insecure = true in registries.conf" env CONTAINERS_REGISTRIES_CONF="$PWD/insecure.conf" \
		"$THIMBLE" --root "$T/insecure" pull "$far/data:1"
else
	skip "no address but loopback" "http: elsewhere"
fi
done_testing
