/* SPDX-License-Identifier: Apache-2.0 */
/* registry/curl_words.c: libcurl's failures for people (text and hints) and for the session
 * (sys_errno, as transport.h has it). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/err.h"
#include "registry/curl_lib.h"
#include "registry/url.h"

enum { PROBE_S = 5 };

/* ---- certificates ---- */

/* "Issuer:CN = …": what follows the name, in one of a certificate's fields, or NULL. */
static const char *field(const struct curl_slist *l, const char *name)
{
	size_t n = strlen(name);
	for (; l; l = l->next)
		if (strncasecmp(l->data, name, n) == 0 && l->data[n] == ':')
			return l->data + n + 1;
	return NULL;
}

/* The server's certificate as it describes itself. libcurl tells nothing of one that it refused, so
 * it is asked once more, without checks: only the handshake, nothing is sent. Caller frees; NULL. */
static char *describe(const char *url)
{
	CURL *c = curl_lib.curl_easy_init();
	struct curl_certinfo *info = NULL;
	char *text = NULL;
	if (!c)
		return NULL;
	curl_lib.curl_easy_setopt(c, CURLOPT_URL, url);
	curl_set_proxy(c, url);
	curl_lib.curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_lib.curl_easy_setopt(c, CURLOPT_CONNECT_ONLY, 1L);
	curl_lib.curl_easy_setopt(c, CURLOPT_CERTINFO, 1L);
	curl_lib.curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_lib.curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_lib.curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)PROBE_S);
	if (curl_lib.curl_easy_perform(c) == CURLE_OK &&
	    curl_lib.curl_easy_getinfo(c, CURLINFO_CERTINFO, &info) == CURLE_OK && info &&
	    info->num_of_certs > 0) {
		const struct curl_slist *l = info->certinfo[0];
		const char *subject = field(l, "Subject"), *issuer = field(l, "Issuer"),
			   *names = field(l, "X509v3 Subject Alternative Name"),
			   *until = field(l, "Expire date");
		text = str_printf("it is for %s, signed by %s, valid until %s",
				  names     ? names
				  : subject ? subject
					    : "nobody",
				  issuer ? issuer : "nobody", until ? until : "?");
	}
	curl_lib.curl_easy_cleanup(c);
	return text;
}

/* OpenSSL's numbers, x509_vfy.h: they are part of its interface. */
enum {
	V_NOT_YET = 9,
	V_EXPIRED = 10,
	V_SELF = 18,
	V_SELF_IN_CHAIN = 19,
	V_NO_ISSUER = 20,
	V_NO_LEAF = 21
};

static void refused_certificate(CURL *easy, const char *words, struct err *e)
{
	long verify = 0;
	char *url = NULL;
	(void)curl_lib.curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &verify);
	(void)curl_lib.curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
	_free_ char *what = url ? describe(url) : NULL;
	err_set(e, ERR_NET, "%s%s%s%s", words, what ? " (" : "", what ? what : "", what ? ")" : "");
	switch (verify) {
	case V_NOT_YET:
	case V_EXPIRED:
		err_hint(e, "is this machine's clock right? else the registry needs a new "
			    "certificate");
		break;
	case V_SELF:
	case V_SELF_IN_CHAIN:
	case V_NO_ISSUER:
	case V_NO_LEAF:
		err_hint(e, "if the registry has an authority of its own: --cacert FILE, or its "
			    "certificate as /etc/docker/certs.d/HOST:PORT/ca.crt");
		break;
	default: err_hint(e, "use the name that the certificate is for"); break;
	}
	err_hint(e, "--insecure does not check it at all");
}

/* ---- proxies ---- */

/* What never leaves this machine goes to no proxy, as Go's programs have it: http: is spoken there, with
 * passwords, for just that reason (url.h, host_is_loopback). NULL or none of ours: false. */
static bool is_loopback(const char *url)
{
	struct url u = { 0 };
	if (!url || url_parse(slice_of(url), &u, NULL) < 0)
		return false;
	bool is = host_is_loopback(u.host);
	url_done(&u);
	return is;
}

void curl_set_proxy(CURL *easy, const char *url)
{
	if (is_loopback(url))
		(void)curl_lib.curl_easy_setopt(easy, CURLOPT_PROXY, "");
}

