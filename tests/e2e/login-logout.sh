#!/bin/sh
# login asks the registry, keeps what is right with file or helper, and never shows a password.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/registry/registry.sh"
file=$HOME/.docker/config.json
registry closed basic
R=$host

# ---- options ----
fails 2 "-p and --password-stdin" thimble login -u alice -p x --password-stdin "$R"
fails 2 "--password-stdin without -u" thimble login --password-stdin "$R"
fails 2 "an empty user" thimble login -u '' "$R"
fails 2 "a user with a colon" thimble login -u a:b -p x "$R"
fails 2 "no registry's name" thimble login -u alice 'bad host'
fails 2 "nor that" thimble login -u alice user@host
for name in '' .host https:///v2/; do
	fails 2 "nor '$name'" thimble login -u alice "$name"
	like "$err" "'$name' is no registry: HOST\[:PORT\] is wanted" "says what is wanted"
done
fails 2 "--get-login and -u" thimble login --get-login -u alice "$R"
like "$err" '\-\-get-login only tells; it takes no --username and --password' "says so"
fails 1 "no path of repositories" thimble login -u alice -p x quay.io/Upper
fails 2 "--insecure and --tls-verify" thimble login --insecure --tls-verify=true -u alice "$R"
fails 2 "two registries" thimble login a b
fails 1 "without a terminal" thimble login "$R"
like "$err" 'no terminal to ask on' "says so"
like "$err" 'try +--username and --password-stdin' "and what to do"
fails 1 "without a password" thimble login -u alice "$R"
like "$err" 'try +--password-stdin' "and what to do"
fails 1 "an empty password" thimble login -u alice --password-stdin "$R"
like "$err" 'password is empty' "says so"
like "$err" 'try +write it to standard input: thimble login -u alice ' "and what to do"
fails 1 "an empty one on the command line" thimble login -u alice -p '' "$R"
like "$err" 'try +type the password' "and what to do"

# ---- right and wrong ----
run_in() { # TEXT COMMAND...: run with a stdin
	printf '%s' "$1" >"$T/in"
	shift
	"$@" >"$T/out" 2>"$T/err" <"$T/in"
	status=$?
	out=$(cat "$T/out") err=$(cat "$T/err")
}
for n in 65536 65537; do
	run_in "$(head -c $n /dev/zero | tr '\0' x)" thimble login -u alice --password-stdin "$R"
	is "$status" 1 "a password of $n bytes"
	is "$(printf %s "$err" | grep -c 'a password is not longer than 65536 bytes')" $((n - 65536)) "is told if it is too long"
done
like "$err" 'try +standard input must hold the password alone' "and what to do"
printf 'a\0b' >nul
fails 1 "a password with a NUL" sh -c '"$THIMBLE" login -u alice --password-stdin "$1" <nul' - "$R"
like "$err" 'a password holds no NUL' "says so"
fails 1 "nobody yet" thimble login --get-login "$R"
like "$err" "not logged in to $R" "says so"
run_in 'wrong-secret-word
' thimble login -u alice --password-stdin "$R"
is "$status" 1 "a wrong password"
like "$err" "cannot log in to $R" "says what"
like "$err" 'alice' "and who"
unlike "$err$out" 'wrong-secret-word' "but not the password"
ok "nothing is kept" test ! -e "$file"
run_in "$alice
" thimble login -u alice --password-stdin "$R"
is "$status" 0 "the right one"
is "$out" 'Login Succeeded' "says so, as docker does"
like "$err" "warning: .*unencrypted in '~/.docker/config.json'" "and where it is kept, and how"
unlike "$err$out" "$alice" "but not the password"
is "$(stat -c %a "$file")" 600 "only the owner can read it"
is "$(stat -c %a "$HOME/.docker")" 700 "nor the directory"
is "$(python3 -c 'import json,sys,base64; print(base64.b64decode(json.load(open(sys.argv[1]))["auths"][sys.argv[2]]["auth"]).decode())' "$file" "$R")" \
	"alice:$alice" "as docker writes it"
ok "--get-login" thimble login --get-login "$R"
is "$out" alice "tells who"
ok "again, with what is known" thimble login "$R"
is "$out" 'Login Succeeded' "succeeds"
run thimble --debug login -u bob -p "$bob" "http://$R/v1/"
is "$status" 0 "with -p and a URL, over the first"
like "$err" 'warning: other users may see a password' "which is warned of"
unlike "$err" "$bob|$(printf 'bob:%s' "$bob" | base64)" "--debug tells no password"
ok "--get-login" thimble login --get-login "$R"
is "$out" bob "is the last one"
is "$(grep -c '"auth"' "$file")" 1 "in one entry"

