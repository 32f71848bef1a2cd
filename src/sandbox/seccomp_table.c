/* SPDX-License-Identifier: Apache-2.0 */
/* Made by tools/seccomp-table from seccomp.json of golang-github-containers-common and the
 * kernel's headers; do not edit. Each range goes on to the next one's first number; the comment
 * names the first call in it. */
#include "sandbox/seccomp.h"

const struct seccomp_range seccomp_x86_64[] = {
	{ 0, SECCOMP_ALLOW }, /* read */
	{ 41, SECCOMP_SOCKET }, /* socket */
	{ 42, SECCOMP_ALLOW }, /* connect */
	{ 56, SECCOMP_CLONE }, /* clone */
	{ 57, SECCOMP_ALLOW }, /* fork */
	{ 103, SECCOMP_EPERM }, /* syslog */
	{ 104, SECCOMP_ALLOW }, /* getgid */
	{ 134, SECCOMP_EPERM }, /* uselib */
	{ 135, SECCOMP_PERSONALITY }, /* personality */
	{ 136, SECCOMP_EPERM }, /* ustat */
	{ 137, SECCOMP_ALLOW }, /* statfs */
	{ 139, SECCOMP_EPERM }, /* sysfs */
	{ 140, SECCOMP_ALLOW }, /* getpriority */
	{ 153, SECCOMP_EPERM }, /* vhangup */
	{ 154, SECCOMP_ALLOW }, /* modify_ldt */
	{ 155, SECCOMP_EPERM }, /* pivot_root */
	{ 157, SECCOMP_ALLOW }, /* prctl */
	{ 163, SECCOMP_EPERM }, /* acct */
	{ 186, SECCOMP_ALLOW }, /* gettid */
	{ 212, SECCOMP_EPERM }, /* lookup_dcookie */
	{ 213, SECCOMP_ALLOW }, /* epoll_create */
	{ 227, SECCOMP_EPERM }, /* clock_settime */
	{ 228, SECCOMP_ALLOW }, /* clock_gettime */
	{ 236, SECCOMP_EPERM }, /* vserver */
	{ 240, SECCOMP_ALLOW }, /* mq_open */
	{ 246, SECCOMP_EPERM }, /* kexec_load */
	{ 247, SECCOMP_ALLOW }, /* waitid */
	{ 248, SECCOMP_EPERM }, /* add_key */
	{ 251, SECCOMP_ALLOW }, /* ioprio_set */
	{ 256, SECCOMP_EPERM }, /* migrate_pages */
	{ 257, SECCOMP_ALLOW }, /* openat */
	{ 272, SECCOMP_EPERM }, /* unshare */
	{ 273, SECCOMP_ALLOW }, /* set_robust_list */
	{ 279, SECCOMP_EPERM }, /* move_pages */
	{ 280, SECCOMP_ALLOW }, /* utimensat */
	{ 298, SECCOMP_EPERM }, /* perf_event_open */
	{ 299, SECCOMP_ALLOW }, /* recvmmsg */
	{ 300, SECCOMP_EPERM }, /* fanotify_init */
	{ 301, SECCOMP_ALLOW }, /* fanotify_mark */
	{ 304, SECCOMP_EPERM }, /* open_by_handle_at */
	{ 305, SECCOMP_ALLOW }, /* clock_adjtime */
	{ 308, SECCOMP_EPERM }, /* setns */
	{ 309, SECCOMP_ALLOW }, /* getcpu */
	{ 312, SECCOMP_EPERM }, /* kcmp */
	{ 314, SECCOMP_ALLOW }, /* sched_setattr */
	{ 320, SECCOMP_EPERM }, /* kexec_file_load */
	{ 322, SECCOMP_ALLOW }, /* execveat */
	{ 323, SECCOMP_EPERM }, /* userfaultfd */
	{ 324, SECCOMP_ALLOW }, /* membarrier */
	{ 335, SECCOMP_ENOSYS }, /* no call */
	{ 424, SECCOMP_ALLOW }, /* pidfd_send_signal */
	{ 425, SECCOMP_EPERM }, /* io_uring_setup */
	{ 434, SECCOMP_ALLOW }, /* pidfd_open */
	{ 435, SECCOMP_ENOSYS }, /* clone3 */
	{ 436, SECCOMP_ALLOW }, /* close_range */
	{ 438, SECCOMP_EPERM }, /* pidfd_getfd */
	{ 439, SECCOMP_ALLOW }, /* faccessat2 */
	{ 440, SECCOMP_EPERM }, /* process_madvise */
	{ 441, SECCOMP_ALLOW }, /* epoll_pwait2 */
	{ 442, SECCOMP_EPERM }, /* mount_setattr */
	{ 444, SECCOMP_ALLOW }, /* landlock_create_ruleset */
	{ 450, SECCOMP_EPERM }, /* set_mempolicy_home_node */
	{ 451, SECCOMP_ALLOW }, /* cachestat */
	{ 457, SECCOMP_ENOSYS }, /* no call */
	{ 462, SECCOMP_ALLOW }, /* mseal */
	{ 467, SECCOMP_ENOSYS }, /* no call */
};
const size_t seccomp_x86_64_n = 66;

