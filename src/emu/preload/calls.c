/* SPDX-License-Identifier: MIT */
/* System calls that a program makes past the functions of libc. */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "emu/base/raw.h"
#include "emu/base/text.h"
#include "emu/host/memory.h"
#include "emu/host/process.h"
#include "emu/preload/arm.h"
#include "emu/preload/calls.h"
#include "emu/preload/cdev.h"
#include "emu/preload/exec.h"
#include "emu/preload/files.h"
#include "emu/preload/filter.h"
#include "emu/preload/interpose.h"
#include "emu/preload/signals.h"
#include "emu/sysfs/paths.h"

/* Make the call as it is. */
static void make_call(struct emu_call *call)
{
	const uint64_t *arg = call->arg;

	call->ret = raw_syscall6(call->nr, (long)arg[0], (long)arg[1], (long)arg[2], (long)arg[3],
				 (long)arg[4], (long)arg[5]);
}

/*
 * Open with a path into the directory of the run, if the path is one of the device. The kernel
 * refuses a path that cannot be read.
 */
static void __attribute__((noinline))
open_redirected(struct emu_call *call, unsigned int path_arg, uint64_t flags)
{
	char path[EMU_PATH_MAX], buf[EMU_PATH_MAX];
	uint64_t saved = call->arg[path_arg];
	size_t got;

	got = EMU_PATH_MAX - 1 - emu_fetch(path, saved, EMU_PATH_MAX - 1, NULL);
	path[got] = '\0';
	/* otherwise it is longer than any path of the device */
	if (got && raw_strlen(path) < got) {
		const char *instead = emu_path_in(path, buf);

		if (instead != path)
			call->arg[path_arg] = (uint64_t)(uintptr_t)instead;
		else if ((flags & O_ACCMODE) != O_RDONLY && emu_path_setting(path)) {
			call->ret = -EROFS;
			return;
		}
	}
	make_call(call);
	call->arg[path_arg] = saved;
}

static void do_open(struct emu_call *call, unsigned int path_arg, uint64_t flags)
{
	if (emu.state->opt.redirect)
		open_redirected(call, path_arg, flags);
	else
		make_call(call);
	if (call->ret >= 0)
		call->ret = emu_cdev_opened((int)call->ret, (int)flags);
}

/* The first member of struct open_how. */
static uint64_t openat2_flags(uint64_t how)
{
	uint64_t flags;

	return emu_fetch(&flags, how, sizeof(flags), NULL) ? 0 : flags;
}

static bool do_file(struct emu_call *call)
{
	const uint64_t *arg = call->arg;
	int fd = (int)arg[0];

	switch (call->nr) {
	case SYS_open:
		do_open(call, 0, arg[1]);
		return true;
	case SYS_creat:
		do_open(call, 0, O_CREAT | O_WRONLY | O_TRUNC);
		return true;
	case SYS_openat:
		do_open(call, 1, arg[2]);
		return true;
	case SYS_openat2:
		do_open(call, 1, openat2_flags(arg[2]));
		return true;
	case SYS_close:
		emu_cdev_closing(fd);
		return false;
	case SYS_close_range:
		if (arg[2] == 0)
			emu_cdev_closing_range((unsigned int)arg[0], (unsigned int)arg[1]);
		return false;
	case SYS_fcntl:
		if (arg[1] != F_DUPFD && arg[1] != F_DUPFD_CLOEXEC)
			return false;
		/* fall through */
	case SYS_dup:
	case SYS_dup2:
	case SYS_dup3:
		make_call(call);
		if (call->ret >= 0)
			emu_cdev_copied(fd, (int)call->ret);
		return true;
	case SYS_mmap:
		make_call(call);
		if (!raw_failed(call->ret))
			call->ret = emu_files_mapped(call->ret, arg[1], (int)arg[2], (int)arg[3],
						     (int)arg[4]);
		return true;
	case SYS_munmap:
		make_call(call);
		if (call->ret == 0)
			emu_cdev_unmapped(arg[0], arg[1]);
		return true;
	case SYS_write:
	case SYS_pwrite64:
		return emu_files_write(fd, arg[1], arg[2], call->site, &call->ret);
	case SYS_writev:
		return emu_files_writev(fd, arg[1], (int)arg[2], call->site, &call->ret);
	case SYS_read:
		if (emu_cdev_lookup(fd).kind != EMU_FILE_NODE)
			return false;
		call->ret = -EINVAL; /* the driver has no read */
		return true;
	default:
		return false;
	}
}