# ---- what others wrote, and read ----
if command -v podman >/dev/null; then
	run_in "$alice" podman login -u alice --password-stdin --tls-verify=false --authfile "$T/podman.json" "$R"
	is "$status" 0 "podman logs in"
	ok "we read its file" thimble login --authfile "$T/podman.json" "$R"
	ok "and write to it" thimble login --authfile "$T/podman.json" -u bob -p "$bob" "$R"
	ok "which podman reads" podman login --get-login --authfile "$T/podman.json" "$R"
	is "$out" bob "and has our user"
fi
ok "REGISTRY_AUTH_FILE" env REGISTRY_AUTH_FILE="$T/env.json" "$THIMBLE" login -u alice -p "$alice" "$R"
unlike "$err" 'not there' "says nothing of a file that it makes"
ok "is where it was kept" grep -q '"auth"' "$T/env.json"

# ---- credentials that are not good any more ----
sed -i 's/"auth": ".*"/"auth": "YWxpY2U6d3Jvbmc="/' "$T/env.json"
fails 1 "what is known is wrong, and there is nobody to ask" thimble login --authfile "$T/env.json" "$R"
like "$err" 'no terminal' "says so"

# ---- prompts ----
cat >"$T/type.py" <<'P'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[3], sys.argv[3:])
seen = b''
for prompt, word in ((b'Username: ', sys.argv[1]), (b'Password: ', sys.argv[2])):
    while word != '-' and prompt not in seen:
        seen += os.read(fd, 4096)
    if word != '-':
        os.write(fd, word.encode() + b'\n')  # at once: a prompt that is there can be answered
try:
    while block := os.read(fd, 4096):
        seen += block
except OSError:
    pass
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
P
for _ in 1 2 3 4 5; do
	ok "from a terminal" timeout 20 python3 "$T/type.py" alice "$alice" "$THIMBLE" login --authfile "$T/typed.json" "$R"
	rm -f "$T/typed.json"
done
run timeout 20 python3 "$T/type.py" - "$alice" "$THIMBLE" copy --creds alice "docker://$R/none:1" "docker://$R/other:1"
is "$status" 1 "copy --creds USER from a terminal, of what is not there"
is "$(grep -c Password: "$T/out")" 1 "asks once for both sides"
like "$out" 'answered 404' "and was let in"
run timeout 20 "$THIMBLE" copy --creds alice oci:none oci:other </dev/null
unlike "$err" 'terminal' "nobody is asked where there is no registry"
ok "from a terminal" timeout 20 python3 "$T/type.py" alice "$alice" "$THIMBLE" login --authfile "$T/typed.json" "$R"
like "$out" 'Username: alice' "the user is echoed"
like "$out" 'Login Succeeded' "it succeeds"
unlike "$out" "$alice" "the password is not echoed"

# What is typed at the prompt for the user, and what comes of it. A shell waits for its turn.
cat >"$T/ask.py" <<'P'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp('sh', ['sh', '-c', 'trap : INT; "$@"; echo "status $?"; read -r rest; echo "next <$rest>"', '-'] + sys.argv[2:])
seen = b''
def wait_for(word):
    global seen
    while word not in seen:
        seen += os.read(fd, 4096)
wait_for(b'Username: ')
os.write(fd, sys.argv[1].encode().decode('unicode_escape').encode())
wait_for(b'status ')
os.write(fd, b'line\n')
wait_for(b'next <')
wait_for(b'>')
sys.stdout.buffer.write(seen)
P
asked() { # DESCRIPTION TYPED REGEX
	ok "$1" python3 "$T/ask.py" "$2" "$THIMBLE" login --authfile "$T/none.json" "$R"
	like "$out" "$3" "is told"
	like "$out" 'next <line>' "and the next one reads the next line"
	unlike "$out" 'Password' "no password was asked for"
}
asked "a user that holds a colon" 'a:b\n' "'a:b' is no user's name: it holds a ':'"
like "$out" 'try +type the name alone' "and what to do"
asked "an empty user" '\n' "the user's name is empty"
asked "the end of the input" '\4' 'nothing was typed'
asked "a line without end" "$(head -c 4050 /dev/zero | tr '\0' x)\\n" 'what was typed is longer than 4000 bytes'
asked "^C" '\3' 'stopped by a signal'
like "$out" 'status 130' "with the status of one"

