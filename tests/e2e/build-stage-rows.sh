#!/bin/sh
# Stages, arguments, ONBUILD, history, checks: the FRM, VAR, CFG, IMG and CHK rows of dockerfile.md
# that need a build.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/rows.sh"
base_image
field() { thimble inspect --format "{{json .Config.$1}}" it; }
config() { # DESCRIPTION FIELD WANT <Dockerfile
	cat >Dockerfile
	thimble build -q -t it . >"$T/out" 2>"$T/err" || diag_file "$T/err"
	is "$(field "$2")" "$3" "$1"
}
# ---- arguments
row "VAR25 a global ARG is not seen in a stage until it is declared" 'cat /v' '<>
<1>' <<'D'
ARG V=1
FROM base
RUN echo "<$V>" >/v
ARG V
RUN echo "<$V>" >>/v
D
row "VAR26 the ARGs of a stage are seen by its children" 'cat /v' '<own>' <<'D'
FROM base AS one
ARG OWN=own
FROM one
RUN echo "<$OWN>" >/v
D
row "VAR27 an ARG after an ENV wins in later steps" 'cat /v' a <<'D'
FROM base
ENV X=e
ARG X=a
RUN echo $X >/v
D
is "$(field Env)" '["PATH=/bin","X=e"]' "VAR27 but not in the config"
row "VAR28 an ENV after an ARG hides --build-arg" 'cat /v' e --build-arg X=b <<'D'
FROM base
ARG X=a
ENV X=e
RUN echo $X >/v
D
for t in 'foo|--target foo' 'z|'; do
	# shellcheck disable=SC2086  # two words or none
	row "VAR32 TARGETSTAGE ${t%%|*}" 'cat /v' "${t%%|*}" ${t#*|} <<'D'
FROM base AS foo
ARG TARGETSTAGE
RUN echo $TARGETSTAGE >/v
FROM base AS z
ARG TARGETSTAGE
RUN echo $TARGETSTAGE >/v
D
done
row "VAR32 TARGETSTAGE without a name; VAR33 predefined ones can be given" 'cat /v' 'default freebsd' \
	--build-arg TARGETOS=freebsd <<'D'
FROM base
ARG TARGETSTAGE
ARG TARGETOS
RUN echo $TARGETSTAGE $TARGETOS >/v
D
thimble build --progress plain --build-arg NOBODY=1 . >/dev/null 2>"$T/err"
like "$(cat "$T/err")" 'NOBODY' "a --build-arg that no ARG declares is warned of"
export FROM_ENV=here
row "--build-arg NAME takes the client's variable" 'cat /v' '<here> <unset>' \
	--build-arg FROM_ENV --build-arg NOT_IN_ENV <<'D'
FROM base
ARG FROM_ENV
ARG NOT_IN_ENV
RUN echo "<$FROM_ENV> <${NOT_IN_ENV-unset}>" >/v
D
# ---- stages
bad "FRM04 a base that is empty" 'blank' <<'D'
ARG T
FROM $T
D
bad "FRM06 a platform with a hole" 'linux/|platform' <<'D'
FROM --platform=linux/${X} base
D
printf 'FROM scratch\n' >Dockerfile
ok "FRM07 FROM scratch alone" thimble build -q -t it .
is "$(thimble inspect --format '{{len .RootFS.Layers}} {{.Config.WorkingDir}} {{json .Config.Env}}' it)" \
	'0 / ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]' "FRM07 its config"
printf 'FROM base\nRUN echo alpine >/which\nENV OTHER=1\n' >Dockerfile
thimble build -q -t alpine . >/dev/null 2>&1
row "FRM08 an image in place of the base" 'cat /which; echo $OTHER' 'alpine
1' --build-context busybox=docker-image://alpine <<'D'
FROM busybox
RUN true
D
row "FRM08 the name with its registry and tag" 'cat /which' alpine \
	--build-context docker.io/library/busybox:latest=docker-image://alpine <<'D'
FROM busybox
D
row "FRM09 an image in place of a stage" 'cat /which' alpine --build-context stage=docker-image://alpine <<'D'
FROM base AS stage
RUN exit 1
FROM stage
D
row "FRM10 a base that is not there, of a stage that nobody needs" 'echo fine' fine <<'D'
FROM nosuchimage AS unused
FROM base
D
bad "FRM10 but not one that is no name" 'Bad_Ref' <<'D'
FROM Bad_Ref::: AS unused
FROM base
D
row "FRM11 a stage by the target's name" 'cat /which' linux <<'D'
FROM base AS stage-linux
RUN echo linux >/which
FROM base AS stage-windows
RUN exit 1
FROM stage-$TARGETOS
D
# ---- config
printf 'FROM base\nCMD ["a"]\n' >Dockerfile
thimble build -q -t parent . >/dev/null 2>&1
config "CFG01 ENTRYPOINT clears the base's CMD" Cmd null <<'D'
FROM parent
ENTRYPOINT e
D
is "$(field Entrypoint)" '["/bin/sh","-c","e"]' "CFG01 its ENTRYPOINT"
config "CFG02 but not that of its own stage" Cmd '["a"]' <<'D'
FROM base
CMD ["a"]
ENTRYPOINT ["e"]
D
config "CFG03 that of a parent stage too" Cmd null <<'D'
FROM base AS one
CMD ["a"]
FROM one
ENTRYPOINT ["e"]
D
config "CFG04 SHELL" Entrypoint '["ls","my entry"]' <<'D'
FROM base
SHELL ["ls"]
ENTRYPOINT my entry
D
config "ENTRYPOINT [] is none" Entrypoint null <<'D'
FROM base
ENTRYPOINT []
D
# ---- ONBUILD
printf 'FROM base\nONBUILD RUN echo ran >>/ran\nONBUILD COPY --from=s /s /s\n' >Dockerfile
thimble build -q -t parent . >/dev/null 2>&1
row "CFG19 CFG21 ONBUILD: in the child only; --from finds the child's stages" 'cat /ran /s' 'ran
s' <<'D'
FROM base AS s
RUN echo s >/s
FROM parent AS child
FROM child
D
is "$(field OnBuild)" null "CFG19 and is gone"
row "CFG20 ONBUILD of a stage" 'cat /ran' ran <<'D'
FROM base AS one
ONBUILD RUN echo ran >>/ran
FROM one
D
bad "CFG18 ONBUILD ONBUILD" 'ONBUILD' <<'D'
FROM base
ONBUILD ONBUILD RUN x
D
printf 'FROM base\nONBUILD NOSUCH x\n' >Dockerfile
ok "a trigger that is none builds" thimble build -q -t parent .
bad "and fails when it is triggered, at the FROM" 'Dockerfile:2' <<'D'
# a comment
FROM parent
D
like "$err" 'NOSUCH' "naming it"
# ---- history
history() { thimble history --no-trunc --format '{{.CreatedBy}}' it; }
config "IMG01 ARGs in the history of a RUN" User '""' <<'D'
ARG foo=outer
FROM base
ARG foo=bar
ARG b=1
ARG foo=x
RUN ls
D
like "$(history)" '^RUN \|2 foo=x b=1 /bin/sh -c ls # buildkit$' "IMG01 each once, in the order of declaration"
echo f >f
config "IMG02 IMG03 a history" WorkingDir '"/"' <<'D'
FROM scratch
ENV A=1 B=two\ words
COPY --chown=1:2 f /x
WORKDIR /
ADD f /y
EXPOSE 2375 5000 1234/udp
VOLUME /b /a
CMD ["a", "b c"]
HEALTHCHECK --interval=5s CMD x
D
is "$(history | tac)" 'ENV A=1 B=two words
COPY --chown=1:2 f /x # buildkit
WORKDIR /
ADD f /y # buildkit
EXPOSE [1234/udp 2375/tcp 5000/tcp]
VOLUME [/b /a]
CMD ["a" "b c"]
HEALTHCHECK {Test:[CMD-SHELL x] Interval:5s Timeout:0s StartPeriod:0s StartInterval:0s Retries:0}' "IMG02 its lines"
thimble save --format oci-dir -o layout it
config=$(sed -n 's/.*"config": *{[^}]*"digest": *"sha256:\([0-9a-f]*\)".*/\1/p' "layout/blobs/sha256/$(sed -n 's/.*"digest": *"sha256:\([0-9a-f]*\)".*/\1/p' layout/index.json)")
is "$(python3 -c 'import json,sys; print([h.get("empty_layer", False) for h in json.load(sys.stdin)["history"]])' <"layout/blobs/sha256/$config")" \
	'[True, False, True, False, True, True, True, True]' "IMG02 and which made a layer"
printf 'FROM base\nRUN true\n' >Dockerfile
ok "IMG07 an epoch" thimble build -q -t it --build-arg SOURCE_DATE_EPOCH=86400 .
is "$(thimble inspect --format '{{.Created}}' it)" '1970-01-02T00:00:00Z' "IMG07 is when it was made"
bad "IMG08 an epoch that is no number" 'SOURCE_DATE_EPOCH' --build-arg SOURCE_DATE_EPOCH=not-a-number <<'D'
FROM base
D
mkdir tar && echo intar >tar/f && printf 'FROM base\nCOPY f /f\n' >tar/own && tar -C tar -cf ctx.tar .
ok "IMG10 a context from standard input and a -f in it" sh -c '"$THIMBLE" build -q -t it -f own - <ctx.tar'
is "$(thimble run --rm it cat /f)" intar "IMG10 both are read"
# ---- checks
warned() { # DESCRIPTION REGEX <Dockerfile; REGEX with ! before it must not match
	cat >Dockerfile
	run thimble build --progress plain .
	case $2 in
	!*) unlike "$err" "${2#!}" "$1" ;;
	*) like "$err" "$2" "$1" ;;
	esac
}
warned "CHK01 a warning after a build, with its rule and line" 'StageNameCasing.*Dockerfile:1|Dockerfile:1.*StageNameCasing|StageNameCasing' <<'D'
FROM base AS Web
D
is "$status" 0 "which ends well"
warned "CHK06 a stage that nobody needs" '!MaintainerDeprecated' <<'D'
FROM base AS unused
MAINTAINER x
FROM base
D
warned "CHK07 two CMD: the first is told of" 'MultipleInstructionsDisallowed' <<'D'
FROM base
CMD ["a"]
CMD ["b"]
D
echo f >.dockerignore
warned "CHK01 a source that is ignored" \
	'CopyIgnoredFile: Attempting to Copy file "f" that is excluded by .dockerignore .Dockerfile:2' <<'D'
