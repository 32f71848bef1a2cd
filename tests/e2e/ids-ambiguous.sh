#!/bin/sh
# Two images whose ids begin with the same four digits, and what commands say to these digits.
. "$(dirname "$0")/../lib/tap.sh"
python3 - <<'P'
import hashlib, json, os
os.makedirs('layout/blobs/sha256')
def put(data):
    digest = hashlib.sha256(data).hexdigest()
    open(f'layout/blobs/sha256/{digest}', 'wb').write(data)
    return 'sha256:' + digest, len(data)
def descriptor(kind, data):
    digest, size = put(data)
    return {'mediaType': f'application/vnd.oci.image.{kind}', 'digest': digest, 'size': size}
layer = descriptor('layer.v1.tar', bytes(1024))
seen = {}
for n in range(100000):
    config = json.dumps({'os': 'linux', 'architecture': 'amd64', 'config': {'Labels': {'n': str(n)}},
                         'rootfs': {'type': 'layers', 'diff_ids': [layer['digest']]}}).encode()
    start = hashlib.sha256(config).hexdigest()[:4]
    if start in seen:
        break
    seen[start] = config
manifests = []
for name, c in ('one', seen[start]), ('two', config):
    manifest = {'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.manifest.v1+json',
                'config': descriptor('config.v1+json', c), 'layers': [layer]}
    d = descriptor('manifest.v1+json', json.dumps(manifest).encode())
    d['annotations'] = {'org.opencontainers.image.ref.name': f'same:{name}'}
    manifests.append(d)
json.dump({'schemaVersion': 2, 'manifests': manifests}, open('layout/index.json', 'w'))
json.dump({'imageLayoutVersion': '1.0.0'}, open('layout/oci-layout', 'w'))
open('start', 'w').write(start)
P
start=$(cat start)
ok "two such images" thimble load -i layout
is "$(thimble images -q same | cut -c 1-4 | sort -u)" "$start" "begin alike"
fails 1 "inspect" thimble inspect "$start"
like "$err" "'$start' begins the ids of several images" "is told"
like "$err" 'write more digits' "and what to do"
fails 1 "rmi" thimble rmi "$start"
like "$err" "'$start' begins the ids of several images" "is told"
like "$err" "'thimble images --no-trunc' shows them" "and what to do"
is "$(thimble images -q same | wc -l)" 2 "nothing was removed"
ok "all twelve digits" thimble rmi "$(thimble images -q same:one)"
ok "now the four are enough" thimble inspect "$start"
# A layout with two images as a build context: which one?
printf 'FROM other\n' >Dockerfile
fails 1 "a layout of two images as a base" thimble build -q --build-context "other=oci-layout://$PWD/layout" .
like "$err" 'holds 2 images' "is told"
like "$err" 'say which: oci-layout://' "and how to say which"
ok "with its name" thimble build -q --build-context "other=oci-layout://$PWD/layout:same:two" .
done_testing
