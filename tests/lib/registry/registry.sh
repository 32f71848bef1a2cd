# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154  # what a test reads; tests and T are tap.sh's
# tests/lib/registry/registry.sh: registries on loopback, for tests. Sourced after tap.sh. Each server
# keeps all it has below $T/servers/NAME, is ended with the test, and listens on a port of its own:
#
#	registry plain                   Debian's docker-registry; $host is "127.0.0.1:PORT" now
#	tls; registry safe tls           with a certificate of the authority $ca (tls expired, tls wrong,
#	                                 tls client: see below)
#	registry closed basic            alice and bob, passwords $alice and $bob
#	token_server tokens; registry guarded token
#	oci_registry oci --page 2        ours: oci-registry.py
#	faults proxy "$host"             faults.py in front of it; $host is the proxy's now
#	rules proxy 'GET /blobs/ 1 cut after=1000'
#	requests proxy '^GET .*/blobs/'  lines of its log that match
#
# Certificates: $tls/ca.pem signed server (127.0.0.1, localhost), expired, wrong (other.example),
# client; other-ca.pem did not.
servers=$T/servers tls=$T/tls registry_lib=$tests/lib/registry
alice=wonderland-pw-7 bob=builder-pw-8
export THIMBLE_TEST_RETRY_MS=20
# The user's own files must not be seen, nor written.
export HOME="$T/home" XDG_CONFIG_HOME="$T/home/.config" XDG_RUNTIME_DIR="$T/home/run"
unset DOCKER_CONFIG REGISTRY_AUTH_FILE CONTAINERS_REGISTRIES_CONF http_proxy https_proxy HTTP_PROXY \
	HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY
mkdir -p "$servers" "$HOME" && mkdir -m 700 "$XDG_RUNTIME_DIR"
printf '[[registry]]\nlocation = "docker.io"\nblocked = true\n' >"$T/home/registries.conf"
export CONTAINERS_REGISTRIES_CONF="$T/home/registries.conf"