static const char *proxy_variable(const char *url)
{
	if (is_loopback(url))
		return NULL;
	static const char *const plain[] = { "http_proxy", "all_proxy", "ALL_PROXY" };
	static const char *const secure[] = { "https_proxy", "HTTPS_PROXY", "all_proxy",
					      "ALL_PROXY" };
	bool tls = url && strncmp(url, "https:", 6) == 0;
	for (size_t i = 0; i < (tls ? COUNT_OF(secure) : COUNT_OF(plain)); i++) {
		const char *name = tls ? secure[i] : plain[i], *value = getenv(name);
		if (value && *value)
			return name;
	}
	return NULL;
}

/* libcurl quotes the proxy's address where it makes no sense of it, with the password that may be in
 * it. Nothing but its text tells that it was this. */
static bool proxy_is_nonsense(CURL *easy, const char *words, struct err *e)
{
	char *url = NULL;
	if (strncmp(words, "Unsupported proxy", 17) != 0)
		return false;
	(void)curl_lib.curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
	const char *name = proxy_variable(url);
	err_set(e, ERR_NET, "what %s says is no address of a proxy",
		name ? name : "the environment");
	err_hint(e, "it is http://HOST:PORT, or with a name and a password "
		    "http://USER:PASSWORD@HOST:PORT");
	return true;
}

/* The answer to CONNECT. */
static bool proxy_refused(CURL *easy, struct err *e)
{
	long status = 0;
	(void)curl_lib.curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &status);
	if (status == 0 || status / 100 == 2)
		return false;
	err_set(e, ERR_NET, "the proxy does not let us through: it answered %ld", status);
	if (status == 407)
		err_hint(e, "it wants a name and a password: "
			    "https_proxy=http://USER:PASSWORD@HOST:PORT");
	else
		err_hint(e, "the proxy comes from the environment (https_proxy, all_proxy); "
			    "no_proxy lists hosts that are asked without it");
	return true;
}

static void hint_network(CURL *easy, const char *otherwise, struct err *e)
{
	char *url = NULL;
	(void)curl_lib.curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
	const char *proxy = proxy_variable(url);
	if (proxy)
		err_hint(e,
			 "a proxy may be in use: %s is set; no_proxy lists hosts that are asked "
			 "without it",
			 proxy);
	err_hint(e, "%s", otherwise);
}

int curl_words(CURL *easy, CURLcode code, const char *words, struct err *e)
{
	const char *text = *words ? words : curl_lib.curl_easy_strerror(code);
	int no = ECONNRESET;
	bool nonsense = proxy_is_nonsense(easy, text, e);
	if (nonsense || proxy_refused(easy, e)) {
		if (e)
			e->sys_errno = nonsense ? EINVAL : EACCES;
		return -1;
	}
	err_set(e, ERR_NET, "%s", text);
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		no = EHOSTUNREACH;
		hint_network(easy, "is the name right, and is there a network?", e);
		break;
	case CURLE_COULDNT_RESOLVE_PROXY:
		no = EHOSTUNREACH;
		err_hint(e, "the proxy comes from the environment (https_proxy, all_proxy)");
		break;
	case CURLE_COULDNT_CONNECT:
		no = ECONNREFUSED;
		hint_network(easy, "does the registry run there, and is the port right?", e);
		break;
	case CURLE_OPERATION_TIMEDOUT: no = ETIMEDOUT; break;
	case CURLE_PEER_FAILED_VERIFICATION:
		no = EKEYREJECTED;
		refused_certificate(easy, text, e);
		break;
	case CURLE_SSL_CACERT_BADFILE:
		no = EKEYREJECTED;
		err_hint(e, "the authorities that this machine trusts are in the package "
			    "ca-certificates; SSL_CERT_FILE names another file");
		break;
	case CURLE_SSL_CERTPROBLEM: no = EKEYREJECTED; break;
	case CURLE_SSL_CONNECT_ERROR: no = EPROTO; break;
	case CURLE_UNSUPPORTED_PROTOCOL: /* "HTTP/0.9": url.h lets only http: and https: through */
	case CURLE_WEIRD_SERVER_REPLY:
		err_set(e, ERR_NET, "what came as an answer is no HTTP (%s)", text);
		err_hint(e, "does a registry listen there?");
		break;
	case CURLE_OUT_OF_MEMORY: /* so it calls one line that is longer than its own limit */
		no = EINVAL;
		err_set(e, ERR_DATA, "a line of the answer's headers is too long");
		break;
	case CURLE_URL_MALFORMAT: no = EINVAL; break;
	default: break;
	}
	if (e)
		e->sys_errno = no;
	return -1;
}
