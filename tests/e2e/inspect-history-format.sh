#!/bin/sh
# inspect, history and the Go-style templates.
. "$(dirname "$0")/../lib/tap.sh"
base_image
dockerfile <<'D'
FROM base
ENV A=1 B=2
LABEL x.y=z
RUN echo x >/x
CMD ["sh"]
D
thimble build -q -t it . >/dev/null
f() { thimble inspect --format "$1" it; }
ok "inspect" thimble inspect it
cp "$T/out" json
ok "is JSON as docker gives it: a list" python3 -c '
import json
d, = json.load(open("json"))
assert d["Config"]["Cmd"] == ["sh"], d
assert d["RepoTags"] == ["it:latest"], d
assert len(d["RootFS"]["Layers"]) >= 2 and d["Os"] == "linux" and d["Architecture"], d'
is "$(f '{{.Os}}')" linux "a field"
is "$(f '{{range .Config.Env}}{{.}};{{end}}')" 'PATH=/bin;A=1;B=2;' "range"
is "$(f '{{index .Config.Labels "x.y"}}')" z "index"
is "$(f '{{if .Config.Labels}}yes{{else}}no{{end}}')" yes "if"
is "$(f '{{len .Config.Env}}')" 3 "len"
is "$(f '{{json .Config.Cmd}}')" '["sh"]' "json"
is "$(f '{{join .Config.Env ","}}')" 'PATH=/bin,A=1,B=2' "join"
is "$(f '{{upper .Os}} {{title "x"}}')" 'LINUX X' "upper, title"
is "$(f '{{range $i, $e := .Config.Env}}{{$i}}={{$e}} {{end}}')" '0=PATH=/bin 1=A=1 2=B=2 ' "variables"
fails 1 "a bad template" thimble inspect --format '{{.Config' it
fails 1 "a field that is not there" thimble inspect --format '{{.Nosuch}}' it
like "$err" 'Nosuch' "is named"
fails 1 "an image that is not there" thimble inspect nosuch
like "$err" 'nosuch' "is named"
ok "history" thimble history it
like "$out" '^IMAGE +CREATED +CREATED BY +SIZE +COMMENT' "its columns"
like "$out" 'RUN .*echo x' "a step"
ok "history --no-trunc" thimble history --no-trunc it
ok "image history" thimble image history it
done_testing
