/* SPDX-License-Identifier: Apache-2.0 */
/* dockerfile/values.h: the small languages inside of arguments: ports, signals, durations, modes,
 * owners. Errors say what is allowed; the caller adds the place. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/array.h"
#include "base/attr.h"
#include "base/slice.h"

struct err;

/* ---- EXPOSE ---- */
enum {
	EXPOSE_ODD_FORM = 1,   /* "ip:host:container": only container was kept */
	EXPOSE_ODD_CASE = 2,   /* protocol not in lower case */
};
/* "80", "80-82/udp", "127.0.0.1:80:80/tcp": each port is added as "80/tcp" (ports may be NULL: the
 * text is only checked). *odd (may be NULL) gets EXPOSE_* bits. At most 65536 ports an argument. */
int expose_parse(struct slice arg, struct strs *ports, unsigned *odd, struct err *e) _must_check_;

/* ---- STOPSIGNAL ---- */
/* A name with or without SIG in any case ("sigterm", "RTMIN+3"), or a number from 1 to 64. The
 * number is returned; -1 ERR_USER "invalid signal". */
int stopsignal_parse(struct slice s, struct err *e) _must_check_;

/* ---- HEALTHCHECK ---- */
/* A Go duration, 0 or at least 1ms. `flag` is for messages. */
int health_duration(struct slice s, const char *flag, int64_t *ns, struct err *e) _must_check_;

/* ---- chmod ---- */
enum { CHMOD_CLAUSES = 32 };
struct chmod_clause {
	uint16_t who;      /* bits it may touch: u 04700, g 02070, o 01007 */
	char op;           /* '+', '-', '=' */
	uint16_t perm;     /* rwx as 07, setuid and setgid as 06000, sticky 01000 */
	bool exec_if;      /* 'X' */
	char copy;         /* 'u', 'g', 'o': the permissions that class has; 0: none */
};
struct chmod_spec {
	bool is_octal;
	uint32_t mode;     /* is_octal */
	unsigned n;
	struct chmod_clause clauses[CHMOD_CLAUSES];
};
/* "0755", "go-w", "u=rwX,go=rX". ERR_USER else. */
int chmod_parse(struct slice s, struct chmod_spec *out, struct err *e) _must_check_;
/* The new permission bits (07777) of a file that has `mode`. */
uint32_t chmod_apply(const struct chmod_spec *c, uint32_t mode, bool is_dir);

/* ---- booleans of flags and mount options ---- */
int bool_parse(struct slice s, bool *out) _must_check_; /* true/false in any case; -1 else */

/* The nearest of n names within Levenshtein distance 2 (and less than the word's own length), case
 * ignored; NULL if none is near. */
const char *nearest_name(struct slice word, const char *const *names, size_t n);
