/* SPDX-License-Identifier: Apache-2.0 */
/* registry/hosts.h: where a reference's bytes may come from: containers-registries.conf(5), version
 * 2 (/etc/containers/registries.conf, registries.conf.d/, $XDG_CONFIG_HOME or ~/.config/containers/,
 * $CONTAINERS_REGISTRIES_CONF): [[registry]] prefix (also "*.host"), location, insecure, blocked,
 * [[registry.mirror]] location, insecure, pull-from-mirror, mirror-by-digest-only. Short names and
 * unqualified-search-registries are not used: a name without a registry is docker.io's, as Docker
 * has it. And certs.d/HOST[:PORT]/ (ca *.crt, client *.cert with *.key) below /etc/docker/certs.d,
 * /etc/containers/certs.d, ~/.config/containers/certs.d, ~/.config/docker/certs.d. */
#pragma once
#include "oci/reference.h"
#include "registry/transport.h"

struct err;

/* One place to ask, in order. */
struct endpoint {
	char *host; /* "localhost:5000"; Docker Hub's "docker.io" is "registry-1.docker.io" here */
	char *path; /* repository there: rewritten as the file says */
	bool insecure; /* certificate not checked, http: if https: does not answer */
	bool mirror;
};
struct endpoints {
	struct endpoint *p;
	size_t n, cap;
};
void endpoints_done(struct endpoints *l);

struct hosts_opts {
	bool insecure; /* --insecure, --tls-verify=false */
	const char *cacert; /* --cacert, or NULL */
	const char *cert_dir; /* --cert-dir, or NULL: the directories above */
};
/* For pulling: mirrors first, then the registry itself; else only the latter, and so for a registry
 * as a whole (ref->path is ""; the endpoint's path is "", too). ERR_DENIED: blocked by
 * a file, which is named. ERR_DATA: a file is malformed, with its place. */
int hosts_find(const struct hosts_opts *o, const struct reference *ref, bool pull,
	       struct endpoints *out, struct err *e) _must_check_;
/* TLS settings for "HOST:PORT". Strings in it are owned by it: http_tls_done. */
int hosts_tls(const struct hosts_opts *o, const char *host, bool insecure, struct http_tls *out,
	      struct err *e) _must_check_;
void hosts_tls_done(struct http_tls *t);
