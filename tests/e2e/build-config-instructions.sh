#!/bin/sh
# The instructions that only change the config, seen through inspect.
. "$(dirname "$0")/../lib/tap.sh"
base_image
dockerfile <<'D'
FROM base
MAINTAINER A Person <person@example.org>
ENV A=1 B="two words" C=three\ words
ENV D old style
LABEL one=1 "the key"="a \"quoted\" value"
EXPOSE 80 53/udp
VOLUME /data ["/not-json"
VOLUME ["/json"]
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=5s --timeout=3s --retries=4 CMD wget -q localhost || exit 1
USER app:staff
WORKDIR /srv
ONBUILD RUN echo later
SHELL ["/bin/sh", "-e", "-c"]
ENTRYPOINT ["/bin/echo", "hi"]
CMD words here
D
ok "builds" thimble build -q -t it .
field() { thimble inspect --format "{{json .Config.$1}}" it; }
is "$(field Env)" '["PATH=/bin","A=1","B=two words","C=three words","D=old style"]' "ENV"
is "$(field ExposedPorts)" '{"53/udp":{},"80/tcp":{}}' "EXPOSE"
like "$(field Volumes)" '"/data":\{\}' "VOLUME, string form"
like "$(field Volumes)" '"/json":\{\}' "VOLUME, JSON form"
is "$(field StopSignal)" '"SIGQUIT"' "STOPSIGNAL"
is "$(field User)" '"app:staff"' "USER"
is "$(field WorkingDir)" '"/srv"' "WORKDIR"
is "$(field OnBuild)" '["RUN echo later"]' "ONBUILD"
is "$(field Shell)" '["/bin/sh","-e","-c"]' "SHELL"
is "$(field Entrypoint)" '["/bin/echo","hi"]' "ENTRYPOINT, JSON form"
is "$(field Cmd)" '["/bin/sh","-e","-c","words here"]' "CMD, string form, through SHELL"
like "$(field Labels)" '"the key":"a \\"quoted\\" value"' "LABEL with quotes"
like "$(field Healthcheck)" '"Interval":5000000000' "HEALTHCHECK in nanoseconds"
like "$(field Healthcheck)" '"CMD-SHELL","wget -q localhost \|\| exit 1"' "HEALTHCHECK's command"
is "$(thimble inspect --format '{{.Author}}' it)" 'A Person <person@example.org>' "MAINTAINER"

printf '# escape=`\nFROM base\nENV BACK=C:\\path\n' >Dockerfile
ok "# escape=" thimble build -q -t escape .
is "$(thimble inspect --format '{{json .Config.Env}}' escape)" '["PATH=/bin","BACK=C:\\path"]' "holds in ENV"

dockerfile <<'D'
FROM it
ENTRYPOINT ["/bin/new"]
D
ok "ENTRYPOINT of a child" thimble build -q -t child --build-arg X=1 .
is "$(thimble inspect --format '{{json .Config.Cmd}}' child)" null "resets the parent's CMD"
done_testing
