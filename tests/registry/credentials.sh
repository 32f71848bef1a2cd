#!/bin/sh
# Passwords and tokens: they go to the host they belong to and to no other, are kept in files that
# nobody else reads, are never printed, and are renewed in the middle of a pull.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/registry/registry.sh"
config=$HOME/.docker/config.json
basic_alice=$(printf 'alice:%s' "$alice" | base64)
image data
contents data >want

# Nothing that any command here printed, nor any error, may hold a secret.
: >"$T/printed"
keep() { cat "$T/out" "$T/err" >>"$T/printed"; }
secret="$alice|$bob|$basic_alice|Bearer ey|\"?ey[A-Za-z0-9_-]{10,}\\.ey|refresh-alice"
silent() { # DESCRIPTION
	keep
	is "$(grep -acE "$secret" "$T/printed")" 0 "$1: no secret was printed" ||
		grep -aE "$secret" "$T/printed" | head -n 3 | sed 's/^/# /'
}

# --- basic ------------------------------------------------------------------------------------
registry closed basic
faults closedp "$host"
closed=$host
rules closedp ''
fails 1 "push without credentials" thimble -D push data "$closed/team/data:1"
like "$err" 'thimble login' "says how to log in"
keep
fails 1 "a wrong password" sh -c "echo wrong-pw-1 | '$THIMBLE' -D login -u alice --password-stdin $closed"
like "$err" '401|unauthorized|denied|wrong|incorrect|refuse' "says that it is wrong"
unlike "$out$err" 'wrong-pw-1' "and does not repeat it"
like "$err" 'try .*name and password right' "and what to do, which is not to log in"
is "$(ls "$config" 2>/dev/null)" '' "nothing is written"
ok "login" sh -c "printf '%s' '$alice' | '$THIMBLE' -D login -u alice --password-stdin $closed"
silent "login"
is "$(stat -c %a "$config")" 600 "the file is the user's alone"
is "$(stat -c %a "$(dirname "$config")")" 700 "and its directory"
like "$(cat "$config")" "$basic_alice" "it holds what docker's holds"
ok "push" thimble -D push data "$closed/team/data:1"
silent "push"
ok "pull" thimble -D --root "$T/b" pull "$closed/team/data:1"
silent "pull"
ok "--creds" thimble -D --root "$T/c" pull --creds "bob:$bob" "$closed/team/data:1"
silent "--creds"
like "$(requests closedp "Basic $(printf 'bob:%s' "$bob" | base64)")" GET "are used instead"
echo '{"auths": {"'"$closed"'": {"auth": "'"$basic_alice"'"}}, "credHelpers": {}, "other": [1]}' >"$T/auth.json"
chmod 644 "$T/auth.json"
ok "--authfile" thimble --root "$T/d" pull --authfile "$T/auth.json" "$closed/team/data:1"
like "$err" 'others can read|readable' "warns of a file that others can read"
keep
ok "\$REGISTRY_AUTH_FILE" env REGISTRY_AUTH_FILE="$T/auth.json" "$THIMBLE" --root "$T/e" pull "$closed/team/data:1"
silent "files"
ok "logout" thimble logout "$closed"
unlike "$(cat "$config")" "$basic_alice" "the password is gone"
fails 1 "no pull after that" thimble --root "$T/f" pull "$closed/team/data:1"

# A helper keeps them.
mkdir "$T/bin"
cat >"$T/bin/docker-credential-tests" <<'H'
#!/bin/sh
echo "$1" >>"$T/helper.log"
case $1 in
store) cat >"$T/helper.data" ;;
get)
	[ -e "$T/helper.data" ] || { echo "credentials not found in native keychain"; exit 1; }
	cat "$T/helper.data" ;;
erase) rm -f "$T/helper.data" ;;
list) echo '{}' ;;
esac
H
chmod +x "$T/bin/docker-credential-tests"
echo '{"credsStore": "tests", "kept": {"by": "us"}}' >"$config"
PATH="$T/bin:$PATH"
ok "login with a helper" sh -c "printf '%s' '$alice' | '$THIMBLE' login -u alice --password-stdin $closed"
unlike "$(cat "$config")" "$basic_alice" "the file does not hold the password"
like "$(cat "$T/helper.data")" "$alice" "the helper does"
like "$(cat "$config")" '"kept"' "what others wrote stays"
ok "pull by the helper" thimble -D --root "$T/g" pull "$closed/team/data:1"
ok "logout by the helper" thimble logout "$closed"
is "$(ls "$T/helper.data" 2>/dev/null)" '' "it has forgotten"
silent "helper"
rm -f "$config"

