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
# registry NAME [tls|tls-expired|tls-wrong|tls-client] [basic|token] [mirror=URL]: $host, $log
registry() {
	server=$1
	shift
	dir=$servers/$server
	mkdir -p "$dir"
	cat >"$dir/config.yml" <<-C
	version: 0.1
	log: {level: warn, formatter: text, accesslog: {disabled: true}}
	storage:
	  filesystem: {rootdirectory: $dir/data}
	  delete: {enabled: true}
	  redirect: {disable: true}
	  maintenance: {uploadpurging: {enabled: false}}
	C
	printf 'http:\n  addr: 127.0.0.1:0\n  relativeurls: true\n' >>"$dir/config.yml"
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
			"$realm" "$servers/sign.pem" >>"$dir/config.yml" ;;
		mirror=*) printf 'proxy: {remoteurl: %s}\n' "${word#*=}" >>"$dir/config.yml" ;;
		esac
	done
	sed -i 's/level: warn/level: info/' "$dir/config.yml" # it tells its port so
	server_begin "$server" docker-registry serve "$dir/config.yml"
	server_wait "$server" grep -q 'listening on' "$dir/err"
	host=$(sed -n 's/.*listening on \([0-9.:]*\).*/\1/p' "$dir/err" | head -n 1)
	log=$dir/err
}
registry_tls() { # CERTIFICATE [MORE]
	printf '  tls:\n    certificate: %s\n    key: %s\n' "$tls/$1.pem" "$tls/$1.key" >>"$dir/config.yml"
	[ -z "${2-}" ] || printf '%s\n' "$2" >>"$dir/config.yml"
}
registry_basic() {
	python3 -W ignore -c '
import crypt, sys
for user, word in zip(sys.argv[1::2], sys.argv[2::2]):
    print(user + ":" + crypt.crypt(word, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)))' \
		alice "$alice" bob "$bob" >"$dir/htpasswd"
	printf 'auth:\n  htpasswd: {realm: tests, path: %s}\n' "$dir/htpasswd" >>"$dir/config.yml"
}

# --- ours ---------------------------------------------------------------------------------------
python_server() { # NAME PROGRAM OPTION...: $host, $log
	server=$1 program=$2
	shift 2
	mkdir -p "$servers/$server"
	rm -f "$servers/$server/port"
	log=$servers/$server/log
	server_begin "$server" python3 -B "$registry_lib/$program.py" --port-file "$servers/$server/port" \
		--log "$log" "$@"
	server_wait "$server" test -e "$servers/$server/port"
	host=127.0.0.1:$(cat "$servers/$server/port")
}
oci_registry() { # NAME [OPTION]...
	name=$1
	shift
	python_server "$name" oci-registry "$@"
}
# token_server NAME [OPTION]...: $realm. With --hmac KEY for oci_registry, else for docker-registry.
token_server() {
	name=$1
	shift
	if [ ! -e "$servers/sign.pem" ]; then
		openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=thimble-tests \
			-keyout "$servers/sign.key" -out "$servers/sign.pem" 2>/dev/null
	fi
	python_server "$name" token-server --user "alice:$alice" --user "bob:$bob" \
		--sign-key "$servers/sign.key" --sign-cert "$servers/sign.pem" "$@"
	realm=http://$host/token
	case " $* " in *" --cert "*) realm=https://$host/token ;; esac
}
# faults NAME UPSTREAM [OPTION]...
faults() {
	name=$1 upstream=$2
	shift 2
	mkdir -p "$servers/$name"
	: >"$servers/$name/rules"
	python_server "$name" faults --upstream "$upstream" --rules "$servers/$name/rules" "$@"
}
# rules NAME LINE...: from now on, with a log that begins anew
rules() {
	name=$1
	shift
	: >"$servers/$name/log"
	printf '%s\n' "$@" >"$servers/$name/rules.new"
	mv "$servers/$name/rules.new" "$servers/$name/rules"
}
requests() { # NAME REGEX
	grep -aE -e "$2" "$servers/$1/log"
}
count() { # NAME REGEX
	grep -acE -e "$2" "$servers/$1/log"
}
