#!/bin/sh
# openjdk from Debian: compiled with the JDK, run from a jar by the JRE.
. "$(dirname "$0")/../lib/tap.sh"
ok "the base image" "$tests/../examples/minimage/bases" --thimble "$THIMBLE" debian

cat >Main.java <<'J'
import java.nio.file.*;
import java.util.concurrent.*;
import java.util.stream.*;
public class Main {
	record Point(int x, int y) { }
	public static void main(String[] args) throws Exception {
		System.out.println(new Point(1, 2));
		System.out.println(IntStream.range(0, 1000).parallel().sum());
		System.out.println(Files.readString(Path.of("/etc/debian_version")).startsWith("12"));
		var pool = Executors.newFixedThreadPool(4);
		System.out.println(pool.submit(() -> 6 * 7).get());
		pool.shutdown();
		var p = new ProcessBuilder("id", "-un").start();
		System.out.println(new String(p.getInputStream().readAllBytes()).trim());
		System.out.println(javax.net.ssl.SSLContext.getDefault().getProtocol());
		System.out.println(Main.class.getResource("text") != null);
		Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("bye")));
		if (args.length > 0) { System.out.println("up"); Thread.sleep(60000); }
	}
}
J
echo text >text
dockerfile <<'D'
FROM debian AS jre
ENV DEBIAN_FRONTEND=noninteractive
RUN apt-get update && apt-get install -y --no-install-recommends openjdk-17-jre-headless
RUN java -version

FROM jre AS build
RUN apt-get install -y --no-install-recommends openjdk-17-jdk-headless
WORKDIR /src
COPY Main.java text ./
RUN javac -d out Main.java && cp text out/ && jar -c -f app.jar -e Main -C out .

FROM jre
COPY --from=build /src/app.jar /app.jar
RUN java -jar /app.jar >/by-root
USER games
ENTRYPOINT ["java", "-jar", "/app.jar"]
D
ok "built" thimble build --progress plain -t java .
want='Point[x=1, y=2]
499500
true
42
root
Default
true
bye'
ok "as root in RUN" thimble run --rm --entrypoint cat java /by-root
is "$out" "$want" "does it all"
ok "as USER in run" thimble run --rm java
is "$out" "$(echo "$want" | sed s/root/games/)" "does it all"
ok "java -version" thimble run --rm --entrypoint java java -version
like "$err" 'openjdk version "17' "tells its version"
"$THIMBLE" run --rm java wait >log 2>&1 &
pid=$!
tries=300
while [ $tries -gt 0 ] && ! grep -q up log; do sleep 0.1; tries=$((tries - 1)); done
kill -TERM "$pid"
wait "$pid"
is $? 143 "TERM ends it as it ends any java"
is "$(tail -n 1 log)" bye "after its shutdown hook"
done_testing
