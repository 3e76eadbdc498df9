/* SPDX-License-Identifier: MIT */
/*
 * exec: the call is not changed, but a warning is printed for a program that cannot be emulated, as
 * it would end with SIGILL. Between fork and exec nothing may be allocated, and after vfork the
 * memory is that of the parent.
 */
#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include "emu/base/binary.h"
#include "emu/base/raw.h"
#include "emu/base/text.h"
#include "emu/device/state.h"
#include "emu/host/process.h"
#include "emu/preload/exec.h"
#include "emu/preload/interpose.h"

static enum emu_binary kind_of(const char *path)
{
	int fd = raw_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	enum emu_binary kind;

	if (fd < 0)
		return EMU_BINARY_OTHER;
	kind = emu_binary_kind(fd);
	raw_close(fd);
	return kind;
}

static bool has_run(char *const *env)
{
	for (; env && *env; env++)
		if (raw_starts(*env, EMU_ENV_DIR "="))
			return true;
	return false;
}

void emu_exec_look(const char *path, char *const *env)
{
	enum emu_binary kind;

	if (!emu.state || !path || emu.state->opt.quiet)
		return;
	kind = kind_of(path);
	if (kind == EMU_BINARY_STATIC)
		emu_say("%s is linked statically and so not emulated; sva-emu run --ptrace can",
			path);
	else if (kind == EMU_BINARY_BARE)
		emu_say("%s is linked without libc, which the emulator needs; sva-emu run --ptrace "
			"does not need it",
			path);
	else if (env && !has_run(env))
		emu_say("%s starts %s without the environment of the run: it is not emulated",
			emu.program, path);
}

EMU_INTERPOSE(int, execve, const char *path, char *const argv[], char *const env[])
{
	typedef int next_fn(const char *, char *const[], char *const[]);

	emu_exec_look(path, env);
	return EMU_NEXT(next_fn *, "execve")(path, argv, env);
}

EMU_INTERPOSE(int, execv, const char *path, char *const argv[])
{
	typedef int next_fn(const char *, char *const[]);

	emu_exec_look(path, environ);
	return EMU_NEXT(next_fn *, "execv")(path, argv);
}

/* The program is searched for in PATH, so only its environment is checked. */
EMU_INTERPOSE(int, execvp, const char *file, char *const argv[])
{
	typedef int next_fn(const char *, char *const[]);

	emu_exec_look(file, environ);
	return EMU_NEXT(next_fn *, "execvp")(file, argv);
}

EMU_INTERPOSE(int, posix_spawn, pid_t *pid, const char *path,
	      const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attr,
	      char *const argv[], char *const env[])
{
	typedef int next_fn(pid_t *, const char *, const posix_spawn_file_actions_t *,
			    const posix_spawnattr_t *, char *const[], char *const[]);

	emu_exec_look(path, env);
	return EMU_NEXT(next_fn *, "posix_spawn")(pid, path, actions, attr, argv, env);
}
