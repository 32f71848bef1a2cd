#!/bin/sh
# shellcheck disable=SC2016
# Dockerfiles that would grow without end are refused, quickly and by name.
. "$(dirname "$0")/../lib/tap.sh"
no() { # DESCRIPTION REGEX [ARG...]: the Dockerfile is there
	no_desc=$1 no_re=$2
	shift 2
	fails 1 "$no_desc" timeout 60 "$THIMBLE" build -q "$@" .
	like "$err" "$no_re" "says so"
}
yes 'FROM scratch' | head -n 8193 >Dockerfile
no "8193 stages" 'Dockerfile has more than 8192 stages'
yes 'FROM scratch' | head -n 8192 >Dockerfile
ok "8192 are built" timeout 60 "$THIMBLE" build -q .
{
	echo 'FROM scratch'
	printf 'COPY'
	i=0
	while [ $i -lt 1100 ]; do printf ' <<E%d' $i; i=$((i + 1)); done
	echo ' /'
	i=0
	while [ $i -lt 1100 ]; do echo E$i; i=$((i + 1)); done
} >Dockerfile
no "1100 here-documents in one instruction" 'more than 1023 here-documents in one instruction'
# So many variables cost no more each than a few do: seconds of CPU, where it was half a minute.
in_seconds() { sh -c 'ulimit -t 12; exec "$@"' sh "$@"; }
{ echo 'FROM scratch'; seq 60000 | sed 's/.*/ENV v&=1/'; } >Dockerfile
fails 1 "60000 lines of ENV" in_seconds "$THIMBLE" build -q .
like "$err" 'the config of the image is larger than' "says so"
x=$(printf 'x%.0s' $(seq 1000))
printf 'FROM scratch\nENV A=%s\nENV B=$A$A$A$A$A$A$A$A$A$A$A$A C=1\nENV D=$B$B$B$B$B$B$B$B$B$B$B$B\nENV E=$D$D$D$D$D$D$D$D$D$D$D$D\n' "$x" >Dockerfile
no "a value of 1.7 MB" 'the text expands to more than 1048576 bytes'
printf 'FROM scratch\nENV A=%s\nENV B=$A$A$A$A$A$A$A$A$A$A$A$A\nENV E=${B//x/%s}\n' "$x" "$x" >Dockerfile
no "by replacing" 'the text expands to more than 1048576 bytes'
printf 'FROM scratch\nENV A=%s\nENV B=$A$A$A$A$A$A$A$A$A$A$A$A\nENV E=${N:-$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B$B}\n' "$x" >Dockerfile
no "inside of \${N:-…}" 'the text expands to more than 1048576 bytes'
printf 'FROM scratch\nENV A=%s\nENV B=$A$A$A$A$A$A$A$A$A$A$A$A\nENV D=$B$B$B$B$B$B$B$B$B$B$B$B\nENV E=${D//y%s/}\n' "$x" "$(printf '*x%.0s' $(seq 3000))" >Dockerfile
no "a pattern that tries everything" 'takes too much work on a long value'
printf 'FROM scratch\nENV A=1\n' >Dockerfile
no "a check that is none" 'build argument BUILDKIT_DOCKERFILE_CHECK' --build-arg BUILDKIT_DOCKERFILE_CHECK=nosuch=1
printf 'FROM scratch\nRUN --device=\047"vendor.com/x=y\047 true\n' >Dockerfile
no "--device with one quote" 'the quotes do not match|--device'
printf 'FROM scratch\nRUN --device=vendor.com/x=y,nosuch=1 true\n' >Dockerfile
no "--device with a field that is none" "unexpected field 'nosuch=1' in --device"

# A shell's limit on memory: thimble takes addresses in advance only where it may. (The sanitizers
# want terabytes of them.)
case $THIMBLE in
*asan*) ;;
*)
	echo hello >f
	printf 'FROM scratch\nCOPY f /\n' >Dockerfile
	# shellcheck disable=SC3045  # dash has both
	for limit in -v -d; do
		ok "ulimit $limit of 60 MB" sh -c 'ulimit "$1" 60000 && exec timeout 60 "$THIMBLE" build -q .' sh $limit
	done
	;;
esac
done_testing