# ---- logout ----
fails 2 "an empty --authfile" thimble logout --authfile '' "$R"
like "$err" '\-\-authfile wants a path, not an empty word' "says so"
ok "logout" thimble logout "$R"
is "$out" "Removing login credentials for $R" "says so, as docker does"
ok "nothing is left" test "$(grep -c auth\" "$file")" = 0
ok "logout again" thimble logout "$R"
is "$out" "Not logged in to $R" "is no error"
mkdir -p "$XDG_RUNTIME_DIR/containers"
cp "$T/typed.json" "$XDG_RUNTIME_DIR/containers/auth.json"
ok "logout with another file" thimble logout "$R"
like "$err" "warning: there are still credentials for $R in '.*containers/auth.json'" "names it"
rm "$XDG_RUNTIME_DIR/containers/auth.json"
fails 2 "--all and a name" thimble logout --all "$R"
printf '{"auths":{"https://index.docker.io/v1/":{"auth":"YTpi"},"quay.io/a":{"auth":"YTpi"}},"other":{"x":[1]}}' >"$file"
ok "logout of docker.io" thimble logout
is "$out" 'Removing login credentials for docker.io' "which has another key"
ok "logout --all" thimble logout --all
is "$out" 'Removing login credentials for quay.io/a' "takes the rest"
is "$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1])))' "$file")" "{'auths': {}, 'other': {'x': [1]}}" \
	"and leaves what it does not know"
ok "logout --all again" thimble logout --all
is "$out" 'Not logged in to any registry' "is no error"
printf '{"auths":{"x":{"auth":"SECRET' >"$file"
fails 1 "a damaged file" thimble logout x
like "$err" 'not valid JSON \(line 1' "says where"
unlike "$err" SECRET "and not what"
rm "$file"
fails 1 "without a home" env -u HOME "$THIMBLE" login -u alice -p "$alice" "$R"
like "$err" 'there is no file for credentials: \$HOME is not set' "says so"
like "$err" 'try +--authfile FILE names one' "and what to do"
fails 1 "into no file" thimble login --authfile /dev/null -u alice -p "$alice" "$R"
like "$err" "'/dev/null' is no regular file" "says so"
ok "it is as it was" test -c /dev/null
fill() { printf '{"x":"%s"}' "$(head -c "$1" /dev/zero | tr '\0' x)" >"$T/large.json"; }
fill 1048569
fails 1 "into a file of 1048577 bytes" thimble login --authfile "$T/large.json" -u alice -p "$alice" "$R"
like "$err" "/large.json' is larger than 1048576 bytes" "says so"
fill 1048568
fails 1 "into one of 1048576 bytes" thimble login --authfile "$T/large.json" -u alice -p "$alice" "$R"
like "$err" "/large.json' would become larger than 1048576 bytes" "says so"
is "$(wc -c <"$T/large.json")" 1048576 "and it is as it was"

# ---- a helper ----
mkdir -p "$T/bin"
cat >"$T/bin/docker-credential-tests" <<'H'
#!/bin/sh
kept=$HOME/helper
case $1 in
store) cat >"$kept" ;;
get) cat >"$kept.asked"; if [ -e "$kept" ]; then cat "$kept"; else echo 'credentials not found in native keychain'; exit 1; fi ;;
erase) rm -f "$kept" ;;
esac
H
chmod 755 "$T/bin/docker-credential-tests"
export PATH="$T/bin:$PATH"
printf '{"credHelpers":{"%s":"tests"}}' "$R" >"$file"
run_in "$alice" thimble login -u alice --password-stdin "$R"
is "$status" 0 "login with a helper"
unlike "$err" 'warning' "without a warning"
ok "it has the password" grep -q "\"Secret\":\"$alice\"" "$HOME/helper"
unlike "$(cat "$file")" '"auth"' "the file has none"
ok "it is asked" thimble login "$R"
is "$(cat "$HOME/helper.asked")" "$R" "for the registry"
ok "logout" thimble logout "$R"
ok "erases" test ! -e "$HOME/helper"
printf '{"credHelpers":{"%s":"../../bin/sh"}}' "$R" >"$file"
fails 1 "a helper that is a path" thimble login "$R"
like "$err" 'no name of a credential helper' "is refused"
printf '#!/bin/sh\necho the keychain is locked\nexit 1\n' >"$T/bin/docker-credential-tests"
printf '{"credHelpers":{"%s":"tests"}}' "$R" >"$file"
fails 1 "a helper that fails" thimble login -u alice -p "$alice" "$R"
like "$err" 'the keychain is locked' "is heard"
printf '#!/bin/sh\necho credentials not found in native keychain\nexit 1\n' >"$T/bin/docker-credential-tests"
fails 1 "a helper that finds nothing" thimble login -u alice -p "$alice" "$R"
like "$err" "'docker-credential-tests' found nothing to store it in" "is heard"
oci_registry open # it takes any password
printf '{"credsStore":"tests"}' >"$file"
run_in "$(printf 'pw-\377')" thimble login -u alice --password-stdin "$host"
is "$status" 1 "a helper and a password that is not UTF-8"
like "$err" "the password is not UTF-8: 'docker-credential-tests' cannot take it" "says so"
unlike "$err" 'pw-' "but not the password"
rm "$file"
done_testing
