/* SPDX-License-Identifier: Apache-2.0 */
/* cli/registry_args.h: what all commands that speak to registries have in common: where credentials
 * and certificates come from.
 *
 *	struct pull_args { struct registry_args reg; bool quiet; };
 *	static const struct opt opts[] = {
 *		OPT_FLAG('q', "quiet", struct pull_args, quiet, "…"),
 *		REGISTRY_OPTS(struct pull_args, reg),
 *		{ 0 },
 *	};
 *	_cleanup_(creds_done) struct creds creds = { 0 };
 *	struct registry_opts o;
 *	if (registry_args_opts(c, &a->reg, &o, &creds, e) < 0) …
 */
#pragma once
#include "cli/cli.h"
#include "registry/session.h"

struct registry_args {
	const char *authfile, *creds, *cacert, *cert_dir, *tls_verify;
	bool insecure;
};

#define REGISTRY_OPTS_TLS(type, f)                                                         \
	OPT_STR(0, "cacert", type, f.cacert, "FILE",                                       \
		"trust the authorities in this PEM file, too"),                            \
		OPT_STR(0, "cert-dir", type, f.cert_dir, "DIR",                            \
			"take *.crt, *.cert and *.key from here, not from certs.d/HOST"),  \
		OPT_FLAG(0, "insecure", type, f.insecure,                                  \
			 "do not check certificates; http: where https: does not answer"), \
		OPT_OPTVAL(0, "tls-verify", type, f.tls_verify, "BOOL", "true",            \
			   "check certificates; --tls-verify=false is --insecure")
#define REGISTRY_OPTS(type, f)                                                              \
	OPT_STR(0, "authfile", type, f.authfile, "FILE",                                    \
		"credentials: $REGISTRY_AUTH_FILE, else ~/.docker/config.json and others"), \
		OPT_STR(0, "creds", type, f.creds, "USER[:PASSWORD]",                       \
			"these credentials; the password is asked for if it is not there"), \
		REGISTRY_OPTS_TLS(type, f)

/* Strings in *out are borrowed from argv and from `store`, which the caller ends with creds_done
 * after the last use of *out. Warnings and notes go to stderr. -1: a value that makes no sense. */
int registry_args_opts(struct cli *c, const struct registry_args *a, struct registry_opts *out,
		       struct creds *store, struct err *e) _must_check_;
/* "USER[:PASSWORD]" (flag: where it was given, for messages); without a password it is asked for. */
int registry_args_creds(struct cli *c, const char *flag, const char *text, struct creds *store,
			struct err *e) _must_check_;
/* One line from the terminal on standard input, at most 4000 bytes, without echo if `secret`;
 * ERR_USER with `instead` as the hint if that is no terminal. Catches signals (base/interrupt.h), so
 * that the echo comes back. The caller wipes and frees. NULL on failure. */
char *registry_args_ask(const char *prompt, bool secret, const char *instead, struct err *e);
