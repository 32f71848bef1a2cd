#!/bin/sh
# What push sends, pull brings: names, digests, notes in the store, what is there and not moved, bases
# of builds and images of run that come by themselves, several platforms.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/registry/registry.sh"
base_image
registry plain
head -c 300000 /dev/urandom >noise
printf 'FROM base\nCOPY noise /noise\nRUN echo more >/more\nCMD ["/bin/hello"]\n' >Dockerfile
ok "an image" thimble build -q -t "$host/team/app:1" .
store() { echo "$T/store-$1"; } # NAME: another store

# --- push
ok "push" thimble push "$host/team/app:1"
like "$out" '^1: digest: sha256:[0-9a-f]{64} size: [0-9]+$' "prints what docker prints"
like "$err" "The push refers to repository \[$host/team/app\]" "says where it goes"
is "$(grep -c ': Pushed$' "$T/err")" 3 "each layer is sent"
digest=$(printf '%s\n' "$out" | sed 's/.*digest: \(sha256:[0-9a-f]*\).*/\1/')
is "$(curl -s -o /dev/null -w '%header{docker-content-digest}' -H 'Accept: application/vnd.oci.image.manifest.v1+json' \
	"http://$host/v2/team/app/manifests/1")" "$digest" "the registry has that digest"
is "$(thimble inspect -f '{{join .RepoDigests " "}}' "$host/team/app:1")" "$host/team/app@$digest" "inspect tells it"
ok "again" thimble push "$host/team/app:1"
is "$(grep -c ': Layer already exists$' "$T/err")" 3 "nothing is sent twice"
like "$out" "$digest" "and it is the same"
ok "to another repository" thimble push "$host/team/app:1" "$host/other/app:2"
is "$(grep -c ': Mounted from another repository$' "$T/err")" 3 "nothing is sent, but mounted"
like "$out" "^2: digest: $digest" "and it is the same there"
ok "--digestfile" thimble push --digestfile digest -q "$host/team/app:1"
is "$(cat digest)" "$digest" "holds the digest"
is "$out" '' "-q prints nothing"
ok "--json" thimble push --json "$host/team/app:1"
is "$(python3 -c 'import json, sys; r = json.load(open(sys.argv[1]))[0]; print(r["Name"], r["Digest"], r["MediaType"])' "$T/out")" \
	"$host/team/app:1 $digest application/vnd.oci.image.manifest.v1+json" "tells the same as values"
manifest() { curl -s -H 'Accept: application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json' \
	"http://$host/v2/$1"; }
ok "--format docker" thimble push -q --format docker "$host/team/app:1" "$host/team/app:docker"
like "$(manifest team/app/manifests/docker)" 'vnd.docker.distribution.manifest.v2' "sends docker's types"
ok "--format oci" thimble push -q --format oci "$host/team/app:1" "$host/team/app:oci"
like "$(manifest team/app/manifests/oci)" 'vnd.oci.image.manifest.v1' "sends OCI's"
ok "--compression zstd" thimble push -q --compression zstd "$host/team/app:1" "$host/team/app:zstd"
like "$(manifest team/app/manifests/zstd)" 'layer.v1.tar.zstd' "sends zstd"
ok "--compression none" thimble push -q --compression none "$host/team/app:1" "$host/team/app:none"
like "$(manifest team/app/manifests/none)" 'layer.v1.tar"' "sends plain layers"
size() { manifest "team/app/manifests/$1" | python3 -c 'import json, sys; print(sum(l["size"] for l in json.load(sys.stdin)["layers"]))'; }
ok "--compression-level 1" thimble push -q --compression-level 1 "$host/team/app:1" "$host/team/app:fast"
ok "--compression-level 12" thimble push -q --compression-level 12 "$host/team/app:1" "$host/team/app:small"
ok "makes a difference" test "$(size small)" -lt "$(size fast)"
fails 2 "a level that gzip has not" thimble push --compression-level 13 "$host/team/app:1"
fails 1 "an image that is not there" thimble push "$host/team/nothing"
like "$err" "there is no image '$host/team/nothing' in the store" "is told"
fails 2 "a digest is no destination" thimble push "$host/team/app@$digest"
thimble tag "$host/team/app:1" "$host/team/all:a" && thimble tag base "$host/team/all:b"
ok "--all-tags" thimble push --all-tags "$host/team/all"
is "$(thimble tags "$host/team/all" | sort | tr '\n' ' ')" 'a b ' "pushes all of them"
fails 1 "--all-tags of nothing" thimble push -a "$host/team/none"

