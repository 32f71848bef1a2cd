#!/bin/sh
# The flags about certificates and credentials, at each command that talks with registries: without
# the flag it fails, with it it works. And the other flags of pull, push and run --pull.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/registry/registry.sh"
base_image
tls
registry closed tls basic
R=$host
mkdir certs && cp "$ca" certs/ca.crt
printf '{"auths":{"%s":{"auth":"%s"}}}' "$R" "$(printf 'alice:%s' "$alice" | base64)" >auth.json
me=alice:$alice
printf 'FROM %s/it:1\n' "$R" >Dockerfile
thimble tag base "$R/it:1"

# --- push
fails 1 "push: an authority that nobody knows" thimble push --creds "$me" "$R/it:1"
fails 1 "push: nobody" thimble push --cacert "$ca" "$R/it:1"
ok "push --creds and --cacert" thimble push --creds "$me" --cacert "$ca" "$R/it:1"
ok "push --cert-dir" thimble push --creds "$me" --cert-dir certs "$R/it:1"
ok "push --insecure" thimble push --creds "$me" --insecure "$R/it:1"
ok "push --tls-verify=false" thimble push --creds "$me" --tls-verify=false "$R/it:1"
ok "push --authfile" thimble push --authfile auth.json --cacert "$ca" "$R/it:1"

# --- pull
fails 1 "pull: an authority that nobody knows" thimble pull --creds "$me" "$R/it:1"
fails 1 "pull: nobody" thimble pull --cacert "$ca" "$R/it:1"
ok "pull --creds and --cacert" thimble pull --creds "$me" --cacert "$ca" "$R/it:1"
ok "pull --cert-dir" thimble pull --creds "$me" --cert-dir certs "$R/it:1"
ok "pull --insecure" thimble pull --creds "$me" --insecure "$R/it:1"
ok "pull --tls-verify=false" thimble pull --creds "$me" --tls-verify=false "$R/it:1"
ok "pull --authfile" thimble pull --authfile auth.json --cacert "$ca" "$R/it:1"

# --- copy
fails 1 "copy: an authority that nobody knows" thimble copy --creds "$me" base "docker://$R/c:1"
fails 1 "copy: nobody" thimble copy --cacert "$ca" base "docker://$R/c:1"
ok "copy --creds and --cacert" thimble copy --creds "$me" --cacert "$ca" base "docker://$R/c:1"
ok "copy --cert-dir" thimble copy --creds "$me" --cert-dir certs base "docker://$R/c:1"
ok "copy --insecure" thimble copy --creds "$me" --insecure base "docker://$R/c:1"
ok "copy --tls-verify=false" thimble copy --creds "$me" --tls-verify=false base "docker://$R/c:1"
ok "copy --authfile" thimble copy --authfile auth.json --cacert "$ca" base "docker://$R/c:1"

# --- run
fails 125 "run: an authority that nobody knows" thimble run --pull always --creds "$me" "$R/it:1" true
fails 125 "run: nobody" thimble run --pull always --cacert "$ca" "$R/it:1" true
ok "run --creds and --cacert" thimble run --pull always --creds "$me" --cacert "$ca" "$R/it:1" true
ok "run --cert-dir" thimble run --pull always --creds "$me" --cert-dir certs "$R/it:1" true
ok "run --insecure" thimble run --pull always --creds "$me" --insecure "$R/it:1" true
ok "run --tls-verify=false" thimble run --pull always --creds "$me" --tls-verify=false "$R/it:1" true
ok "run --authfile" thimble run --pull always --authfile auth.json --cacert "$ca" "$R/it:1" true

# --- build
fails 1 "build: an authority that nobody knows" thimble build -q --pull --creds "$me" .
fails 1 "build: nobody" thimble build -q --pull --cacert "$ca" .
ok "build --creds and --cacert" thimble build -q --pull --creds "$me" --cacert "$ca" .
ok "build --cert-dir" thimble build -q --pull --creds "$me" --cert-dir certs .
ok "build --insecure" thimble build -q --pull --creds "$me" --insecure .
ok "build --tls-verify=false" thimble build -q --pull --creds "$me" --tls-verify=false .
ok "build --authfile" thimble build -q --pull --authfile auth.json --cacert "$ca" .

# --- login, logout
ok "login --cacert" thimble login -u alice -p "$alice" --cacert "$ca" --authfile login.json "$R"
ok "logout --authfile" thimble logout --authfile login.json "$R"
unlike "$(cat login.json)" "$R" "takes it out of that file"
fails 1 "login without it" thimble login -u alice -p "$alice" --authfile login.json "$R"
ok "login --cert-dir" thimble login -u alice -p "$alice" --cert-dir certs --authfile login.json "$R"

