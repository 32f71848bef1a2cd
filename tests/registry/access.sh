#!/bin/sh
# Every verb that speaks to a registry takes the same options: credentials, authorities, and what is not
# to be checked. Each of them alone decides here whether it works.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/registry/registry.sh"
base_image
tls
registry closed tls basic
closed=$host
registry expired tls-expired
expired=$host
registry plain
plain=$host
mkdir certs
cp "$ca" certs/ca.crt
printf '{"auths":{"%s":{"auth":"%s"}}}\n' "$closed" "$(printf 'alice:%s' "$alice" | base64 -w 0)" >auth.json
chmod 600 auth.json
P=$alice
run sh -c 'printf %s "$1" | "$THIMBLE" login --cacert "$2" -u alice --password-stdin "$3"' sh "$P" "$ca" "$closed"
is "$status" 0 "login with a password from standard input"
thimble logout "$closed" >/dev/null 2>&1
thimble tag base "$closed/a/base:1"
thimble tag base "$expired/a/base:1"
thimble tag base "$plain/a/base:1"

# --- push
fails 1 "push: nobody" thimble push --cacert "$ca" "$closed/a/base:1"
like "$err" "thimble login $closed" "is told to log in"
fails 1 "push: an authority that nobody knows" thimble push --creds "alice:$alice" "$closed/a/base:1"
like "$err" '--cacert' "is told what helps"
ok "push --creds --cacert" thimble push --creds "alice:$alice" --cacert "$ca" "$closed/a/base:1"
unlike "$out$err" "$alice" "the password is not printed"
fails 1 "push: a wrong password" thimble push --creds "alice:wrong" --cacert "$ca" "$closed/a/base:1"
ok "push --authfile --cert-dir" thimble push --authfile auth.json --cert-dir certs "$closed/a/base:1"
fails 1 "push: an expired certificate" thimble push "$expired/a/base:1"
fails 1 "push: also with its authority" thimble push --cacert "$ca" "$expired/a/base:1"
like "$err" 'expired' "the reason is told"
ok "push --insecure" thimble push --insecure "$expired/a/base:1"
ok "push --tls-verify=false" thimble push --tls-verify=false "$expired/a/base:1"
fails 1 "push --tls-verify" thimble push --tls-verify "$expired/a/base:1"

# --- pull
export THIMBLE_ROOT="$T/store-2"
fails 1 "pull: nobody" thimble pull --cacert "$ca" "$closed/a/base:1"
fails 1 "pull: an unknown authority" thimble pull --creds "alice:$alice" "$closed/a/base:1"
ok "pull --creds --cacert" thimble pull --creds "alice:$alice" --cacert "$ca" "$closed/a/base:1"
ok "pull --authfile --cert-dir" thimble pull --authfile auth.json --cert-dir certs "$closed/a/base:1"
fails 1 "pull: an expired certificate" thimble pull "$expired/a/base:1"
ok "pull --insecure" thimble pull --insecure "$expired/a/base:1"
ok "pull --tls-verify=false" thimble pull --tls-verify=false "$expired/a/base:1"
fails 1 "pull --tls-verify=true" thimble pull --tls-verify=true "$expired/a/base:1"
fails 2 "pull --tls-verify of something else" thimble pull --tls-verify=perhaps "$expired/a/base:1"
fails 2 "pull: both ways at once" thimble pull --insecure --tls-verify=true "$expired/a/base:1"
fails 2 "pull: an empty --authfile" thimble pull --authfile= "$expired/a/base:1"

# --- run
export THIMBLE_ROOT="$T/store-3"
again() { thimble run --pull always "$@"; }
fails 125 "run: nobody" again --cacert "$ca" "$closed/a/base:1" true
ok "run --creds --cacert" again --creds "alice:$alice" --cacert "$ca" "$closed/a/base:1" true
ok "run --authfile --cert-dir" again --authfile auth.json --cert-dir certs "$closed/a/base:1" true
ok "run --insecure" again --insecure "$expired/a/base:1" true
ok "run --tls-verify=false" again --tls-verify=false "$expired/a/base:1" true
fails 125 "run --tls-verify" again --tls-verify "$expired/a/base:1" true

# --- build
export THIMBLE_ROOT="$T/store-4"
printf 'FROM %s/a/base:1\n' "$closed" >Closed
printf 'FROM %s/a/base:1\n' "$expired" >Expired
again() { thimble build -q --pull "$@"; }
fails 1 "build: nobody" again --cacert "$ca" -f Closed .
ok "build --creds --cacert" again --creds "alice:$alice" --cacert "$ca" -f Closed .
ok "build --authfile --cert-dir" again --authfile auth.json --cert-dir certs -f Closed .
ok "build --insecure" again --insecure -f Expired .
ok "build --tls-verify=false" again --tls-verify=false -f Expired .
fails 1 "build --tls-verify" again --tls-verify -f Expired .

# --- where names lead
export THIMBLE_ROOT="$T/store-5"
cat >"$T/home/registries.conf" <<C
[[registry]]
prefix = "registry.example/team"
location = "$plain/a"
[[registry]]
location = "blocked.example"
blocked = true
[[registry]]
prefix = "mirrored.example"
location = "127.0.0.1:1"
[[registry.mirror]]
location = "127.0.0.1:1/none"
[[registry.mirror]]
location = "$plain"
C
ok "push to $plain" thimble --root "$T/store" push -q "$plain/a/base:1"
ok "a name that leads elsewhere" thimble pull "registry.example/team/base:1"
is "$(thimble images --format '{{.Repository}}')" "registry.example/team/base" "keeps its name"
ok "a mirror, after one that does not answer" thimble pull "mirrored.example/a/base:1"
fails 1 "a blocked registry" thimble pull blocked.example/x
like "$err" 'registries.conf' "tells which file says so"
done_testing
