#!/bin/sh
# What run refuses before the program starts (status 125), with the word at fault.
. "$(dirname "$0")/../lib/tap.sh"
base_image
no() { # REGEX ARG...
	no_re=$1
	shift
	fails 125 "run $*" thimble run "$@"
	like "$err" "$no_re" "says so"
}
wrong() {
	no_re=$1
	shift
	run thimble run "$@"
	like "$status" '^(125|2)$' "run $*: refused"
	like "$err" "$no_re" "says so"
}
wrong "--shm-size wants a size like 64m, not 'big'" --shm-size big base
no 'flag --rm=false: every run behaves as with --rm' --rm=false base
no 'flag --init=false: there always is an init' --init=false base
no "'scratch' is no image" scratch
no "cannot run 'nosuch'" nosuch
no "invalid container name 'a/b'" --name a/b base
no "invalid host name 'a b'" --hostname 'a b' base
no 'invalid environment variable: =x' -e =x base
printf 'A=1\n=x\n' >env1
no "there is no variable name before '='" --env-file env1 base
printf 'A B=1\n' >env2
no "the variable 'A B' contains whitespaces" --env-file env2 base
printf 'A=\000\n' >env3
no 'a NUL byte cannot be in a variable' --env-file env3 base
no "read the environment file 'nosuch'|nosuch" --env-file nosuch base
no 'more than two' -v a:/b:ro:x base
no "nothing stands before the ':'" -v :/b base
no "mkdir -p 'a/b'; or give a name without '/'" -v a/b:/c base
no "a path of this machine starts with '/' or './'" -v x:/c base
no 'duplicate mount point: /a' -v one:/a -v two:/a base
no 'duplicate mount point: /a' --tmpfs /a -v one:/a base
no 'nosuch' -v "$PWD/nosuch:/a" base
no 'unable to find user nosuch' -u nosuch base
no 'unable to find group nosuch' -u 0:nosuch base
no 'not in the range' -u 99999999999 base
wrong 'bridge' --network bridge base
no 'leave out -t' -i -t base true
for later in -d '-p 80:80' '--memory 1g' --privileged '--cap-add ALL' '--restart always' '--gpus all' '--mount type=bind'; do
	# shellcheck disable=SC2086  # a flag and its value
	wrong "^thimble: .*${later%% *}|flag ${later%% *}" $later base
done
# The working directory.
fails 126 "-w on a file" thimble run -w /etc/passwd base true
like "$err" "cannot be started in '/etc/passwd': that is no directory" "says so"
fails 126 "-w below a file" thimble run -w /etc/passwd/x base true
like "$err" "'/etc/passwd' is a file in the image, and WORKDIR names what is below it" "says what is there"
name=$(head -c 300 /dev/zero | tr '\0' x)
fails 126 "-w with a name that cannot be" thimble run -w "/$name" base true
like "$err" "cannot enter the working directory '/$name'" "says what it could not do"
like "$err" 'because +File name too long' "and why"
like "$err" 'try +name another one with -w' "and what to do"
unlike "$err" "'true'" "the program is not at fault"
: >plain
fails 126 "-w on what a volume brings" thimble run -v "$PWD/plain:/w" -w /w base true
like "$err" "cannot enter the working directory '/w'" "says the same"
like "$err" 'because +Not a directory' "and why"
# The image has nothing to run, or it cannot be run.
mkdir e && tar -C e -cf e.tar .
thimble import e.tar empty >/dev/null
no 'no command|nothing to run|CMD' empty
fails 127 "a program that is not there" thimble run base nosuch
fails 126 "one that is not executable" thimble run base /etc/passwd
fails 126 "one whose name cannot be" thimble run base "$name"
like "$err" "'x*…' could not be executed: its name is too long" "says so, without all of it"
like "$err" 'because +the kernel takes names of 255 bytes, this one has 300' "and why"
like "$err" 'try +a command line in one word[?] Give each argument as a word of its own' "and what to do"
done_testing
