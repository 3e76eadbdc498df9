/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine.h"
#include "options.h"
#include "run.h"
#include "stats.h"
#include "tree.h"

#define EXIT_SETUP 125 /* as env(1) and its kind */
#define EXIT_CANNOT 126
#define EXIT_MISSING 127

static pid_t child;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void remove_tree(const char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The run's directory with the state file in it. */
static struct emu_state *make_state(char *dir, size_t size)
{
	const char *tmp = getenv("TMPDIR");
	struct emu_state *state;
	char path[300];
	int fd;

	if (!tmp || tmp[0] != '/' || strlen(tmp) > 80)
		tmp = "/tmp";
	snprintf(dir, size, "%s/sva-emu-XXXXXX", tmp);
	if (!mkdtemp(dir))
		return NULL;
	snprintf(path, sizeof(path), "%s/state", dir);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(*state)))
		return NULL;
	state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (state == MAP_FAILED)
		return NULL;
	state->magic = EMU_MAGIC;
	state->size = sizeof(*state);
	snprintf(state->opt.dir, sizeof(state->opt.dir), "%s", dir);
	return state;
}

/* The preload library: beside this program in the build tree, else where it was installed. */
static int find_library(char *path, size_t size)
{
	static const char *const beside[] = { "libsva-emu.so", ".libs/libsva-emu.so", "../.libs/libsva-emu.so" };
	char self[4096], *slash;
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	unsigned int i;

	if (len > 0) {
		self[len] = '\0';
		slash = strrchr(self, '/');
		slash[1] = '\0';
		for (i = 0; i < sizeof(beside) / sizeof(beside[0]); i++)
			if ((size_t)snprintf(path, size, "%s%s", self, beside[i]) < size && access(path, R_OK) == 0)
				return 0;
	}
	snprintf(path, size, "%s", SVA_EMU_LIBRARY);
	return access(path, R_OK) ? -errno : 0;
}

/* The environment that makes the program ours. The library is named by a link in the run's directory: LD_PRELOAD has no way
 * to quote a blank or a colon in a path. */
static int set_environment(const struct emu_state *state, const char *library)
{
	const char *before = getenv("LD_PRELOAD"), *asan = getenv("ASAN_OPTIONS");
	char link[200], value[4096];

	snprintf(link, sizeof(link), "%s/libsva-emu.so", state->opt.dir);
	if (symlink(library, link))
		return -errno;
	snprintf(value, sizeof(value), "%s%s%s", link, before && *before ? ":" : "", before ? before : "");
	setenv("LD_PRELOAD", value, 1);
	setenv(EMU_ENV_DIR, state->opt.dir, 1);
	/* AddressSanitizer insists on being the first library; as the second it works as well. */
	snprintf(value, sizeof(value), "%s%sverify_asan_link_order=0", asan ? asan : "", asan && *asan ? ":" : "");
	setenv("ASAN_OPTIONS", value, 1);
	return 0;
}

static int make_tree(struct emu_state *state)
{
	char path[300];
	struct stat st;
	unsigned int d;
	int ret;

	snprintf(state->opt.root, sizeof(state->opt.root), "%s/root", state->opt.dir);
	snprintf(path, sizeof(path), "%s/proc", state->opt.root);
	if (mkdir(state->opt.root, 0755) || mkdir(path, 0755) || stat(path, &st))
		return -errno;
	state->tree_dev = st.st_dev;
	for (d = 0; d < state->devices; d++) {
		state->device[d].numa_node = emu_machine_node(d);
		emu_machine_config(&state->device[d]);
	}
	snprintf(path, sizeof(path), "%s/proc/cpuinfo", state->opt.root);
	ret = emu_machine_cpuinfo(path);
	return ret ? ret : emu_tree_make(state, state->opt.root);
}

/* The trace is appended to by many processes with other working directories: an empty file under its absolute name. */
static int make_trace(struct emu_launch *launch)
{
	struct emu_options *opt = &launch->state->opt;
	char full[4096];
	int fd;

	if (!launch->trace_file)
		return 0;
	fd = open(launch->trace_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || !realpath(launch->trace_file, full))
		return -errno;
	close(fd);
	if (strlen(full) >= sizeof(opt->trace_file))
		return -ENAMETOOLONG;
	strcpy(opt->trace_file, full);
	return 0;
}