# --- an image that stands on this machine
printf 'FROM m\nRUN true\n' >Rootfs
thimble build -q --build-context m=rootfs:/ -t "$host/team/rootfs" -f Rootfs . >/dev/null 2>&1
fails 1 "an image on rootfs:/ is not pushed" thimble push "$host/team/rootfs"
like "$err" '--allow rootfs.export' "unless one says so"
ok "--allow" thimble push -q --allow rootfs.export "$host/team/rootfs"

# --- pull
THIMBLE_ROOT=$(store two)
ok "pull into a new store" thimble pull "$host/team/app:1"
like "$out" "^Digest: $digest$" "tells the digest"
like "$out" "^Status: Downloaded newer image for $host/team/app:1$" "and that it is new"
is "$(printf '%s\n' "$out" | tail -n 1)" "$host/team/app:1" "and the name"
is "$(grep -c ': Pull complete$' "$T/err")" 3 "three layers came"
is "$(thimble run "$host/team/app:1")" 'Hello, world!' "it runs"
is "$(thimble run "$host/team/app:1" sha256sum /noise | cut -d' ' -f1)" "$(sha256sum <noise | cut -d' ' -f1)" "with the right bytes"
is "$(thimble inspect -f '{{join .RepoDigests " "}}' "$host/team/app:1")" "$host/team/app@$digest" "inspect tells where it came from"
ok "again" thimble pull "$host/team/app:1"
like "$out" 'Status: Image is up to date' "it is up to date"
unlike "$err" 'Pull complete' "and nothing came"
ok "push of what was pulled" thimble push "$host/team/app:1" "$host/again/app"
like "$out" "$digest" "has the same digest"
ok "zstd layers that the store has in gzip" thimble pull "$host/team/app:zstd"
unlike "$err" 'Pull complete' "are known by their diff ids"
is "$(thimble inspect -f '{{.Id}}' "$host/team/app:zstd")" "$(thimble inspect -f '{{.Id}}' "$host/team/app:1")" "it is the same image"
for kind in zstd none docker; do
	THIMBLE_ROOT=$(store "$kind")
	ok "$kind into a new store" thimble pull -q "$host/team/app:$kind"
	is "$out" "$host/team/app:$kind" "-q prints the name"
	is "$(thimble run "$host/team/app:$kind")" 'Hello, world!' "it runs"
	plain=
	[ $kind = none ] && plain='--compression none' # else they are compressed on their way out
	# shellcheck disable=SC2086  # a flag and its value
	ok "pushed again" thimble push --digestfile digest -q $plain "$host/team/app:$kind" "$host/again/$kind"
	is "$(cat digest)" "sha256:$(manifest "team/app/manifests/$kind" | sha256sum | cut -d' ' -f1)" "it has its digest"
done
THIMBLE_ROOT=$(store digest)
ok "by digest" thimble pull "docker://$host/team/app@$digest"
is "$(thimble images --format '{{.Repository}} {{.Tag}}')" "$host/team/app <none>" "it has no tag"
is "$(thimble run "$host/team/app@$digest")" 'Hello, world!' "runs by digest"
fails 1 "a digest that is not there" thimble pull "$host/team/app@$(printf %s "$digest" | tr 0-8 1-9)"
fails 1 "a tag that is not there" thimble pull "$host/team/app:11"
like "$err" 'tags that are there: 1, ' "names those that are, nearest first"
fails 1 "a repository that is not there" thimble pull "$host/team/none"
like "$err" 'answered 404' "is told"
like "$err" "'thimble search $host/'" "and what to do"
fails 1 "its tags" thimble tags "$host/team/none"
like "$err" "'thimble search $host/'" "what to do about them"
fails 1 "an upper-case name" thimble pull "$host/Team/App"
like "$err" "has upper-case letters" "is told"
ok "--all-tags" thimble pull -a "$host/team/all"
is "$(thimble images --format '{{.Tag}}' "$host/team/all" | sort | tr '\n' ' ')" 'a b ' "brings every tag"
fails 2 "--all-tags of a tag" thimble pull -a "$host/team/all:a"
ok "--json" thimble pull --json "$host/team/app:1"
is "$(python3 -c 'import json, sys; r = json.load(open(sys.argv[1]))[0]; print(r["Name"], r["Digest"], r["New"])' "$T/out")" \
	"$host/team/app:1 $digest True" "tells the same as values"