const struct seccomp_range seccomp_i386[] = {
	{ 0, SECCOMP_ALLOW }, /* restart_syscall */
	{ 17, SECCOMP_EPERM }, /* break */
	{ 19, SECCOMP_ALLOW }, /* lseek */
	{ 21, SECCOMP_EPERM }, /* mount */
	{ 23, SECCOMP_ALLOW }, /* setuid */
	{ 25, SECCOMP_EPERM }, /* stime */
	{ 26, SECCOMP_ALLOW }, /* ptrace */
	{ 28, SECCOMP_EPERM }, /* oldfstat */
	{ 29, SECCOMP_ALLOW }, /* pause */
	{ 31, SECCOMP_EPERM }, /* stty */
	{ 33, SECCOMP_ALLOW }, /* access */
	{ 34, SECCOMP_EPERM }, /* nice */
	{ 36, SECCOMP_ALLOW }, /* sync */
	{ 44, SECCOMP_EPERM }, /* prof */
	{ 45, SECCOMP_ALLOW }, /* brk */
	{ 51, SECCOMP_EPERM }, /* acct */
	{ 54, SECCOMP_ALLOW }, /* ioctl */
	{ 56, SECCOMP_EPERM }, /* mpx */
	{ 57, SECCOMP_ALLOW }, /* setpgid */
	{ 58, SECCOMP_EPERM }, /* ulimit */
	{ 60, SECCOMP_ALLOW }, /* umask */
	{ 62, SECCOMP_EPERM }, /* ustat */
	{ 63, SECCOMP_ALLOW }, /* dup2 */
	{ 68, SECCOMP_EPERM }, /* sgetmask */
	{ 70, SECCOMP_ALLOW }, /* setreuid */
	{ 74, SECCOMP_EPERM }, /* sethostname */
	{ 75, SECCOMP_ALLOW }, /* setrlimit */
	{ 79, SECCOMP_EPERM }, /* settimeofday */
	{ 80, SECCOMP_ALLOW }, /* getgroups */
	{ 84, SECCOMP_EPERM }, /* oldlstat */
	{ 85, SECCOMP_ALLOW }, /* readlink */
	{ 86, SECCOMP_EPERM }, /* uselib */
	{ 89, SECCOMP_ALLOW }, /* readdir */
	{ 98, SECCOMP_EPERM }, /* profil */
	{ 99, SECCOMP_ALLOW }, /* statfs */
	{ 101, SECCOMP_EPERM }, /* ioperm */
	{ 102, SECCOMP_SOCKETCALL }, /* socketcall */
	{ 103, SECCOMP_EPERM }, /* syslog */
	{ 104, SECCOMP_ALLOW }, /* setitimer */
	{ 109, SECCOMP_EPERM }, /* olduname */
	{ 114, SECCOMP_ALLOW }, /* wait4 */
	{ 115, SECCOMP_EPERM }, /* swapoff */
	{ 116, SECCOMP_ALLOW }, /* sysinfo */
	{ 120, SECCOMP_CLONE }, /* clone */
	{ 121, SECCOMP_EPERM }, /* setdomainname */
	{ 122, SECCOMP_ALLOW }, /* uname */
	{ 127, SECCOMP_EPERM }, /* create_module */
	{ 132, SECCOMP_ALLOW }, /* getpgid */
	{ 134, SECCOMP_EPERM }, /* bdflush */
	{ 136, SECCOMP_PERSONALITY }, /* personality */
	{ 137, SECCOMP_EPERM }, /* afs_syscall */
	{ 138, SECCOMP_ALLOW }, /* setfsuid */
	{ 149, SECCOMP_EPERM }, /* _sysctl */
	{ 150, SECCOMP_ALLOW }, /* mlock */
	{ 166, SECCOMP_EPERM }, /* vm86 */
	{ 168, SECCOMP_ALLOW }, /* poll */
	{ 169, SECCOMP_EPERM }, /* nfsservctl */
	{ 170, SECCOMP_ALLOW }, /* setresgid */
	{ 188, SECCOMP_EPERM }, /* getpmsg */
	{ 190, SECCOMP_ALLOW }, /* vfork */
	{ 217, SECCOMP_EPERM }, /* pivot_root */
	{ 218, SECCOMP_ALLOW }, /* mincore */
	{ 222, SECCOMP_ENOSYS }, /* no call */
	{ 224, SECCOMP_ALLOW }, /* gettid */
	{ 251, SECCOMP_ENOSYS }, /* no call */
	{ 252, SECCOMP_ALLOW }, /* exit_group */
	{ 253, SECCOMP_EPERM }, /* lookup_dcookie */
	{ 254, SECCOMP_ALLOW }, /* epoll_create */
	{ 264, SECCOMP_EPERM }, /* clock_settime */
	{ 265, SECCOMP_ALLOW }, /* clock_gettime */
	{ 273, SECCOMP_EPERM }, /* vserver */
	{ 277, SECCOMP_ALLOW }, /* mq_open */
	{ 283, SECCOMP_EPERM }, /* kexec_load */
	{ 284, SECCOMP_ALLOW }, /* waitid */
	{ 285, SECCOMP_ENOSYS }, /* no call */
	{ 286, SECCOMP_EPERM }, /* add_key */
	{ 289, SECCOMP_ALLOW }, /* ioprio_set */
	{ 294, SECCOMP_EPERM }, /* migrate_pages */
	{ 295, SECCOMP_ALLOW }, /* openat */
	{ 310, SECCOMP_EPERM }, /* unshare */
	{ 311, SECCOMP_ALLOW }, /* set_robust_list */
	{ 317, SECCOMP_EPERM }, /* move_pages */
	{ 318, SECCOMP_ALLOW }, /* getcpu */
	{ 336, SECCOMP_EPERM }, /* perf_event_open */
	{ 337, SECCOMP_ALLOW }, /* recvmmsg */
	{ 338, SECCOMP_EPERM }, /* fanotify_init */
	{ 339, SECCOMP_ALLOW }, /* fanotify_mark */
	{ 342, SECCOMP_EPERM }, /* open_by_handle_at */
	{ 343, SECCOMP_ALLOW }, /* clock_adjtime */
	{ 346, SECCOMP_EPERM }, /* setns */
	{ 347, SECCOMP_ALLOW }, /* process_vm_readv */
	{ 349, SECCOMP_EPERM }, /* kcmp */
	{ 351, SECCOMP_ALLOW }, /* sched_setattr */
	{ 357, SECCOMP_EPERM }, /* bpf */
	{ 358, SECCOMP_ALLOW }, /* execveat */
	{ 359, SECCOMP_SOCKET }, /* socket */
	{ 360, SECCOMP_ALLOW }, /* socketpair */
	{ 374, SECCOMP_EPERM }, /* userfaultfd */
	{ 375, SECCOMP_ALLOW }, /* membarrier */
	{ 387, SECCOMP_ENOSYS }, /* no call */
	{ 393, SECCOMP_ALLOW }, /* semget */
	{ 404, SECCOMP_EPERM }, /* clock_settime64 */
	{ 405, SECCOMP_ALLOW }, /* clock_adjtime64 */
	{ 415, SECCOMP_ENOSYS }, /* no call */
	{ 416, SECCOMP_ALLOW }, /* io_pgetevents_time64 */
	{ 425, SECCOMP_EPERM }, /* io_uring_setup */
	{ 434, SECCOMP_ALLOW }, /* pidfd_open */
	{ 435, SECCOMP_ENOSYS }, /* clone3 */
	{ 436, SECCOMP_ALLOW }, /* close_range */
	{ 438, SECCOMP_EPERM }, /* pidfd_getfd */
	{ 439, SECCOMP_ALLOW }, /* faccessat2 */
	{ 440, SECCOMP_EPERM }, /* process_madvise */
	{ 441, SECCOMP_ALLOW }, /* epoll_pwait2 */
	{ 442, SECCOMP_EPERM }, /* mount_setattr */
	{ 444, SECCOMP_ALLOW }, /* landlock_create_ruleset */
	{ 450, SECCOMP_EPERM }, /* set_mempolicy_home_node */
	{ 451, SECCOMP_ALLOW }, /* cachestat */
	{ 457, SECCOMP_ENOSYS }, /* no call */
	{ 462, SECCOMP_ALLOW }, /* mseal */
	{ 467, SECCOMP_ENOSYS }, /* no call */
};
const size_t seccomp_i386_n = 120;