static int refuse_program(const struct emu_program *program, const char *name)
{
	const char *why = program->is_static ? "it is linked statically, so no library can be loaded into it" :
		program->setuid ? "it is set-user-ID, so the dynamic linker loads no library of ours into it" :
		program->foreign ? "it is no 64-bit x86 program" : NULL;

	if (!why)
		return 0;
	fprintf(stderr, "sva-emu: %s can not be traced: %s\n", name, why);
	return EXIT_CANNOT;
}

static void forward(int signo)
{
	if (child > 0)
		kill(child, signo);
}

static int wait_for_program(void)
{
	struct sigaction act = { .sa_handler = forward };
	int status;

	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
	signal(SIGINT, SIG_IGN); /* the terminal sends it to the program too */
	signal(SIGQUIT, SIG_IGN);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_SETUP;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Descriptors that went to a node without us, by io_uring or a bare system call, are in its file, and lost. */
static void look_for_strays(const struct emu_state *state)
{
	unsigned int d, w;
	char path[300];
	struct stat st;

	for (d = 0; d < state->devices; d++) {
		for (w = 0; w < EMU_MAX_WQS; w++) {
			snprintf(path, sizeof(path), "%s/dev/dsa/wq%u.%u", state->opt.root, d, w);
			if (stat(path, &st) == 0 && st.st_size > 0)
				fprintf(stderr, "sva-emu: %lld bytes were written to wq%u.%u past the emulator (io_uring, or a "
					"bare system call): these descriptors are lost\n", (long long)st.st_size, d, w);
		}
	}
}

static int start_program(struct emu_launch *launch, const char *library)
{
	struct emu_program program;
	int ret = emu_machine_program(launch->program[0], &program);

	if (ret) {
		fprintf(stderr, "sva-emu: %s: %s\n", launch->program[0], strerror(-ret));
		return ret == -ENOENT ? EXIT_MISSING : EXIT_CANNOT;
	}
	ret = refuse_program(&program, launch->program[0]);
	if (ret)
		return ret;
	if (!launch->state->opt.quiet && !getenv(EMU_ENV_QUIET))
		fputs("sva-emu: the DSA is emulated; times are not DSA times\n", stderr);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		ret = set_environment(launch->state, library);
		if (ret == 0) {
			execvp(launch->program[0], launch->program);
			ret = -errno;
		}
		fprintf(stderr, "sva-emu: %s: %s\n", launch->program[0], strerror(-ret));
		_exit(ret == -ENOENT ? EXIT_MISSING : EXIT_CANNOT);
	}
	return child < 0 ? EXIT_SETUP : wait_for_program();
}

int emu_run(int argc, char **argv)
{
	struct emu_launch launch = { 0 };
	char dir[100], library[4096];
	int ret;

	launch.state = calloc(1, sizeof(*launch.state));
	if (!launch.state)
		return EXIT_SETUP;
	emu_options_parse(argc, argv, &launch);
	if (emu_options_devices(&launch))
		return 2;
	if (find_library(library, sizeof(library))) {
		fprintf(stderr, "sva-emu: %s: %s\n", library, strerror(errno));
		return EXIT_SETUP;
	}
	{
		struct emu_state *shared = make_state(dir, sizeof(dir));
		char kept[sizeof(shared->opt.dir)];

		if (!shared) {
			fprintf(stderr, "sva-emu: %s: %s\n", dir, strerror(errno));
			return EXIT_SETUP;
		}
		memcpy(kept, shared->opt.dir, sizeof(kept));
		*shared = *launch.state;
		shared->magic = EMU_MAGIC;
		shared->size = sizeof(*shared);
		memcpy(shared->opt.dir, kept, sizeof(kept));
		free(launch.state);
		launch.state = shared;
	}
	launch.state->opt.redirect = 1;
	ret = make_trace(&launch);
	if (ret)
		fprintf(stderr, "sva-emu: %s: %s\n", launch.trace_file, strerror(-ret));
	if (ret == 0) {
		ret = make_tree(launch.state);
		if (ret)
			fprintf(stderr, "sva-emu: %s: %s\n", dir, strerror(-ret));
	}
	ret = ret ? EXIT_SETUP : start_program(&launch, library);
	if (child > 0) {
		look_for_strays(launch.state);
		if (launch.stats)
			emu_stats_print(launch.state, launch.stats_file);
	}
	if (launch.keep)
		fprintf(stderr, "sva-emu: the run's directory is %s\n", dir);
	else
		remove_tree(dir);
	return ret;
}
