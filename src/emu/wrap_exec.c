/* SPDX-License-Identifier: MIT */
/*
 * exec: nothing is changed, but a program that can not be emulated is named before it dies of SIGILL. Between fork and
 * exec nothing may be allocated, and after vfork the memory is the parent's.
 */
#include <elf.h>
#include <fcntl.h>
#include <spawn.h>
#include <unistd.h>

#include "process.h"
#include "raw.h"
#include "text.h"

/* An x86-64 program without a dynamic linker loads no library of ours. */
static bool is_static(const char *path)
{
	Elf64_Phdr segment;
	Elf64_Ehdr header;
	bool found = false;
	unsigned int i;
	int fd = raw_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return false;
	if (raw_read(fd, &header, sizeof(header)) == sizeof(header) && header.e_ident[0] == ELFMAG0 &&
	    header.e_ident[1] == ELFMAG1 && header.e_ident[EI_CLASS] == ELFCLASS64) {
		found = true;
		for (i = 0; i < header.e_phnum && found; i++)
			if (raw_syscall4(SYS_pread64, fd, &segment, sizeof(segment),
					 header.e_phoff + i * sizeof(segment)) == sizeof(segment))
				found = segment.p_type != PT_INTERP;
	}
	raw_close(fd);
	return found;
}

static bool has_run(char *const *env)
{
	for (; env && *env; env++)
		if (raw_starts(*env, EMU_ENV_DIR "="))
			return true;
	return false;
}

static void look_at(const char *path, char *const *env)
{
	if (!emu.state || !path || emu.state->opt.quiet)
		return;
	if (is_static(path))
		emu_say("%s is linked statically and so not emulated; sva-emu run --ptrace can", path);
	else if (env && !has_run(env))
		emu_say("%s starts %s without the environment of the run: it is not emulated", emu.program, path);
}

EMU_INTERPOSE(int, execve, const char *path, char *const argv[], char *const env[])
{
	typedef int next_fn(const char *, char *const[], char *const[]);

	look_at(path, env);
	return EMU_NEXT(next_fn *, "execve")(path, argv, env);
}

EMU_INTERPOSE(int, execv, const char *path, char *const argv[])
{
	typedef int next_fn(const char *, char *const[]);

	look_at(path, environ);
	return EMU_NEXT(next_fn *, "execv")(path, argv);
}

/* Where the path is searched for, only the environment can be looked at. */
EMU_INTERPOSE(int, execvp, const char *file, char *const argv[])
{
	typedef int next_fn(const char *, char *const[]);

	look_at(file, environ);
	return EMU_NEXT(next_fn *, "execvp")(file, argv);
}

EMU_INTERPOSE(int, posix_spawn, pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
	      const posix_spawnattr_t *attr, char *const argv[], char *const env[])
{
	typedef int next_fn(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
			    char *const[], char *const[]);

	look_at(path, env);
	return EMU_NEXT(next_fn *, "posix_spawn")(pid, path, actions, attr, argv, env);
}