# --- platforms
THIMBLE_ROOT=$(store platforms)
python3 - "$host" <<'PY'
import hashlib, io, json, sys, tarfile, urllib.request
host = sys.argv[1]
def put(path, data, kind):
    urllib.request.urlopen(urllib.request.Request(f'http://{host}/v2/team/many/{path}', data, {'Content-Type': kind}, method='PUT'))
def blob(data):
    d = 'sha256:' + hashlib.sha256(data).hexdigest()
    r = urllib.request.urlopen(urllib.request.Request(f'http://{host}/v2/team/many/blobs/uploads/', b'', method='POST'))
    u = r.headers['Location']
    u = u if u.startswith('http') else f'http://{host}{u}'
    urllib.request.urlopen(urllib.request.Request(u + ('&' if '?' in u else '?') + f'digest={d}', data,
        {'Content-Type': 'application/octet-stream'}, method='PUT'))
    return {'digest': d, 'size': len(data)}
entries = []
for arch in 'amd64', 'arm64', 's390x':
    b = io.BytesIO()
    with tarfile.open(fileobj=b, mode='w') as t:
        i = tarfile.TarInfo('arch'); i.size = len(arch)
        t.addfile(i, io.BytesIO(arch.encode()))
    layer = b.getvalue()
    config = json.dumps({'architecture': arch, 'os': 'linux', 'config': {}, 'rootfs': {'type': 'layers',
        'diff_ids': ['sha256:' + hashlib.sha256(layer).hexdigest()]}}).encode()
    m = json.dumps({'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.manifest.v1+json',
        'config': dict(blob(config), mediaType='application/vnd.oci.image.config.v1+json'),
        'layers': [dict(blob(layer), mediaType='application/vnd.oci.image.layer.v1.tar')]}).encode()
    d = 'sha256:' + hashlib.sha256(m).hexdigest()
    put(f'manifests/{d}', m, 'application/vnd.oci.image.manifest.v1+json')
    entries.append({'mediaType': 'application/vnd.oci.image.manifest.v1+json', 'digest': d, 'size': len(m),
        'platform': {'os': 'linux', 'architecture': arch}})
put('manifests/1', json.dumps({'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.index.v1+json',
    'manifests': entries}).encode(), 'application/vnd.oci.image.index.v1+json')
put('manifests/s390x', m, 'application/vnd.oci.image.manifest.v1+json')
PY
index=$(curl -s -o /dev/null -w '%header{docker-content-digest}' -H 'Accept: application/vnd.oci.image.index.v1+json' \
	"http://$host/v2/team/many/manifests/1")
