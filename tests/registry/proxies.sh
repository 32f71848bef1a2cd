#!/bin/sh
# What a proxy of the environment that does not work is told, and that it is the proxy.
# Everything is on loopback: the registry's name is asked of the proxy only.
. "$(dirname "$0")/../lib/tap.sh"
. "$tests/lib/registry/registry.sh"

oci_registry oci
faults proxy "$host"
name=registry.invalid/team/app:1

pull() { https_proxy=$1 thimble pull "$name"; }
rules proxy 'CONNECT . * status code=403'
fails 1 "a proxy that refuses" pull "http://$host"
like "$err" 'the proxy does not let us through: it answered 403' "is told"
like "$err" 'comes from the environment \(https_proxy, all_proxy\); no_proxy lists' "and where it comes from"
rules proxy 'CONNECT . * status code=407'
fails 1 "a proxy that wants a password" pull "http://$host"
like "$err" 'it answered 407' "is told"
like "$err" 'https_proxy=http://USER:PASSWORD@HOST:PORT' "and where it is put"
fails 1 "no proxy there" pull http://127.0.0.1:1
like "$err" 'a proxy may be in use: https_proxy is set; no_proxy lists hosts' "is told"
fails 1 "a proxy without an address" pull http://a..b:1
like "$err" 'the proxy comes from the environment \(https_proxy, all_proxy\)' "is told"
fails 1 "nonsense" pull gopher://user:secret@127.0.0.1:1
like "$err" 'what https_proxy says is no address of a proxy' "is told"
unlike "$err" secret "without the password in it"

tls
registry safe tls
SSL_CERT_FILE=$T/nothing.pem fails 1 "no file of authorities" thimble pull "$host/team/app:1"
like "$err" 'in the package ca-certificates; SSL_CERT_FILE names another file' "is told"
done_testing
