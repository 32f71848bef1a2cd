#!/bin/sh
# shellcheck disable=SC2016
# images: which rows, in which order, and refusals; rmi by id, its refusals, --json.
. "$(dirname "$0")/../lib/tap.sh"
base_image
names() { thimble images --format '{{.Repository}}:{{.Tag}}' "$@" | sort | tr '\n' ' '; }
printf 'FROM base\nLABEL kind=first\nRUN echo 1 >/x\n' >Dockerfile
thimble build -q -t it:1 . >/dev/null
thimble tag it:1 it:same
id=$(thimble images -q it:1)
printf 'FROM base\nLABEL kind=second\nRUN echo 2 >/x\n' >Dockerfile
thimble build -q -t it:1 . >/dev/null
thimble build -q -t it:same . >/dev/null
printf 'FROM nosuchbase\n' >Failing
thimble build -q -t broken -f Failing . >/dev/null 2>&1
is "$(names)" 'base:latest it:1 it:same ' "without flags: what has a name and was built"
is "$(names -a)" '<none>:<none> base:latest broken:latest it:1 it:same ' "-a: also the unnamed, and what failed"
ok "-a as JSON" thimble images -a --json
like "$out" 'nosuchbase' "tells why it failed"
is "$(names -f dangling=true)" '<none>:<none> ' "--filter dangling=true"
is "$(thimble images -q -f dangling=1)" "$id" "is the image that lost its name"
is "$(names --filter dangling=false)" 'base:latest it:1 it:same ' "--filter dangling=false"
is "$(names -f label=kind)" 'it:1 it:same ' "--filter label=KEY"
is "$(names -f label=kind=second -f reference='*:1')" 'it:1 ' "two filters: both must be true"
is "$(names -a -f label=kind=first)" '<none>:<none> ' "--filter label=KEY=VALUE"
is "$(names -f reference='b*')" 'base:latest ' "--filter reference=PATTERN"
is "$(thimble images --sort name --format '{{.Repository}}:{{.Tag}}' | tr '\n' ' ')" 'base:latest it:1 it:same ' "--sort name"
is "$(thimble images -a --sort name --format '{{.Repository}}:{{.Tag}}' | tail -n 1)" '<none>:<none>' "the unnamed last"
ok "--digests" thimble images --digests it:1
like "$out" '^REPOSITORY +TAG +DIGEST +IMAGE ID' "has a column more"
like "$out" "$(thimble inspect -f '{{.Descriptor.digest}}' it:1)" "with the manifest's digest"
fails 2 "a filter without a value" thimble images -f dangling
like "$err" "--filter wants KEY=VALUE, not 'dangling'" "is told"
fails 2 "dangling that is neither" thimble images -f dangling=perhaps
like "$err" "--filter dangling is true or false, not 'perhaps'" "is told"
fails 2 "a filter that is none" thimble images -f since=it
like "$err" '--filter since is not supported' "is told"
like "$err" 'filters: dangling=, reference=, label=' "with those there are"
fails 2 "a malformed pattern" thimble images -f 'reference=[a'
like "$err" "'\[a' is no valid pattern" "is told"

# rmi: by the beginning of an id, and when there is more than one way to read it
fails 1 "rmi of an image with two names, by id" thimble rmi "$(thimble images -q it:1)"
like "$err" 'the image has 2 names' "is refused"
like "$err" 'or remove all with -f' "with the way out"
ok "rmi --json" thimble rmi --json -f "$(thimble images -q it:1)" base
cp "$T/out" json
is "$(python3 -c '
import json
for o in json.load(open("json")): print(*o.keys(), *[v[:7] if v.startswith("sha256") else v for v in o.values()])')" \
"Untagged it:1
Untagged it:same
Deleted sha256:
Untagged base:latest
Deleted sha256:" "says what was done, as JSON"
fails 1 "rmi of what is not there" thimble rmi nosuch
ok "-f: that is fine" thimble rmi -f nosuch
ok "rmi of a failed build's name" thimble rmi broken
is "$(names -a)" '<none>:<none> ' "only the unnamed is left"
fails 1 "an id that is too short" thimble rmi "$(thimble images -aq | cut -c 1-3)"
ok "four digits are enough" thimble rmi "$(thimble images -aq | cut -c 1-4)"
is "$(names -a)" '' "nothing is left"
done_testing