here=$(thimble version --format '{{.Arch}}' 2>/dev/null || uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
ok "of an index" thimble pull "$host/team/many:1"
like "$out" "^Digest: $index$" "the index's digest is told"
is "$(thimble cp "$host/team/many:1:/arch" - | tar -xO 2>/dev/null)" "$here" "this machine's image comes"
ok "--platform" thimble pull -q --platform linux/s390x "$host/team/many:1"
is "$(thimble inspect -f '{{.Architecture}}' "$host/team/many:1")" s390x "brings that one"
fails 1 "a platform that it has not" thimble pull --platform linux/riscv64 "$host/team/many:1"
like "$err" 'it has: linux/amd64, linux/arm64, linux/s390x' "names those that it has"
# Many configs for arm/v6 do not tell the variant: what the index says of them counts.
python3 - <<P
import hashlib, json, urllib.request
OCI = 'application/vnd.oci.image.'
def put(method, path, data, kind):
    url = path if path.startswith('http') else 'http://$host' + path
    return urllib.request.urlopen(urllib.request.Request(url, data, {'Content-Type': kind}, method=method))
def desc(kind, data, **more):
    return {'mediaType': OCI + kind + '+json', 'size': len(data),
            'digest': 'sha256:' + hashlib.sha256(data).hexdigest(), **more}
def dump(d): return json.dumps(d).encode()
config = dump({'os': 'linux', 'architecture': 'arm', 'config': {}, 'rootfs': {'type': 'layers', 'diff_ids': []}})
at = put('POST', '/v2/team/variant/blobs/uploads/', b'', 'x/y').headers['Location']
put('PUT', at + '&digest=' + desc('', config)['digest'], config, 'application/octet-stream')
one = dump({'schemaVersion': 2, 'mediaType': OCI + 'manifest.v1+json', 'config': desc('config.v1', config), 'layers': []})
put('PUT', '/v2/team/variant/manifests/one', one, OCI + 'manifest.v1+json')
several = dump({'schemaVersion': 2, 'mediaType': OCI + 'index.v1+json', 'manifests': [
    desc('manifest.v1', one, platform={'os': 'linux', 'architecture': 'arm', 'variant': 'v6'})]})
put('PUT', '/v2/team/variant/manifests/1', several, OCI + 'index.v1+json')
nested = dump({'schemaVersion': 2, 'mediaType': OCI + 'index.v1+json', 'manifests': [desc('index.v1', several)]})
put('PUT', '/v2/team/variant/manifests/nested', nested, OCI + 'index.v1+json')
P
ok "a variant that the config does not tell" thimble pull --platform linux/arm/v6 "$host/team/variant:1"
like "$err" 'image is for linux/arm.*not for linux/arm/v6' "is warned of"
ok "copy of it" thimble copy --platform linux/arm/v6 "docker://$host/team/variant:1" variant:1
ok "an index in an index" thimble pull --platform linux/arm/v6 "$host/team/variant:nested"
fails 1 "--platform of one image alone" thimble pull --platform linux/arm64 "$host/team/many:s390x"
like "$err" 'the image is for linux/s390x, not for linux/arm64' "is refused"
ok "without it" thimble pull "$host/team/many:s390x"
like "$err" 'warning: the image is for linux/s390x' "there is a warning"

# --- bases that come by themselves
THIMBLE_ROOT=$(store build)
printf 'FROM %s/team/all:b AS one\nRUN echo one >/one\nFROM %s/team/app:1\nCOPY --from=one /one /one\nCOPY --from=%s/team/many:1 /arch /arch\n' \
	"$host" "$host" "$host" >Bases
ok "FROM and COPY --from pull" thimble build -q -t "$host/team/built" -f Bases .
is "$(thimble run "$host/team/built" cat /one /arch)" "one
$here" "the image has what they brought"
ok "an unchanged build" thimble build -t "$host/team/built" -f Bases .
unlike "$err" 'Pulling from' "asks nobody"
ok "--pull" thimble build --pull -t "$host/team/built" -f Bases .
is "$(grep -c 'Pulling from' "$T/err")" 3 "asks for each, once"
like "$err" '3 steps?, 3 cached|2 cached|1 cached' "and what did not change is not done again"
ok "--push" thimble build --push -t "$host/team/built:a" -t "$host/team/built:b" -f Bases .
is "$(thimble tags "$host/team/built" | sort | tr '\n' ' ')" 'a b ' "sends every tag"
fails 2 "--push without a name" thimble build --push -f Bases .
thimble rmi "$host/team/many:1" >/dev/null 2>&1
fails 1 "--pull=never" thimble build --pull=never -q -f Bases .
like "$err" "$host/team/many" "what is not there fails the build"
printf 'FROM %s/team/nothing\n' "$host" >Nothing
fails 1 "a base that is nowhere" thimble build -q -f Nothing .
like "$err" 'answered 404' "says what the registry said"
like "$err" '--build-context .*=rootfs:/' "and what else could be done"

# --- run
THIMBLE_ROOT=$(store run)
fails 125 "run --pull never" thimble run --pull never "$host/team/app:1"
is "$(thimble run "$host/team/app:1" 2>"$T/err")" 'Hello, world!' "run pulls what is missing"
like "$(cat "$T/err")" "Unable to find image '$host/team/app:1' locally" "and says so"
ok "run again" thimble run "$host/team/app:1"
is "$err" '' "says nothing"
ok "run --pull always" thimble run --pull always "$host/team/app:1"
like "$err" 'Pulling from' "asks the registry"
ok "run --platform" thimble run --platform "linux/$here" --pull always "$host/team/app:1"
fails 125 "run --platform of another" thimble run --pull always --platform linux/s390x "$host/team/app:1"
fails 125 "run --pull of something else" thimble run --pull often "$host/team/app:1"
done_testing