# --- the other flags
registry plain
P=$host
json() { python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$T/out" "$1"; }
manifest() { command skopeo inspect --raw --tls-verify=false "docker://$P/$1"; }
printf 'FROM base\nRUN echo 2 >/two\n' >Two
thimble build -q -t "$P/app:1" -t "$P/app:2" -f Two . >/dev/null
ok "push --all-tags" thimble push --all-tags "$P/app"
is "$(command skopeo list-tags --tls-verify=false "docker://$P/app" | python3 -c 'import json, sys; print(sorted(json.load(sys.stdin)["Tags"]))')" \
	"['1', '2']" "sends both"
ok "push --json --digestfile" thimble push --json --digestfile digest "$P/app:1"
is "$(json 'd[0]["Digest"]')" "$(cat digest)" "print and write the digest"
is "sha256:$(manifest app:1 | sha256sum | cut -d ' ' -f 1)" "$(cat digest)" "which is the registry's"
is "$(thimble push -q "$P/app:1")" '' "push -q prints nothing"
ok "push --format docker" thimble push -q --format docker "$P/app:1" "$P/docker:1"
like "$(manifest docker:1)" 'application/vnd.docker.distribution.manifest.v2' "is Docker's manifest"
ok "push --compression zstd" thimble push -q --compression zstd "$P/app:1" "$P/zstd:1"
like "$(manifest zstd:1)" 'layer.v1.tar.zstd' "layers are zstd"
ok "push --compression none" thimble push -q --compression none "$P/app:1" "$P/none:1"
like "$(manifest none:1)" 'layer.v1.tar"' "layers are plain"
size() { manifest "$1" | python3 -c 'import json, sys; print(sum(l["size"] for l in json.load(sys.stdin)["layers"]))'; }
ok "push --compression-level 1" thimble push -q --compression gzip --compression-level 1 "$P/app:1" "$P/level:1"
ok "push --compression-level 12" thimble push -q --compression gzip --compression-level 12 "$P/app:1" "$P/level:12"
like "$(($(size level:1) - $(size level:12)))" '^[1-9]' "a higher level is smaller"
printf 'FROM this\nRUN true >/made\n' >Host
thimble build -q -t "$P/host:1" --build-context this=rootfs:/ -f Host . >/dev/null
fails 1 "push of what stands on rootfs:/" thimble push "$P/host:1"
like "$err" 'rootfs.export' "is refused"
fails 1 "copy, too" thimble copy "$P/host:1" oci:host
ok "push --allow" thimble push -q --allow rootfs.export "$P/host:1"
ok "copy --allow" thimble copy -q --allow rootfs.export "$P/host:1" oci:host

thimble rmi -f "$P/app:1" "$P/app:2" >/dev/null
ok "pull --all-tags --json" thimble pull --all-tags --json "$P/app"
is "$(json 'len(d)')" 2 "fetches both"
ok "they are there" thimble inspect "$P/app:1" "$P/app:2"
"$tests/lib/make-layout" src
thimble copy -q --all oci:src:multi "docker://$P/multi:1"
ok "pull --platform" thimble pull -q --platform linux/arm64 "$P/multi:1"
is "$(thimble inspect -f '{{.Architecture}}' "$P/multi:1")" arm64 "takes that of several"
fails 1 "pull --platform that is not there" thimble pull --platform linux/s390x "$P/multi:1"
thimble rmi "$P/multi:1" >/dev/null
fails 125 "run --pull never" thimble run --pull never "$P/app:3" true
fails 125 "run --pull wrongly" thimble run --pull sometimes "$P/app:1" true
like "$err" "missing, always or never, not 'sometimes'" "says so"
run thimble run --platform linux/arm64 "$P/multi:1" true
is "$(thimble inspect -f '{{.Architecture}}' "$P/multi:1")" arm64 "run --platform pulls that one"

printf 'FROM base\n' >Dockerfile
ok "build --push" thimble build -q -t "$P/pushed:1" --push .
like "$(manifest pushed:1)" '"layers"' "the registry has it"
fails 2 "build --push without a name" thimble build -q --push .
like "$err" '--push wants a name to push to: -t NAME' "is refused"
printf 'FROM %s/app:1\n' "$P" >Dockerfile
thimble rmi -f "$P/app:1" >/dev/null
fails 1 "build --pull=never" thimble build -q --pull=never .
ok "build pulls what is missing" thimble build -q .
done_testing
