/* SPDX-License-Identifier: Apache-2.0 */
/* registry/curl_lib.h: libcurl's functions, opened on first use; for transport.c and what belongs to
 * it alone. */
#pragma once
/* The functions themselves are wanted, not the macros that check their arguments. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#undef curl_easy_setopt
#undef curl_easy_getinfo

#include "base/attr.h"
#include "base/dlib.h"

struct err;

struct curl_lib {
	DLIB_FN(curl_global_init);
	DLIB_FN(curl_easy_init);
	DLIB_FN(curl_easy_reset);
	DLIB_FN(curl_easy_cleanup);
	DLIB_FN(curl_easy_perform);
	DLIB_FN(curl_easy_setopt);
	DLIB_FN(curl_easy_getinfo);
	DLIB_FN(curl_easy_pause);
	DLIB_FN(curl_easy_strerror);
	DLIB_FN(curl_slist_append);
	DLIB_FN(curl_slist_free_all);
	DLIB_FN(curl_multi_init);
	DLIB_FN(curl_multi_cleanup);
	DLIB_FN(curl_multi_add_handle);
	DLIB_FN(curl_multi_remove_handle);
	DLIB_FN(curl_multi_perform);
	DLIB_FN(curl_multi_poll);
	DLIB_FN(curl_multi_info_read);
	DLIB_FN(curl_multi_strerror);
};
extern struct curl_lib curl_lib;

/* To be called before any other; cheap from the second time on. */
int curl_need(struct err *e) _must_check_;
/* Proxies come from the environment, but never for this machine itself. */
void curl_set_proxy(CURL *easy, const char *url);
/* Why an exchange failed, as transport.h's http_send promises it. words: of CURLOPT_ERRORBUFFER. */
int curl_words(CURL *easy, CURLcode code, const char *words, struct err *e);
