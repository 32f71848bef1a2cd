#!/bin/sh
# nodejs from Debian: a server, its own client, worker threads, child processes.
. "$(dirname "$0")/../lib/tap.sh"
ok "the base image" "$tests/../examples/minimage/bases" --thimble "$THIMBLE" debian

mkdir -p app/node_modules/greet/lib
echo '{"name":"greet","version":"1.0.0","main":"lib/index"}' >app/node_modules/greet/package.json
echo "module.exports = n => 'hello ' + n" >app/node_modules/greet/lib/index.js
cat >app/main.js <<'J'
const http = require('http'), fs = require('fs'), os = require('os'), { Worker } = require('worker_threads')
const { execFileSync } = require('child_process'), crypto = require('crypto'), zlib = require('zlib')
const greet = require('greet')
fs.writeFileSync('/tmp/f', zlib.gzipSync('zipped'))
console.log(zlib.gunzipSync(fs.readFileSync('/tmp/f')).toString(), os.cpus().length > 0)
console.log(crypto.createHash('sha256').update('abc').digest('hex').slice(0, 8))
console.log(execFileSync('id', ['-u']).toString().trim(), process.cwd())
const w = new Worker("require('worker_threads').parentPort.postMessage(6 * 7)", { eval: true })
w.on('message', m => {
  console.log('worker', m)
  const server = http.createServer((q, a) => a.end(greet(q.url)))
  server.listen('/tmp/sock', () => http.get({ socketPath: '/tmp/sock', path: '/x' }, a => {
    a.on('data', d => console.log(a.statusCode, d.toString()))
    a.on('end', () => server.close())
  }))
})
process.on('SIGTERM', () => { console.log('term'); process.exit(3) })
J
dockerfile <<'D'
FROM debian
RUN apt-get update && apt-get install -y --no-install-recommends nodejs && \
    rm -rf /var/lib/apt/lists/*
WORKDIR /srv/app
COPY app .
RUN node main.js >/by-root && rm /tmp/f
USER nobody
RUN node main.js >/tmp/by-nobody && rm /tmp/f
CMD ["node", "main.js"]
D
ok "built" thimble build --progress plain -t node .
want="zipped true
ba7816bf
0 /srv/app
worker 42
200 hello /x"
ok "as root in RUN" thimble run --rm node cat /by-root
is "$out" "$want" "does it all"
want=$(echo "$want" | sed s/^0/65534/)
ok "as nobody in RUN" thimble run --rm node cat /tmp/by-nobody
is "$out" "$want" "does it all"
ok "as nobody in run" thimble run --rm node
is "$out" "$want" "does it all"
fails 7 "an exit status" thimble run --rm node node -e 'process.exitCode = 7'
ok "a program on standard input" sh -c 'echo "console.log(1+1)" | "$THIMBLE" run --rm -i node node -'
is "$out" 2 "is run"
"$THIMBLE" run --rm node node -e 'process.on("SIGTERM", () => { console.log("term"); process.exit(3) })
setInterval(() => {}, 1000); console.log("up")' >log 2>&1 &
pid=$!
tries=100
while [ $tries -gt 0 ] && ! grep -q up log; do sleep 0.1; tries=$((tries - 1)); done
kill -TERM "$pid"
wait "$pid"
is $? 3 "TERM reaches it, its status comes back"
is "$(cat log)" "up
term" "and its last words"
done_testing
