/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/curl_lib.h"

#include <pthread.h>

#include "base/buf.h"
#include "base/err.h"
#include "registry/transport.h"

DLIB_NOTE("registries", "pull and push of images", "recommended", "libcurl.so.4");

struct curl_lib curl_lib;

#define BIND(fn) DLIB_BIND(curl_lib, fn)
static const struct dlib_fn functions[] = {
	BIND(curl_global_init),    BIND(curl_easy_init),        BIND(curl_easy_reset),
	BIND(curl_easy_cleanup),   BIND(curl_easy_perform),     BIND(curl_easy_setopt),
	BIND(curl_easy_getinfo),   BIND(curl_easy_pause),       BIND(curl_easy_strerror),
	BIND(curl_slist_append),   BIND(curl_slist_free_all),   BIND(curl_multi_init),
	BIND(curl_multi_cleanup),  BIND(curl_multi_add_handle), BIND(curl_multi_remove_handle),
	BIND(curl_multi_perform),  BIND(curl_multi_poll),       BIND(curl_multi_info_read),
	BIND(curl_multi_strerror),
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct err open_err;
static bool there;

static void open_library(void)
{
	if (dlib_open("libcurl.so.4", "libcurl4", functions, COUNT_OF(functions), &open_err) < 0)
		return;
	CURLcode code = curl_lib.curl_global_init(CURL_GLOBAL_DEFAULT);
	if (code != CURLE_OK)
		err_set(&open_err, ERR_SYS, "libcurl does not start: %s",
			curl_lib.curl_easy_strerror(code));
	there = code == CURLE_OK;
}

int curl_need(struct err *e)
{
	(void)pthread_once(&once, open_library);
	if (there)
		return 0;
	_cleanup_(buf_done) struct buf b = { 0 };
	_cleanup_(err_done) struct err copy = { 0 };
	err_save(&open_err, &b);
	if (err_load(buf_view(&b), &copy) == 0 && e)
		err_move(e, &copy);
	return err_add(e, "speak to a registry");
}