/*
 * Make a call that waits under a signal mask of its own, without our signals in the mask. arg is
 * the number of its argument; pair: that points to a pair of address and size.
 */
static bool do_waiting(struct emu_call *call, unsigned int arg, bool pair)
{
	struct {
		uint64_t set, size;
	} indirect;
	uint64_t set, copy, saved = call->arg[arg];

	if (!saved)
		return false;
	if (pair) {
		if (emu_fetch(&indirect, saved, sizeof(indirect), NULL) || !indirect.set)
			return false;
		set = indirect.set;
	} else {
		set = saved;
	}
	if (emu_fetch(&copy, set, sizeof(copy), NULL))
		return false;
	if (!emu_signals_strip(&copy))
		return false;
	indirect.set = (uint64_t)(uintptr_t)&copy;
	call->arg[arg] = pair ? (uint64_t)(uintptr_t)&indirect : (uint64_t)(uintptr_t)&copy;
	make_call(call);
	call->arg[arg] = saved;
	return true;
}

static bool do_signal(struct emu_call *call)
{
	const uint64_t *arg = call->arg;

	switch (call->nr) {
	case SYS_rt_sigaction:
		call->ret = emu_signals_raw_action((int)arg[0], arg[1], arg[2], arg[3]);
		return true;
	case SYS_rt_sigprocmask:
		call->ret = emu_signals_raw_mask((int)arg[0], arg[1], arg[2], arg[3], call->mask);
		return true;
	case SYS_rt_sigsuspend:
		return do_waiting(call, 0, false);
	case SYS_ppoll:
		return do_waiting(call, 3, false);
	case SYS_epoll_pwait:
	case SYS_epoll_pwait2:
		return do_waiting(call, 4, false);
	case SYS_pselect6:
		return do_waiting(call, 5, true);
	default:
		return false;
	}
}

static void look_at_prctl(uint64_t option, uint64_t what)
{
	if (option == PR_SET_SECCOMP)
		emu_filter_installed();
	if (option == PR_SET_SYSCALL_USER_DISPATCH && what != 0)
		emu_arm_give();
}

static void exec_started(const struct emu_call *call)
{
	char path[256];
	size_t got = sizeof(path) - 1 - emu_fetch(path, call->arg[0], sizeof(path) - 1, NULL);

	path[got] = '\0';
	if (raw_strlen(path) < got) /* a longer path is not checked, so no warning is printed */
		emu_exec_look(path, NULL);
}

bool emu_call(struct emu_call *call)
{
	if (call->nr == SYS_seccomp &&
	    (call->arg[0] == SECCOMP_SET_MODE_STRICT || call->arg[0] == SECCOMP_SET_MODE_FILTER))
		emu_filter_installed();
	if (call->nr == SYS_prctl)
		look_at_prctl(call->arg[0], call->arg[1]);
	if (call->nr == SYS_execve)
		exec_started(call);
	return do_file(call) || do_signal(call);
}

/* --- the functions of libc that make them --- */

EMU_INTERPOSE(long, syscall, long nr, long a, long b, long c, long d, long e, long f)
{
	typedef long next_fn(long, long, long, long, long, long, long);
	struct emu_call call = {
		.nr = nr,
		.arg = {(uint64_t)a, (uint64_t)b, (uint64_t)c, (uint64_t)d, (uint64_t)e,
			(uint64_t)f},
		.site = (uint64_t)(uintptr_t)__builtin_return_address(0),
	};

	if (!emu.state || !emu_call(&call))
		return EMU_NEXT(next_fn *, "syscall")(nr, a, b, c, d, e, f);
	EMU_RETURN(call.ret);
}

EMU_INTERPOSE(int, prctl, int option, unsigned long a, unsigned long b, unsigned long c,
	      unsigned long d)
{
	typedef int next_fn(int, unsigned long, unsigned long, unsigned long, unsigned long);

	if (emu.state)
		look_at_prctl((uint64_t)option, a);
	return EMU_NEXT(next_fn *, "prctl")(option, a, b, c, d);
}
