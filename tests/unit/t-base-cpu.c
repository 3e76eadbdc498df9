/* SPDX-License-Identifier: MIT */
/*
 * The features of the CPU, from /proc/cpuinfo of other machines; each in its own process, since it
 * is read once.
 */
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"
#include "unit/scene.h"

static void features_are(const char *cpuinfo, unsigned int want, const char *name)
{
	int status = 0;
	pid_t pid;

	scene_tree(NULL);
	if (cpuinfo) {
		if (system("mkdir -p \"$SVA_TEST_ROOT/proc\""))
			return;
		scene_file("proc/cpuinfo", cpuinfo);
	}
	pid = fork();
	if (!pid)
		_exit((int)sva_cpu_features());
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		status = -1;
	subject("features in /proc/cpuinfo");
	is(WEXITSTATUS(status), want, name);
}

/* A limit of descriptors that is reached when the file is first read. */
static int limited(void)
{
	struct rlimit old, none;

	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	none.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &none);
	if (sva_cpu_features() || !sva_cpu_shortage())
		return 1;
	setrlimit(RLIMIT_NOFILE, &old);
	if (sva_cpu_features())
		return 2; /* too soon */
	usleep(110000);
	if (sva_cpu_features() != 7 || sva_cpu_shortage())
		return 3;
	/* The features are kept once they have been read. */
	setrlimit(RLIMIT_NOFILE, &none);
	return sva_cpu_features() == 7 ? 0 : 4;
}

static void a_moment_without_descriptors(void)
{
	int status = -1;
	pid_t pid;

	scene_tree(NULL);
	if (system("mkdir -p \"$SVA_TEST_ROOT/proc\""))
		return;
	scene_file("proc/cpuinfo", "flags : enqcmd movdir64b waitpkg\n");
	pid = fork();
	if (!pid)
		_exit(limited());
	waitpid(pid, &status, 0);
	is(status, 0,
	   "no descriptor for /proc/cpuinfo: nothing is known, and 0.1 s later it is read");
}

int main(void)
{
	static char wide[70000];

	scene_root();
	features_are("processor\t: 0\nflags\t\t: fpu enqcmd sse movdir64b waitpkg\n", 7,
		     "all features");
	features_are("flags : movdir64b\n", SVA_CPU_MOVDIR64B, "one of them");
	features_are("flags\t\t: fpu enqcmds xmovdir64b\nvmx flags : waitpkg\nbugs\t: enqcmd\n", 0,
		     "words that only look like them");
	features_are("processor : 0\nflags : fpu\nflags : enqcmd\n", 0,
		     "the first processor stands for all");
	features_are("Features\t: fp asimd\n", 0, "another architecture");
	features_are("flags", 0, "a file that ends early");
	features_are("", 0, "an empty file");
	features_are(NULL, 0, "no file");
	memset(wide, 'x', sizeof(wide) - 1);
	memcpy(wide, "flags : ", 8);
	memcpy(wide + sizeof(wide) - 9, " waitpkg", 8);
	a_moment_without_descriptors();
	features_are(wide, SVA_CPU_WAITPKG, "a very long line");
	return done();
}