const struct seccomp_range seccomp_aarch64[] = {
	{ 0, SECCOMP_ALLOW }, /* io_setup */
	{ 18, SECCOMP_EPERM }, /* lookup_dcookie */
	{ 19, SECCOMP_ALLOW }, /* eventfd2 */
	{ 39, SECCOMP_EPERM }, /* umount2 */
	{ 43, SECCOMP_ALLOW }, /* statfs */
	{ 58, SECCOMP_EPERM }, /* vhangup */
	{ 59, SECCOMP_ALLOW }, /* pipe2 */
	{ 60, SECCOMP_EPERM }, /* quotactl */
	{ 61, SECCOMP_ALLOW }, /* getdents64 */
	{ 89, SECCOMP_EPERM }, /* acct */
	{ 90, SECCOMP_ALLOW }, /* capget */
	{ 92, SECCOMP_PERSONALITY }, /* personality */
	{ 93, SECCOMP_ALLOW }, /* exit */
	{ 97, SECCOMP_EPERM }, /* unshare */
	{ 98, SECCOMP_ALLOW }, /* futex */
	{ 104, SECCOMP_EPERM }, /* kexec_load */
	{ 107, SECCOMP_ALLOW }, /* timer_create */
	{ 112, SECCOMP_EPERM }, /* clock_settime */
	{ 113, SECCOMP_ALLOW }, /* clock_gettime */
	{ 116, SECCOMP_EPERM }, /* syslog */
	{ 117, SECCOMP_ALLOW }, /* ptrace */
	{ 142, SECCOMP_EPERM }, /* reboot */
	{ 143, SECCOMP_ALLOW }, /* setregid */
	{ 161, SECCOMP_EPERM }, /* sethostname */
	{ 163, SECCOMP_ALLOW }, /* getrlimit */
	{ 170, SECCOMP_EPERM }, /* settimeofday */
	{ 171, SECCOMP_ALLOW }, /* adjtimex */
	{ 198, SECCOMP_SOCKET }, /* socket */
	{ 199, SECCOMP_ALLOW }, /* socketpair */
	{ 217, SECCOMP_EPERM }, /* add_key */
	{ 220, SECCOMP_CLONE }, /* clone */
	{ 221, SECCOMP_ALLOW }, /* execve */
	{ 224, SECCOMP_EPERM }, /* swapon */
	{ 226, SECCOMP_ALLOW }, /* mprotect */
	{ 235, SECCOMP_EPERM }, /* mbind */
	{ 240, SECCOMP_ALLOW }, /* rt_tgsigqueueinfo */
	{ 241, SECCOMP_EPERM }, /* perf_event_open */
	{ 242, SECCOMP_ALLOW }, /* accept4 */
	{ 244, SECCOMP_ENOSYS }, /* no call */
	{ 260, SECCOMP_ALLOW }, /* wait4 */
	{ 262, SECCOMP_EPERM }, /* fanotify_init */
	{ 263, SECCOMP_ALLOW }, /* fanotify_mark */
	{ 265, SECCOMP_EPERM }, /* open_by_handle_at */
	{ 266, SECCOMP_ALLOW }, /* clock_adjtime */
	{ 268, SECCOMP_EPERM }, /* setns */
	{ 269, SECCOMP_ALLOW }, /* sendmmsg */
	{ 272, SECCOMP_EPERM }, /* kcmp */
	{ 274, SECCOMP_ALLOW }, /* sched_setattr */
	{ 280, SECCOMP_EPERM }, /* bpf */
	{ 281, SECCOMP_ALLOW }, /* execveat */
	{ 282, SECCOMP_EPERM }, /* userfaultfd */
	{ 283, SECCOMP_ALLOW }, /* membarrier */
	{ 294, SECCOMP_EPERM }, /* kexec_file_load */
	{ 295, SECCOMP_ENOSYS }, /* no call */
	{ 424, SECCOMP_ALLOW }, /* pidfd_send_signal */
	{ 425, SECCOMP_EPERM }, /* io_uring_setup */
	{ 434, SECCOMP_ALLOW }, /* pidfd_open */
	{ 435, SECCOMP_ENOSYS }, /* clone3 */
	{ 436, SECCOMP_ALLOW }, /* close_range */
	{ 438, SECCOMP_EPERM }, /* pidfd_getfd */
	{ 439, SECCOMP_ALLOW }, /* faccessat2 */
	{ 440, SECCOMP_EPERM }, /* process_madvise */
	{ 441, SECCOMP_ALLOW }, /* epoll_pwait2 */
	{ 442, SECCOMP_EPERM }, /* mount_setattr */
	{ 444, SECCOMP_ALLOW }, /* landlock_create_ruleset */
	{ 450, SECCOMP_EPERM }, /* set_mempolicy_home_node */
	{ 451, SECCOMP_ALLOW }, /* cachestat */
	{ 457, SECCOMP_ENOSYS }, /* no call */
	{ 462, SECCOMP_ALLOW }, /* mseal */
	{ 467, SECCOMP_ENOSYS }, /* no call */
};
const size_t seccomp_aarch64_n = 70;

