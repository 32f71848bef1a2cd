#!/bin/sh
# shellcheck disable=SC2016,SC2059  # Dockerfiles hold '$' and '\'
# What a build refuses: one row a text, with the hint that goes with it.
. "$(dirname "$0")/../lib/tap.sh"
base_image
echo x >f
mkdir -p dir tree/sub && echo y >dir/g
# no DOCKERFILE REGEX [HINT-REGEX] [-- ARG...]: the Dockerfile is a format of printf
no() {
	printf "$1" >Dockerfile
	no_re=$2 no_hint=''
	shift 2
	if [ $# -gt 0 ] && [ "$1" != -- ]; then no_hint=$1; shift; fi
	[ $# = 0 ] || shift
	fails 1 "refused: $no_re" thimble build -q "$@" .
	like "$err" "$no_re" "says so"
	[ -z "$no_hint" ] || like "$err" "$no_hint" "and what to do"
}
# --- stages and bases
no 'FROM base AS a\nCOPY --from=a f /\n' 'circular dependency detected on stage: a'
no 'FROM base AS a\nCOPY --from=b f /\nFROM base AS b\n' 'cannot copy from stage "b"' 'it begins on line 3 of Dockerfile: move it up' -- --target a
no 'FROM base AS a\nCOPY --from=7 f /\n' 'invalid stage index 7: there are 1 stages'
no 'FROM base\nCOPY --from=$X f /\n' 'doesn.t support variable expansion' 'FROM \$X AS files, and then COPY --from=files'
no 'FROM base AS builder\nFROM base\nCOPY --from=bilder f /\n' "'bilder' is neither a stage of Dockerfile nor an image" "did you mean the stage 'builder'"
no 'FROM base\nCOPY --from= f /\n' 'missing a value on flag: --from'
no 'FROM base AS Builder\nFROM bilder\n' 'bilder' "there is a stage '[Bb]uilder': FROM takes stage names exactly"
no 'FROM base\nFROM base\n' 'no stage of Dockerfile has a name: write FROM … AS x' -- --target x
no 'FROM --platform=linux/s390x base\nRUN true\n' '--platform=linux/s390x: steps for other platforms'
no 'FROM base\nRUN []\n' 'the array is empty'
# --- build contexts
no 'FROM other\n' "build context 'other'" 'the value of --build-context is a directory, rootfs:/' -- --build-context other=none
no 'FROM other\n' '--build-context other=rootfs:/usr: only rootfs:/ is known' 'give its path alone: --build-context other=/usr' -- --build-context other=rootfs:/usr
no 'FROM other\n' 'contexts from the network come in a later version' 'fetch it first' -- --build-context other=https://example.org/x.git
no 'FROM other\n' "build context 'other'" -- --build-context other=oci-layout://none
# --- COPY
no 'FROM base\nCOPY dir /\nCOPY f /g/x\n' "'/g' is not a directory"
no 'FROM base\nCOPY f /n\nCOPY dir /n\n' 'cannot copy to non-directory: /n' 'it is a file in the image; choose another destination'
no 'FROM base\nRUN mkdir /n && echo x >/n/sub\nCOPY tree /n\n' 'cannot copy to non-directory: /n/sub' 'the image has a file there: remove it in an earlier RUN'
no 'FROM base\nCOPY F /\n' '"/F": not found' "there is 'f'"
no 'FROM base\nCOPY /etc/hostname /\n' '"/etc/hostname": not found' "not at this machine's root"
no 'FROM base\nCOPY [a /\n' "malformed pattern" "write '\[\[\]' for a bracket"
no 'FROM base\nCOPY f /f\nWORKDIR /f\nRUN true\n' "WORKDIR '/f' is not a directory in the image"
# --- steps that fail
no 'FROM base\nRUN kill -9 $$\n' 'exit code: 137' 'most often because memory ran out'
no 'FROM base\nRUN kill -15 $$\n' 'exit code: 143' 'it was ended by signal 15'
no 'FROM base\nRUN nosuchprogram\n' 'exit code: 127' '127 means that a command was not found'
no 'FROM base\nRUN sh -c /etc/passwd\n' 'exit code: 126' '126 means that a command was found but could not be executed'
no 'FROM base\nWORKDIR /w\nRUN cd / && rmdir /w && echo x >/w\nRUN true\n' "the working directory '/w' cannot be entered: Not a directory" 'name a directory with WORKDIR'
no 'FROM base\nRUN ["nosuch"]\n' 'exec: "nosuch": executable file not found in \$PATH' 'it needs a loader'
no 'FROM base\nRUN ["/etc/passwd"]\n' 'exec "/etc/passwd": Permission denied' 'make it executable: COPY --chmod=755'
no 'FROM base\nRUN echo text >/t && chmod 755 /t\nRUN ["/t"]\n' 'exec "/t": Exec format error' 'a script without a #! line'
no 'FROM scratch\nCOPY f /\nRUN true\n' '"/bin/sh": executable file not found' 'RUN in string form needs /bin/sh'
# --- the language
no 'FROM base\nENV =x\n' 'ENV names can not be blank'
no 'FROM base\nARG =x\n' 'ARG names can not be blank'
no 'FROM base\nENV A=1 $NONE=x\n' 'ENV names can not be blank' '\| +\^\^\^\^\^$'
no 'FROM base\nLABEL ${NONE}=x\n' 'LABEL names can not be blank' 'LABEL \$\{NONE\}=x'
no 'FROM base\nARG $NONE=x\n' 'ARG names can not be blank' 'ARG \$NONE=x'
no 'FROM base\nCOPY <<X /\n${A:nosuch}\nX\n' 'unsupported modifier' "to take the text as it is, quote the name: <<'X'"
no 'FROM base\nRUN --mount=\047"type=cache",target="/a\047 true\n' 'the quotes do not match' "a field with a comma in it is quoted as a whole"
no 'FROM base\nRUN --mount=type=nosuch,target=/a true\n' 'unsupported mount type "nosuch"'
no 'FROM base\nRUN --mount=type=cache,target=/a,sharing=nosuch true\n' 'unsupported (mount )?sharing.* "?nosuch'
no 'FROM base\nRUN --mount=type=bind,target=/a,rw=maybe true\n' 'invalid value for rw: "maybe" \(true or false\)'
no 'FROM base\nRUN --mount=type=tmpfs,target=/a,size=big true\n' 'invalid value for size: big' 'write bytes, or a number with k, m or g'
no 'FROM base\nRUN --mount=type=cache,target=/a,nosuch=1 true\n' "unexpected key 'nosuch'"
ports=$(for i in 1 2 3 4 5 6 7 8 9; do printf '%d-65535/tcp %d-65535/udp ' $i $i; done)
no "FROM base\nEXPOSE $ports\n" 'EXPOSE lists more than 1048576 ports'
printf 'FROM base\nEXPOSE 1-65535 1-65535/udp\n' >Dockerfile
ok "every port there is" timeout 20 "$THIMBLE" build -q -t ports .
is "$(thimble inspect -f '{{len .Config.ExposedPorts}}' ports)" 131070 "is exposed, in no time"
no 'FROM base\nCOPY <<${X} /\nX\n' 'unterminated heredoc'
# --- the files themselves
truncate -s 5000000 huge
fails 1 "a Dockerfile of 5 MB" thimble build -q -f huge .
like "$err" 'huge is larger than 4194304 bytes' "is told"
like "$err" 'try +is it the right file' "and what to do"
truncate -s 17000000 huge
fails 1 "a Dockerfile of 17 MB" thimble build -q -f huge .
like "$err" 'larger than' "is told"
printf 'FROM base\nCOPY f /\n' >Dockerfile
printf 'a\000b\n' >.dockerignore
fails 1 "a .dockerignore that is no text" thimble build -q .
like "$err" '\.dockerignore holds a zero byte' "is told"
like "$err" 'save it as UTF-8' "and what to do"
head -c 2000000 /dev/zero | tr '\0' '#' >.dockerignore
fails 1 "one of 2 MB" thimble build -q .
like "$err" 'larger than' "is told"
head -c 70000 /dev/zero | tr '\0' a >.dockerignore
fails 1 "a pattern of 70 000 bytes" thimble build -q .
like "$err" 'a pattern is longer than' "is told"
rm .dockerignore
# --- the context
fails 1 "a file as the context" thimble build -q Dockerfile
like "$err" "the context 'Dockerfile' is not a directory" "is told"
like "$err" 'thimble build -f Dockerfile DIR' "and what to do"
fails 1 "a repository as the context" thimble build -q https://example.org/x.git
like "$err" 'contexts from the network come in a later version' "is told"
like "$err" 'git clone …, then thimble build DIR' "and what to do"
fails 1 "standard input twice" thimble build -q -f - -
like "$err" "both the context and the Dockerfile are '-'" "is told"
fails 1 "-f with a Dockerfile on standard input" sh -c '"$THIMBLE" build -q -f other - <Dockerfile'
like "$err" '-f other: standard input is no tar archive' "is told"
like "$err" 'pipe a tar archive, or give the Dockerfile alone' "and what to do"
tar -cf ctx.tar f Dockerfile
fails 1 "-f that is not in the tar" sh -c '"$THIMBLE" build -q -f nosuch - <ctx.tar'
like "$err" "the path of -f starts at the archive's root" "is told"
tar -cf none.tar f
fails 1 "a tar without a Dockerfile" sh -c '"$THIMBLE" build -q - <none.tar'
like "$err" 'there is no Dockerfile, dockerfile or Containerfile' "is told"
head -c 1540 ctx.tar >short.tar
fails 1 "a tar that is cut short" sh -c '"$THIMBLE" build -q - <short.tar'
like "$err" 'unpack the context from standard input|ends' "is told"
mkdir empty
fails 1 "a directory without a Dockerfile" thimble build -q empty
like "$err" "there is no Dockerfile, dockerfile or Containerfile in 'empty'" "is told"
like "$err" 'name it with -f PATH' "and what to do"
fails 1 "SOURCE_DATE_EPOCH that is none" env SOURCE_DATE_EPOCH=noon "$THIMBLE" build -q .
like "$err" "invalid SOURCE_DATE_EPOCH: 'noon'" "is told"
fails 1 "--no-cache-filter in a form of words" thimble build -q --target nosuch .
like "$err" 'nosuch' "a target that is not there"
is "$(ls "$THIMBLE_ROOT/tmp")" '' "nothing is left in the store"
done_testing