# --- tokens -------------------------------------------------------------------------------------
token_server tokens
faults tokenp "$(echo "$realm" | sed 's|http://||; s|/token||')"
realm=http://$host/token
registry guarded token
faults guardp "$host"
guarded=$host
rules guardp ''
ok "login with a token service" sh -c "printf '%s' '$alice' | '$THIMBLE' -D login -u alice --password-stdin $guarded"
keep
ok "push with a token" thimble -D push data "$guarded/team/data:1"
ok "pull with a token" thimble -D --root "$T/h" pull "$guarded/team/data:1"
silent "tokens"
is "$(count guardp "$alice|Basic")" 0 "the password goes to the token service, not to the registry"
isnt "$(count tokenp "Basic $basic_alice|password=|refresh_token=")" 0 "there it goes"
is "$(count tokenp Bearer)" 0 "the registry's token does not go there"
like "$(requests tokenp .)" 'repository(%3A|:)team(%2F|/)data(%3A|:)pull' "with the scope that is needed"
unlike "$(requests tokenp .)" 'team(%2F|/)data(%3A|:)[a-z%2C,]*(delete|\*)' "and no more"
fails 1 "a wrong password" thimble --root "$T/i" pull --creds alice:wrong "$guarded/team/data:1"
like "$err" '401|unauthorized|incorrect|denied' "the service's words"
# A token service that gives nothing to who asks for a repository, too, that is not theirs to read.
rules tokenp 'GET team%2Fdata%3Apull * status code=403'
ok "a mount for which there is no token" thimble push data "$guarded/team/mounted:1"
ok "it was asked for" grep -q rule= "$servers/tokenp/log"
ok "and arrived" thimble --root "$T/h2" pull "$guarded/team/mounted:1"
rules tokenp ''
ok "to public/, as alice" thimble push data "$guarded/public/data:1"
ok "logout" thimble logout "$guarded"
ok "anonymous, where that is allowed" thimble --root "$T/j" pull "$guarded/public/data:1"
fails 1 "anonymous, where it is not" thimble --root "$T/k" pull "$guarded/team/data:1"
like "$err" 'thimble login' "says how to log in"

# What the token service does wrong.
wrong() { # DESCRIPTION REGEX RULE...
	what=$1 words=$2
	shift 2
	rules tokenp "$@"
	fails 1 "the service $what" timeout 60 "$THIMBLE" -D --root "$T/l" pull --creds "alice:$alice" "$guarded/team/data:1"
	like "$err" "$words" "the service $what: says so"
	keep
}
wrong "answers HTML" 'token|HTML|web page|JSON' '* /token * status code=200 body=html'
wrong "answers nothing" 'token|JSON|empty' '* /token * status code=200 body=empty'
wrong "refuses" '403' '* /token * status code=403'
wrong "fails" '500' '* /token * status code=500'
wrong "is at a file" 'file:|redirect|307' '* /token * redirect to=file:///etc/passwd'
wrong "sends elsewhere" '307|redirect|token' "* /token * redirect to=http://$closed/token"
is "$(count closedp token)" 0 "nothing went there"
rules tokenp '* /token 1 status code=503 retry-after=1'
ok "the service is busy once" thimble --root "$T/m" pull --creds "alice:$alice" "$guarded/team/data:1"
silent "a service that fails"

