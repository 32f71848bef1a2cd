/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox/report.h: what the processes of a sandbox tell its parent through a pipe: frames of a tag,
 * a length (32 bits, this machine's order) and bytes. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "base/attr.h"
#include "base/buf.h"

struct err;

enum report_tag {
	REPORT_FAILED = 'E', /* set-up failed: an error (err_save) */
	REPORT_MADE = 'M',   /* a mount point was made in the layers: its key */
	REPORT_READY = 'R',  /* set-up is done */
	REPORT_EXEC = 'X',   /* struct report_exec, then the program's path, or REPORT_PATH bytes of it */
	REPORT_STATUS = 'S', /* int32_t: the program's wait status */
};
struct report_exec {
	int32_t no;         /* errno */
	int32_t cwd_failed;
};
#define REPORT_MAX (1u << 20)
/* Nobody reads before the process has ended: this and a status must fit into the smallest pipe, which
 * has one page. */
#define REPORT_PATH 2048
#define REPORT_FD  3 /* where the pipe is in the new process */
/* Exit statuses of a process whose program was not started; the report says more. */
#define NOT_STARTED    127
#define NOT_EXECUTABLE 126

/* Best effort: nobody is left to tell if it fails. */
void report_send(int fd, enum report_tag tag, const void *p, size_t n);
void report_send2(int fd, enum report_tag tag, const void *p, size_t n, const void *q, size_t m);
/* 1: a frame; 0: the pipe has ended; -1: errno, or the bytes are malformed (EBADMSG). `data` is
 * emptied first. */
int report_read(int fd, enum report_tag *tag, struct buf *data) _must_check_;