servers_stop() {
	# shellcheck disable=SC2013  # numbers
	for server_pid in $(cat "$servers"/*/pid 2>/dev/null); do kill "$server_pid" 2>/dev/null; done
	rm -f "$servers"/*/pid
}
trap 'servers_stop; tap_tidy' EXIT

server_bail() { # NAME
	diag_file "$servers/$1/err"
	echo "Bail out! the server '$1' does not start"
	exit 1
}
# server_begin NAME COMMAND...: in the background
server_begin() {
	server=$1
	shift
	mkdir -p "$servers/$server"
	"$@" >"$servers/$server/out" 2>"$servers/$server/err" </dev/null &
	echo $! >"$servers/$server/pid"
}
server_wait() { # NAME COMMAND...: until it says yes
	server=$1
	shift
	for _ in $(seq 200); do
		"$@" && return
		kill -0 "$(cat "$servers/$server/pid")" 2>/dev/null || break
		sleep 0.05
	done
	server_bail "$server"
}
server_stop() { # NAME
	server_pid=$(cat "$servers/$1/pid")
	kill "$server_pid"
	wait "$server_pid" 2>/dev/null
	rm -f "$servers/$1/pid"
}

# --- certificates -----------------------------------------------------------------------------
tls_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1" 2>/dev/null; }
tls_authority() { # NAME
	tls_key "$tls/$1.key"
	openssl req -x509 -new -key "$tls/$1.key" -days 30 -subj "/CN=thimble tests $1" -out "$tls/$1.pem"
}
tls_signed() { # NAME DAYS EXTENSION
	tls_key "$tls/$1.key"
	openssl req -new -key "$tls/$1.key" -subj "/CN=$1" -out "$tls/$1.csr"
	echo "$3" >"$tls/$1.ext"
	openssl x509 -req -in "$tls/$1.csr" -CA "$tls/ca.pem" -CAkey "$tls/ca.key" -CAcreateserial \
		-days "$2" -extfile "$tls/$1.ext" -out "$tls/$1.pem" 2>/dev/null
}
tls() {
	[ ! -e "$tls/server.pem" ] || return 0
	mkdir -p "$tls"
	tls_authority ca
	tls_authority other-ca
	tls_signed server 30 'subjectAltName = IP:127.0.0.1, DNS:localhost'
	tls_signed expired -1 'subjectAltName = IP:127.0.0.1, DNS:localhost'
	tls_signed wrong 30 'subjectAltName = DNS:other.example, IP:10.0.0.1'
	tls_signed client 30 'extendedKeyUsage = clientAuth'
	ca=$tls/ca.pem
}

# --- Debian's docker-registry -------------------------------------------------------------------
# registry NAME [tls|tls-expired|tls-wrong|tls-client] [basic|token] [mirror=URL] [port=N]: $host, $log
registry() {
	server=$1
	shift
	server_dir=$servers/$server
	mkdir -p "$server_dir"
	cat >"$server_dir/config.yml" <<-C
	version: 0.1
	log: {level: warn, formatter: text, accesslog: {disabled: true}}
	storage:
	  filesystem: {rootdirectory: $server_dir/data}
	  delete: {enabled: true}
	  redirect: {disable: true}
	  maintenance: {uploadpurging: {enabled: false}}
	C
	printf 'http:\n  addr: 127.0.0.1:0\n  relativeurls: true\n' >>"$server_dir/config.yml"
	for word in "$@"; do
		case $word in
		tls) registry_tls server ;;
		tls-client) registry_tls server "    clientcas: [$tls/ca.pem]" ;;
		tls-*) registry_tls "${word#tls-}" ;;
		esac
	done
	for word in "$@"; do
		case $word in
		basic) registry_basic ;;
		token) printf 'auth:\n  token: {realm: "%s", service: thimble-tests, issuer: thimble-tests, rootcertbundle: %s}\n' \
			"$realm" "$servers/sign.pem" >>"$server_dir/config.yml" ;;
		port=*) sed -i "s/127.0.0.1:0/127.0.0.1:${word#*=}/" "$server_dir/config.yml" ;;
		mirror=*) printf 'proxy: {remoteurl: %s}\n' "${word#*=}" >>"$server_dir/config.yml" ;;
		esac
	done
	sed -i 's/level: warn/level: info/' "$server_dir/config.yml" # it tells its port so
	server_begin "$server" docker-registry serve "$server_dir/config.yml"
	server_wait "$server" grep -qs 'listening on' "$server_dir/err"
	host=$(sed -n 's/.*listening on \([0-9.:]*\).*/\1/p' "$server_dir/err" | head -n 1)
	log=$server_dir/err
}
registry_tls() { # CERTIFICATE [MORE]
	printf '  tls:\n    certificate: %s\n    key: %s\n' "$tls/$1.pem" "$tls/$1.key" >>"$server_dir/config.yml"
	[ -z "${2-}" ] || printf '%s\n' "$2" >>"$server_dir/config.yml"
}
registry_basic() {
	python3 -W ignore -c '
import crypt, sys
for user, word in zip(sys.argv[1::2], sys.argv[2::2]):
    print(user + ":" + crypt.crypt(word, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)))' \
		alice "$alice" bob "$bob" >"$server_dir/htpasswd"
	printf 'auth:\n  htpasswd: {realm: tests, path: %s}\n' "$server_dir/htpasswd" >>"$server_dir/config.yml"
}