# --- short tokens -----------------------------------------------------------------------------------
token_server brief --hmac key --lives 2
oci_registry tight --hmac key --realm "$realm"
faults tightp "$host"
tight=$host
rules tightp 'PUT|PATCH . * slow rate=400000'
ok "a push during which tokens end" thimble -D push --creds "alice:$alice" data "$tight/team/data:1"
keep
rules tightp 'GET /blobs/ 2-4 stall after=1000 s=3' 'GET /blobs/ 5- delay s=1.1'
"$THIMBLE" -D --root "$T/n" pull --creds "alice:$alice" "$tight/team/data:1" >"$T/out" 2>"$T/err"
is $? 0 "a pull during which tokens end" || diag_file "$T/err"
is "$(THIMBLE_ROOT=$T/n contents "$tight/team/data:1")" "$(cat want)" "the right bytes"
rules tightp 'GET /blobs/ 1 delay s=3' 'GET /blobs/ 2-4 cut after=500000' 'GET /blobs/ 6 delay s=2.5'
ok "cut, and the token has ended since" thimble -D --root "$T/o" pull --creds "alice:$alice" "$tight/team/data:1"
keep
tokens=$(requests tightp Bearer | grep -o 'Bearer [^}]*' | sort -u | wc -l)
is "$((tokens > 1))" 1 "another token was asked for ($tokens)"
silent "short tokens"

# --- elsewhere ------------------------------------------------------------------------------------
# Blobs come from another host: no password, no token goes there.
oci_registry storage
storage=$host
oci_registry keeper --hmac key --realm "$realm" --redirected "http://$storage"
keeper=$host
ok "push" thimble push --creds "alice:$alice" data "$keeper/team/data:1"
ok "push to the storage" thimble push data "$storage/team/data:1"
: >"$servers/storage/log"
ok "pull, blobs from another host" thimble -D --root "$T/p" pull --creds "alice:$alice" "$keeper/team/data:1"
silent "redirected"
isnt "$(count storage '^GET /redirected/')" 0 "they came from there"
is "$(count storage Authorization)" 0 "without credentials"
isnt "$(count keeper Bearer)" 0 "which the registry got"
oci_registry keeper2 --user "alice:$alice" --redirected "http://$storage"
ok "push, basic" thimble push --creds "alice:$alice" data "$host/team/data:1"
ok "pull, blobs from another host, basic" thimble -D --root "$T/q" pull --creds "alice:$alice" "$host/team/data:1"
is "$(count storage Authorization)" 0 "without credentials"
silent "redirected, basic"

# An upload's Location on another host.
faults evil "$storage"
evil=$host
rules evil ''
faults mover "$(cat "$servers/keeper2/port" | sed 's/^/127.0.0.1:/')"
mover=$host
rules mover "POST . * header name=Location value=http://$evil/v2/x/blobs/uploads/1"
image data2 5000
run thimble -D push --creds "alice:$alice" data2 "$mover/team/data2:1"
keep
isnt "$(count mover Basic)" 0 "the registry got the password"
is "$(count evil 'Authorization')" 0 "an upload elsewhere did not"
# Pages of tags that go on elsewhere.
rules mover "GET /tags/ * header name=Link value='<http://$evil/v2/team/data/tags/list?last=1>; rel=\"next\"'"
run thimble -D tags --creds "alice:$alice" "$mover/team/data"
keep
is "$(count evil 'Authorization')" 0 "nor a page of tags elsewhere"
# A look-alike name has no credentials.
echo '{"auths": {"'"$closed"'": {"auth": "'"$basic_alice"'"}}}' >"$config"
: >"$servers/evil/log"
rules evil '* . * status code=401 auth="Basic realm=x"'
run thimble -D pull "$evil/team/data:1"
run thimble -D pull "localhost:${evil#*:}/team/data:1"
keep
is "$(count evil 'Authorization')" 0 "another port is another host"
# --creds are for the first registry that a command asks: not for what a Dockerfile names besides.
run thimble -D --root "$T/r" pull --creds "alice:$alice" "$closed/team/data:1" "$evil/team/data:1"
keep
is "$status" 1 "pull from two registries with --creds"
mkdir two
printf 'FROM %s/team/data:1\nCOPY --from=%s/team/data:1 /a /b\n' "$closed" "$evil" >two/Dockerfile
run thimble -D --root "$T/r2" build --creds "alice:$alice" two
keep
is "$status" 1 "build from two registries with --creds"
isnt "$(count evil '^GET .*/manifests/')" 0 "the second one was asked"
is "$(count evil 'Authorization')" 0 "without credentials"
# A registry that names another registry's token service as its own gets no password of that one.
silent "the end"
done_testing
