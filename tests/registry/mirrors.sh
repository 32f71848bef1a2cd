#!/bin/sh
# registries.conf: mirrors that are asked first, with fall-back; other locations; blocked registries.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/registry/registry.sh"
registry plain
faults far "$host"
far=$host
registry near
faults near_ "$host"
near=$host
image data 200000
contents data >want
ok "push to the registry" thimble push data "$far/team/data:1"
ok "push to the mirror" thimble push data "$near/mirror/team/data:1"
digest=$(thimble inspect --format '{{index .RepoDigests 0}}' data | sed 's/.*@//')
number=0
pull() { # CONF NAME
	number=$((number + 1))
	CONTAINERS_REGISTRIES_CONF="$PWD/$1" thimble --root "$T/p/$number" pull "$2"
}
right() { # NAME DESCRIPTION
	is "$(THIMBLE_ROOT=$T/p/$number contents "$1")" "$(cat want)" "$2: the right bytes"
}
cat >mirror.conf <<C
[[registry]]
prefix = "example.test"
location = "$far"
insecure = true
[[registry.mirror]]
location = "$near/mirror"
insecure = true
C
rules near_ ''
rules far ''
ok "by the mirror" pull mirror.conf example.test/team/data:1
number=1 right example.test/team/data:1 "mirror"
is "$(count far /blobs/)" 0 "the registry is not asked"
isnt "$(count near_ /blobs/)" 0 "the mirror is"
for fault in 'status code=404' 'status code=500' 'status code=403' 'cut-head' 'garbage' 'status code=200 body=html'; do
	rules near_ "* . * $fault"
	rules far ''
	ok "the mirror: $fault" pull mirror.conf example.test/team/data:1
	right example.test/team/data:1 "$fault"
	isnt "$(count far /blobs/)" 0 "the registry itself is asked then"
done
rules near_ 'GET /blobs/ 2- status code=404'
ok "the mirror has not all blobs" pull mirror.conf example.test/team/data:1
right example.test/team/data:1 "not all blobs"
rules near_ 'GET /blobs/ * cut after=1000'
ok "the mirror breaks again and again" pull mirror.conf example.test/team/data:1
right example.test/team/data:1 "breaks"
server_stop near_
ok "the mirror is down" pull mirror.conf example.test/team/data:1
right example.test/team/data:1 "down"
rules far 'GET /manifests/ * status code=404'
fails 1 "nobody has it" pull mirror.conf example.test/team/data:1
like "$err" 'example.test|404|no such' "says so"
rules far ''

cat >location.conf <<C
[[registry]]
prefix = "*.example.test"
location = "$far/team"
insecure = true
[[registry]]
prefix = "closed.test"
location = "$far"
blocked = true
C
ok "another location" pull location.conf a.example.test/data:1
fails 1 "a blocked registry" pull location.conf closed.test/team/data:1
like "$err" 'blocked' "says so"
like "$err" 'location.conf' "and which file says so"
ok "by digest" pull mirror.conf "example.test/team/data@$digest"
fails 1 "docker.io is blocked by the tests" thimble pull busybox
like "$err" 'blocked' "so that no test goes there"
echo '[[registry' >broken.conf
fails 1 "a broken file" pull broken.conf example.test/team/data:1
like "$err" 'broken.conf:1' "with its place"
done_testing
