#!/bin/sh
# search of Docker Hub, which cannot be reached here: a proxy of the tests answers as it does.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/registry/registry.sh"
field() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$@"; }
tls
tls_signed hub 30 'subjectAltName = DNS:index.docker.io'
python_server hub hub --cert "$tls/hub.pem" --key "$tls/hub.key"
export https_proxy="http://$host"
ok "search" thimble search --cacert "$ca" gcc
golden "$T/out" search-hub.txt "docker's table"
ok "--no-trunc" thimble search --cacert "$ca" --no-trunc gcc
like "$out" 'supports several languages\. +791 +\[OK\]' "whole descriptions"
ok "--json" thimble search --cacert "$ca" --json gcc
is "$(field "$T/out" '[(r["Name"], r["StarCount"], r["IsOfficial"], r["IsAutomated"]) for r in d]')" \
	"[('gcc', 791, True, False), ('team/gcc-arm', 7, False, True), ('team/none', 0, False, False)]" "as it came"
is "$(thimble search --cacert "$ca" --filter is-official=true --format '{{.Name}} {{.IsOfficial}}' gcc)" 'gcc [OK]' "--filter is-official=true"
is "$(thimble search --cacert "$ca" --filter is-official=false --filter stars=5 --format '{{.Name}}' gcc)" team/gcc-arm "--filter stars=5"
is "$(thimble search --cacert "$ca" --limit 1 --format json 'a b&c')" \
	'{"Name":"gcc","Description":"The GNU Compiler Collection is a compiling system that supports several languages.","StarCount":"791","IsOfficial":"true","IsAutomated":"false"}' \
	"--format json, --limit"
is "$(tail -n 1 "$log")" 'GET /v1/search?q=a%20b%26c&n=1' "the term is escaped"
fails 1 "a result without a name" thimble search --cacert "$ca" nameless
like "$err" 'a result of the search has no name' "says so"
fails 1 "without the authority" thimble search gcc
like "$err" 'certificate' "says so"
done_testing