FROM base
COPY f /
D
is "$status" 1 "is none"
warned "CHK01 ADD of it, and a wildcard" 'CopyIgnoredFile: Attempting to Add file "./f"' <<'D'
FROM base
ADD ./f ./g* /x/
D
warned "CHK01 not all is ignored" '!CopyIgnoredFile' <<'D'
FROM base
COPY . /x/
D
warned "CHK01 nothing of it by a bind mount or from a stage" '!CopyIgnoredFile' <<'D'
FROM base AS f
RUN echo f >/f
FROM base
COPY --from=f f /
D
for rule in '*' '**' '**/*'; do
	echo "$rule" >.dockerignore
	for source in . / ./ ; do
		printf 'FROM base\nCOPY %s /x/\n' "$source" >all.Dockerfile
		run thimble build --progress plain -f all.Dockerfile .
		like "$err" "CopyIgnoredFile: .*\"$source\"" "CHK01 COPY $source and a rule $rule"
		is "$status" 0 "which copies nothing"
	done
done
printf '*\n!g\n' >.dockerignore
warned "CHK01 a rule lets some of it in" '!CopyIgnoredFile' <<'D'
FROM base
COPY . /x/
D
echo f >.dockerignore
bad "CHK01 check=error=true" 'CopyIgnoredFile' <<'D'
# check=error=true
FROM base
COPY f /
D
bad "CHK02 check=error=true" 'StageNameCasing' <<'D'
# check=error=true
FROM base AS Web
D
printf '# check=skip=all;error=true\nFROM base AS Web\n' >Dockerfile
ok "CHK03 skip=all;error=true" thimble build -q .
printf '# check=error=true\nFROM base AS Web\n' >Dockerfile
ok "CHK04 BUILDKIT_DOCKERFILE_CHECK instead of the directive" \
	thimble build -q --build-arg BUILDKIT_DOCKERFILE_CHECK=skip=StageNameCasing .
warned "CHK05 a check above one instruction" '!MaintainerDeprecated' <<'D'
FROM base
# check=skip=MaintainerDeprecated
MAINTAINER x
D
done_testing
