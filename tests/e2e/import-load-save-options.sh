#!/bin/sh
# shellcheck disable=SC2016
# Flags of import, load and save, and what a wrong word is told.
. "$(dirname "$0")/../lib/tap.sh"
json() { python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$T/out" "$1"; }
tar=$(rootfs_tar)
ok "import --json" thimble import --json -m 'from the factory' "$tar" base:1
is "$(json 'd["Name"]')" base:1 "the name"
is "$(json 'd["ID"]')" "$(thimble images -q --no-trunc base:1)" "the id"
is "$(thimble inspect -f '{{.Comment}}' base:1)" 'from the factory' "-m is its comment"
is "$(thimble history --format '{{.Comment}}' base:1)" 'from the factory' "of its history"
ok "import --platform" thimble import --platform linux/arm64/v8 "$tar" arm
is "$(thimble inspect -f '{{.Os}}/{{.Architecture}}' arm)" linux/arm64 "is what the image says"
ok "SOURCE_DATE_EPOCH" env SOURCE_DATE_EPOCH=1000000000 "$THIMBLE" import "$tar" old
is "$(thimble inspect -f '{{.Created}}' old)" '2001-09-09T01:46:40Z' "is when it was made"
fails 1 "an epoch that is none" env SOURCE_DATE_EPOCH=soon "$THIMBLE" import "$tar" old
like "$err" "SOURCE_DATE_EPOCH is not a number of seconds: 'soon'" "is told"
fails 1 "a directory" thimble import / root
like "$err" "'/' is a directory, not a tar" "is told"
like "$err" "tar -C '/' -c \. \| thimble import - NAME" "and what to do"
fails 1 "a URL" thimble import https://example.org/x.tar x
like "$err" 'is a URL; they are not fetched yet' "is told"
like "$err" 'curl -L URL \| thimble import - NAME' "and what to do"
fails 1 "a bad name" thimble import "$tar" 'Bad Name'
like "$err" "cannot name an image 'Bad Name'" "is told"
fails 1 "a digest as a name" thimble import "$tar" "x@sha256:$(printf '%064d' 0)"
like "$err" 'a digest cannot be chosen' "is told"
fails 1 "scratch as a name" thimble import "$tar" scratch
like "$err" "no image can be named 'scratch'" "is told"
fails 1 "a file that is not there" thimble import nosuch.tar
like "$err" "open 'nosuch.tar'" "is named"
fails 1 "an instruction that is no change" thimble import -c 'RUN x' "$tar" x
like "$err" "--change RUN x" "is named"
fails 1 "two instructions in one change" thimble import -c 'ENV A=1
ENV B=2' "$tar" x
like "$err" 'holds more than one instruction' "are told apart"
fails 1 "no instruction in a change" thimble import -c '# nothing' "$tar" x
like "$err" 'holds no instruction' "is told"
fails 1 "a platform that is none" thimble import --platform x/y/z/w "$tar" x
like "$err" 'is not a platform' "is told"
fails 1 "a terminal as the tar" script -qec "'$THIMBLE' import - x" /dev/null
like "$out" 'a terminal gives no tar' "is told"

# save
s() { thimble save -o out.tar "$@" base:1; rm -f layer; tar -xOf out.tar "$(python3 -c '
import json, tarfile
t = tarfile.open("out.tar")
def blob(d): return "blobs/" + d["digest"].replace(":", "/")
m = json.load(t.extractfile(blob(json.load(t.extractfile("index.json"))["manifests"][0])))
print(blob(m["layers"][0]))')" >layer; head -c 4 layer | od -An -tx1 | tr -d ' \n'; }
like "$(s)" '^1f8b' "save: layers are gzip"
is "$(s --compression zstd)" 28b52ffd "--compression zstd"
s --compression none >/dev/null
is "sha256:$(sha256sum <layer | cut -d ' ' -f 1)" "$(thimble inspect -f '{{index .RootFS.Layers 0}}' base:1)" "--compression none: the tar itself"
fails 2 "another compression" thimble save --compression xz -o x.tar base:1
like "$err" "does not know 'xz'" "is told"
fails 2 "--allow with what it does not know" thimble save --allow all -o x.tar base:1
like "$err" "--allow does not know 'all' \(only rootfs.export\)" "is told"
fails 2 "--format oci-dir without -o" thimble save --format oci-dir base:1
like "$err" 'oci-dir needs -o DIR' "is told"
fails 1 "-o of a directory" thimble save -o . base:1
like "$err" "'\.' is a directory" "is told"
like "$err" 'or write a layout with --format oci-dir' "and what to do"
fails 1 "-o below what is not there" thimble save -o none/x.tar base:1
like "$err" "open the directory 'none'" "is told"
fails 2 "an archive for a terminal" script -qec "'$THIMBLE' save base:1" /dev/null
like "$out" 'an archive would go to the terminal; use -o FILE' "is told"
fails 1 "an image that is not there" thimble save -o x.tar nosuch
like "$err" 'cannot save' "is told"
ok "and no file was made" test ! -e x.tar
thimble save base:1 >to-stdout.tar
thimble save -o - base:1 >dash.tar
ok "save writes to standard output, -o - too" cmp to-stdout.tar dash.tar
mkfifo pipe
timeout 60 cat pipe >from-pipe.tar &
ok "-o of a pipe" timeout 60 "$THIMBLE" save -o pipe base:1
wait
ok "is written in place" cmp from-pipe.tar dash.tar
ln -s linked-to.tar link.tar && : >linked-to.tar
ok "-o of a link" thimble save -o link.tar base:1
ok "is written through it" cmp linked-to.tar dash.tar
ok "it is still a link" test -L link.tar

# What stands on this machine's files leaves it only when that is allowed.
printf 'FROM this\nRUN true >/made\n' >Dockerfile
ok "an image on rootfs:/" thimble build -q -t host --build-context this=rootfs:/ .
fails 1 "save" thimble save -o host.tar host
like "$err" 'rootfs.export' "is refused, with the way to allow it"
ok "--allow rootfs.export" thimble save --allow rootfs.export -o host.tar host

# load
ok "load --json" thimble load --json -i to-stdout.tar
is "$(json '[(i["Names"], i["ID"]) for i in d]')" "[(['base:1'], '$(thimble images -q --no-trunc base:1)')]" "names and ids"
is "$(thimble load -q -i to-stdout.tar)" '' "-q says nothing"
is "$(thimble load <to-stdout.tar)" 'Loaded image: base:1' "standard input"
thimble save --format oci-dir -o both base:1 arm 2>/dev/null
python3 - <<'P'
import hashlib, json
index = json.load(open('both/index.json'))
for m, arch in zip(index['manifests'], ('amd64', 'arm64')):
    m['platform'] = {'os': 'linux', 'architecture': arch}
    m.pop('annotations', None)
data = json.dumps({'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.index.v1+json',
                   'manifests': index['manifests']}).encode()
digest = hashlib.sha256(data).hexdigest()
open('both/blobs/sha256/' + digest, 'wb').write(data)
json.dump({'schemaVersion': 2, 'manifests': [{'mediaType': 'application/vnd.oci.image.index.v1+json',
    'digest': 'sha256:' + digest, 'size': len(data),
    'annotations': {'org.opencontainers.image.ref.name': 'multi:1'}}]}, open('both/index.json', 'w'))
P
ok "load --platform" thimble load --platform linux/arm64 -i both
is "$(thimble inspect -f '{{.Architecture}}' multi:1)" arm64 "takes that one of several"
ok "load without it" thimble load -i both
isnt "$(thimble inspect -f '{{.Architecture}}' multi:1)" arm64 "takes this machine's"
fails 1 "a platform that the image has not" thimble load --platform linux/riscv64 -i both
fails 1 "a platform that is none" thimble load --platform nonsense -i both
like "$err" 'nonsense' "is named"
fails 2 "a terminal as the archive" script -qec "'$THIMBLE' load" /dev/null
like "$out" 'a terminal gives no archive' "is told"
fails 1 "an archive that is not there" thimble load -i nosuch.tar
like "$err" 'nosuch.tar' "is named"

# tag, cp
fails 1 "tag with a digest" thimble tag base:1 "x@sha256:$(printf '%064d' 0)"
like "$err" 'write NAME or NAME:TAG' "is told"
fails 1 "tag of what is not there" thimble tag nosuch x
like "$err" "cannot tag 'nosuch'" "is told"
done_testing
