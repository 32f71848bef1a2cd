#!/bin/sh
# A registry behind a token service: who gets which password, and what is refused.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/registry/registry.sh"
run_in() { # TEXT COMMAND...: run with a stdin
	printf '%s' "$1" >"$T/in"
	shift
	"$@" >"$T/out" 2>"$T/err" <"$T/in"
	status=$?
	err=$(cat "$T/err")
}
code() { printf '%s' "$1" | base64 -w0; }
token_server tokens
registry guarded token
R=$host

run_in 'not-the-password' thimble login -u alice --password-stdin "$R"
is "$status" 1 "a wrong password"
like "$err" 'incorrect username or password' "the service's own words"
like "$err" "thimble login $R" "and what to do"
unlike "$err" 'not-the-password' "not the password"
run_in "$alice" thimble login -u alice --password-stdin "$R"
is "$status" 0 "the right one"
like "$(requests tokens '^GET /token')" 'account=alice' "the service is told who asks"
like "$(requests tokens '^GET /token')" 'service=thimble-tests' "and for which service"
ok "login with what is known" thimble login "$R"

# ---- identity tokens ----
printf '{"auths":{"%s":{"auth":"%s","identitytoken":"refresh-alice"}}}' "$R" "$(code '<token>:')" >"$HOME/.docker/config.json"
chmod 600 "$HOME/.docker/config.json"
ok "an identity token" thimble login "$R"
like "$(requests tokens '^POST /token')" 'grant_type=refresh_token' "is sent as OAuth2 has it"
like "$(requests tokens '^POST /token')" 'client_id=thimble' "with our name"
sed -i s/refresh-alice/refresh-nobody/ "$HOME/.docker/config.json"
fails 1 "one that is not good any more" thimble login "$R"
unlike "$err" 'refresh-nobody' "is not shown"
rm "$HOME/.docker/config.json"

# ---- where credentials do not go ----
cat >"$T/fake.py" <<'P'
# A registry with any challenge; a token service with any answer. One request a connection.
import http.server, sys
challenge, status, headers, body = sys.argv[3], int(sys.argv[4]), sys.argv[5], sys.argv[6]
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with open(sys.argv[2], 'a') as f:
            f.write(f'{self.command} {self.path} {self.headers.get("Authorization")}\n')
        token = self.path.startswith('/token')
        self.send_response(status if token else 401)
        if not token:
            self.send_header('WWW-Authenticate', challenge.replace('SELF', 'http://%s:%d' % self.server.server_address))
        for h in headers.split('|') if token and headers else []:
            self.send_header(*h.split(': ', 1))
        data = body.encode() if token else b'{}'
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    do_POST = do_GET
    def log_message(self, *a): pass
s = http.server.HTTPServer(('127.0.0.1', 0), H)
with open(sys.argv[1] + '.new', 'w') as f: f.write(str(s.server_address[1]))
import os; os.rename(sys.argv[1] + '.new', sys.argv[1])
s.serve_forever()
P
n=0
fake() { # CHALLENGE [STATUS HEADERS BODY]: $host, $log
	n=$((n + 1))
	mkdir -p "$servers/fake$n"
	log=$servers/fake$n/log
	: >"$log"
	server_begin "fake$n" python3 "$T/fake.py" "$servers/fake$n/port" "$log" "$1" "${2-200}" "${3-}" "${4-}"
	server_wait "fake$n" test -e "$servers/fake$n/port"
	host=127.0.0.1:$(cat "$servers/fake$n/port")
}
basic=$(code "alice:$alice")
refuses() { # DESCRIPTION REGEX
	fails 1 "$1" thimble login -u alice -p "$alice" "$host"
	like "$err" "$2" "$1: says why"
	unlike "$err" "$alice|$basic" "$1: shows no password"
}
fake 'Bearer realm="http://192.0.2.1/token",service="s"'
refuses "a realm without encryption" 'asked without encryption'
fake 'Bearer realm="file:///etc/passwd"'
refuses "a realm that is a file" 'token service'
fake 'Bearer realm="http://user:pw@127.0.0.1/token"'
refuses "a realm with a name in it" 'token service'
fake 'Bearer service="s"'
refuses "no realm" 'does not say where to get a token'
like "$err" 'must name a realm' "and whom to tell"
fake 'Negotiate'
refuses "a scheme that we do not speak" "'Negotiate', which thimble does not speak"
like "$err" 'Basic and Bearer' "and what it speaks"
fake 'Bearer realm="SELF/token"' 200 '' '{}'
refuses "no token" 'answers without a token'
fake 'Bearer realm="SELF/token"' 200 '' '{"token":"a\r\nX-Evil: 1"}'
refuses "a token that would be a header" 'a token that is none'
fake 'Bearer realm="SELF/token"' 200 '' '<html>hello</html>'
refuses "HTML" 'answers without a token'
fake 'Bearer realm="SELF/token"' 403 '' '{"errors":[{"message":"no entry for you"}]}'
refuses "a refusal" 'answers 403: no entry for you'
fake 'Bearer realm="SELF/token"' 503 '' 'busy'
refuses "a service that is down" 'answers 503: busy'
like "$err" "get a token from '$host' for '$host'" "the service is named with its port"
is "$(grep -c '^GET /token' "$log")" 5 "which is asked five times"
fake 'Bearer realm="SELF/token"' 200 '' '{"token":"never-good"}'
refuses "a token that the registry does not take" "$host"
is "$(grep -c '^GET /token' "$log")" 1 "is not asked for again and again"

# A redirect of the token service to another origin gets nothing.
fake 'Basic realm="x"'
other=$host other_log=$log
fake 'Bearer realm="SELF/token"' 307 "Location: http://$other/token" ''
refuses "a redirect to another origin" "redirects to 'http://127.0.0.1"
is "$(cat "$other_log")" '' "which was not asked"
done_testing
