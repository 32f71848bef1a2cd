#!/bin/sh
# shellcheck disable=SC2016
# --json and --format of the commands that print a result.
. "$(dirname "$0")/../lib/tap.sh"
json() { python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$T/out" "$1"; }
# Before there is a store.
ok "info --json without a store" thimble info --json
is "$(json '(d["Store"], d["Images"])')" "(None, 0)" "says that there is none"
ok "info" thimble info
like "$out" '^Store: +none yet' "says so too"
ok "df without a store" thimble df --json
is "$(json '[r["Size"] for r in d]')" '[0, 0, 0, 0]' "nothing is used"
base_image
printf 'FROM base\nENV A=1\nRUN head -c 5000 /dev/zero >/x\n' >Dockerfile
thimble build -q -t it . >/dev/null

ok "info --json" thimble info --json
is "$(json '(d["Store"], d["Images"], d["Rootless"], type(d["Sandbox"]).__name__)')" \
	"('$THIMBLE_ROOT', 2, $([ "$(id -u)" = 0 ] && echo False || echo True), 'list')" "all of it"
is "$(thimble info -f '{{.Store}} {{.Images}}')" "$THIMBLE_ROOT 2" "info -f"
is "$(thimble info --format json | python3 -c 'import json, sys; print(json.load(sys.stdin)["Images"])')" 2 "info --format json"
fails 1 "info with a field that is not there" thimble info -f '{{.Nosuch}}'

ok "version --json" thimble version --json
version=$(json 'd["Client"]["Version"]')
is "$(thimble version -f '{{.Client.Version}}')" "$version" "version -f"
is "$(thimble version --format json | python3 -c 'import json, sys; print(json.load(sys.stdin)["Client"]["Os"])')" linux "version --format json"
is "$(thimble --version)" "thimble $version" "--version"
is "$(thimble -v)" "thimble $version" "-v"
fails 1 "a template that does not end" thimble version -f '{{.Client'

ok "df --json" thimble df --json
is "$(json '[(r["Type"], r["TotalCount"]) for r in d]')" \
	"[('Images', 2), ('Build Cache', $(json 'd[1]["TotalCount"]')), ('Cache Mounts', None), ('Local Volumes', 0)]" "its rows"
is "$(json 'd[0]["Size"] > 5000')" True "sizes are numbers"
is "$(thimble df --format '{{.Type}}={{.TotalCount}}' | head -n 1)" 'Images=2' "df --format"
like "$(thimble df --format 'table {{.Type}}\t{{.Reclaimable}}' | head -n 1)" '^TYPE +RECLAIMABLE$' "as a table"

is "$(thimble inspect --json it base | python3 -c 'import json, sys; print([i["RepoTags"] for i in json.load(sys.stdin)])')" \
	"[['it:latest'], ['base:latest']]" "inspect --json"
is "$(thimble inspect --json -f '{{.Os}}' it | head -c 1)" '[' "is stronger than -f"
ok "inspect --type image" thimble inspect --type image it
fails 2 "another type" thimble inspect --type volume it
like "$err" "flag --type does not know 'volume'" "is told"
like "$err" 'one of image' "with what there is"
is "$(thimble inspect -f json it | python3 -c 'import json, sys; print(json.load(sys.stdin)["Os"])')" linux "inspect -f json"

ok "history --json" thimble history --json it
is "$(json '(d[0]["Size"], d[0]["EmptyLayer"], d[1]["EmptyLayer"], d[1]["Size"], d[2]["ID"])')" \
	"(5000, False, True, 0, None)" "sizes are numbers"
is "$(json 'd[0]["ID"]')" "$(thimble images -q --no-trunc it)" "the first row has the id"
is "$(thimble history -q it | head -n 1)" "$(thimble images -q it)" "history -q"
is "$(thimble history -q it | sed 1d | sort -u)" '<missing>' "as docker has it"
is "$(thimble history --format '{{.Size}}' it | head -n 1)" 5kB "history for people"
is "$(thimble history --human=false --format '{{.Size}}' it | head -n 1)" 5000 "--human=false: bytes"
like "$(thimble history -H=false --format '{{.CreatedSince}}' it | head -n 1)" '^[0-9]{4}-[0-9-]+T' "and times"

# The same from a Dockerfile's own label with a long text: --no-trunc
printf 'FROM base\nRUN echo %s >/dev/null\n' "$(printf 'long%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14)" >Dockerfile
thimble build -q -t long . >/dev/null
is "$(thimble history --format '{{.CreatedBy}}' long | head -n 1 | wc -m)" 46 "45 characters and the line's end"
like "$(thimble history --no-trunc --format '{{.CreatedBy}}' long | head -n 1)" '(long){14}' "--no-trunc: all"
done_testing