# --- ours ---------------------------------------------------------------------------------------
python_server() { # NAME PROGRAM OPTION...: $host, $log
	server=$1 server_program=$2
	shift 2
	mkdir -p "$servers/$server"
	rm -f "$servers/$server/port"
	log=$servers/$server/log
	server_begin "$server" python3 -B "$registry_lib/$server_program.py" --port-file "$servers/$server/port" \
		--log "$log" "$@"
	server_wait "$server" test -e "$servers/$server/port"
	host=127.0.0.1:$(cat "$servers/$server/port")
}
oci_registry() { # NAME [OPTION]...
	server=$1
	shift
	python_server "$server" oci-registry "$@"
}
# token_server NAME [OPTION]...: $realm. With --hmac KEY for oci_registry, else for docker-registry.
token_server() {
	server=$1
	shift
	if [ ! -e "$servers/sign.pem" ]; then
		openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=thimble-tests \
			-keyout "$servers/sign.key" -out "$servers/sign.pem" 2>/dev/null
	fi
	python_server "$server" token-server --user "alice:$alice" --user "bob:$bob" \
		--sign-key "$servers/sign.key" --sign-cert "$servers/sign.pem" "$@"
	realm=http://$host/token
	case " $* " in *" --cert "*) realm=https://$host/token ;; esac
}
# faults NAME UPSTREAM [OPTION]...
faults() {
	server=$1 server_up=$2
	shift 2
	mkdir -p "$servers/$server"
	: >"$servers/$server/rules"
	python_server "$server" faults --upstream "$server_up" --rules "$servers/$server/rules" "$@"
}
# rules NAME LINE...: from now on, with a log that begins anew
rules() {
	server=$1
	shift
	: >"$servers/$server/log"
	printf '%s\n' "$@" >"$servers/$server/rules.new"
	mv "$servers/$server/rules.new" "$servers/$server/rules"
}
requests() { # NAME REGEX
	grep -aE -e "$2" "$servers/$1/log"
}
count() { # NAME REGEX
	grep -acE -e "$2" "$servers/$1/log"
}

# --- images and stores --------------------------------------------------------------------------
# image NAME [SIZE]: three layers of random bytes, SIZE each (1 MiB if not told), and a little one
image() {
	rm -rf "$T/image" && mkdir "$T/image"
	for part in a b c; do head -c "${2:-1048576}" /dev/urandom >"$T/image/$part"; done
	echo "$1" >"$T/image/name"
	printf 'FROM scratch\nCOPY a /\nCOPY b /\nCOPY c /\nCOPY name /\nCMD ["/name"]\n' >"$T/image/Dockerfile"
	thimble build -q -t "$1" "$T/image" >"$T/out" 2>"$T/err" || {
		diag_file "$T/err"
		echo "Bail out! cannot build the image '$1'"
		exit 1
	}
}
# forget NAME...: the images and all that only they need leave the store
forget() {
	thimble rmi -f "$@" >/dev/null 2>&1
	thimble prune -f >/dev/null 2>&1
}
# What is in a store that is whole and says so: nothing half-made, every blob is what its name says.
store_faults() {
	find "$THIMBLE_ROOT/tmp" -mindepth 1 2>/dev/null
	(cd "$THIMBLE_ROOT/blobs/sha256" 2>/dev/null && for blob in *; do
		[ -e "$blob" ] && [ "$(sha256sum <"$blob" | cut -d' ' -f1)" != "$blob" ] && echo "blob $blob"
	done)
}
sound() { # DESCRIPTION
	is "$(store_faults)" '' "$1: the store is whole"
}
# contents NAME: digests of its files
contents() {
	rm -rf "$T/contents"
	thimble cp "$1:/" "$T/contents" >/dev/null 2>"$T/err" || { cat "$T/err"; return; }
	(cd "$T/contents" && find . -type f | sort | xargs sha256sum)
}
# chosen: whether the next case of a long table is run. All of them with REGISTRY=all, else a quarter
# that changes with the date; REGISTRY=NUMBER: just that one.
case_number=0
chosen() {
	case_number=$((case_number + 1))
	case ${REGISTRY-} in
	all) ;;
	'') [ $(((case_number + $(date +%s) / 86400) % 4)) = 0 ] ;;
	*) [ "$case_number" = "$REGISTRY" ] ;;
	esac
}
# peak COMMAND...: its status; $peak is the most memory (KiB) that it or one of its children had
peak() {
	run python3 "$registry_lib/peak.py" "$T/peak" "$@"
	peak=$(cat "$T/peak")
}
