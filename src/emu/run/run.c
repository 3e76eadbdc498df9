/* SPDX-License-Identifier: MIT */
/* sva-emu run: makes the run's directory, starts the program, waits for its end. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "emu/ptrace/tracer.h"
#include "emu/run/launch.h"
#include "emu/run/machine.h"
#include "emu/run/modules.h"
#include "emu/run/run.h"
#include "emu/run/stats.h"
#include "emu/sysfs/tree.h"

#define EXIT_SETUP 125 /* as env(1) and similar commands */
#define EXIT_CANNOT 126
#define EXIT_MISSING 127

static pid_t program;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void emu_run_remove(const struct emu_state *state)
{
	nftw(state->opt.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/*
 * Where the directory of the run is made: in memory if possible, as it has some hundred small
 * files.
 */
static const char *base_directory(void)
{
	const char *tmp = getenv("TMPDIR");

	if (tmp && tmp[0] == '/' && strlen(tmp) <= 80)
		return tmp;
	return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

#define DIRECTORY_PREFIX "sva-emu-"
#define HALF_MADE_SECONDS 60 /* a run takes less time to make its directory */

/*
 * Is this a directory of a run without a process? Each process of a run holds a shared lock on the
 * state while it has it mapped. A directory without a state was left half made, unless it is being
 * made right now.
 */
static bool is_abandoned(const char *dir)
{
	char path[420];
	struct stat st;
	bool free;
	int fd;

	if (lstat(dir, &st) || !S_ISDIR(st.st_mode) || st.st_uid != geteuid())
		return false;
	snprintf(path, sizeof(path), "%s/keep", dir);
	if (access(path, F_OK) == 0)
		return false;
	snprintf(path, sizeof(path), "%s/state", dir);
	fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT && st.st_mtime + HALF_MADE_SECONDS < time(NULL);
	free = flock(fd, LOCK_EX | LOCK_NB) == 0;
	close(fd);
	return free;
}

/* Remove the directories of runs of this user whose launcher was killed. */
static void remove_abandoned(const char *base)
{
	struct dirent *entry;
	char dir[400];
	DIR *list = opendir(base);

	while (list && (entry = readdir(list))) {
		if (strncmp(entry->d_name, DIRECTORY_PREFIX, strlen(DIRECTORY_PREFIX)) ||
		    strlen(entry->d_name) != strlen(DIRECTORY_PREFIX) + 6)
			continue;
		snprintf(dir, sizeof(dir), "%s/%s", base, entry->d_name);
		if (is_abandoned(dir))
			nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	}
	if (list)
		closedir(list);
}

/* Make a file that is locked before it gets its name. */
static int make_locked(const char *path, size_t size)
{
	char unnamed[320];
	int fd;

	snprintf(unnamed, sizeof(unnamed), "%s.new", path);
	fd = open(unnamed, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	if (ftruncate(fd, (off_t)size) || flock(fd, LOCK_SH) || rename(unnamed, path)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Mark a directory, so that later runs do not remove it. */
static void keep_directory(const char *dir)
{
	char path[420];
	int fd;

	snprintf(path, sizeof(path), "%s/keep", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
}

/*
 * The lock on the state ends with its last mapping, but on overlayfs with the last descriptor:
 * there nothing shows whether a run still has processes, and its directory stays when its launcher
 * is killed.
 */
static void allow_removal(const char *dir, const char *state_path)
{
	int fd = open(state_path, O_RDWR | O_CLOEXEC);
	char path[420];

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) {
		snprintf(path, sizeof(path), "%s/keep", dir);
		unlink(path);
	}
	if (fd >= 0)
		close(fd);
}

/*
 * Make the state that all processes map: a file in the directory of the run, with the configuration
 * of from.
 */
static struct emu_state *make_state(const struct emu_launch *launch)
{
	const struct emu_state *from = launch->state;
	char dir[sizeof(from->opt.dir)], path[300];
	struct emu_state *state;
	int fd;

	remove_abandoned(base_directory());
	snprintf(dir, sizeof(dir), "%s/" DIRECTORY_PREFIX "XXXXXX", base_directory());
	if (!mkdtemp(dir))
		return NULL;
	keep_directory(dir);
	snprintf(path, sizeof(path), "%s/state", dir);
	fd = make_locked(path, sizeof(*state));
	if (fd < 0)
		return NULL;
	/* Who can write the state has a hand in each program of the run: root, and this group. */
	if (launch->users && (fchown(fd, (uid_t)-1, launch->group) || fchmod(fd, 0660) ||
			      chown(dir, (uid_t)-1, launch->group) || chmod(dir, 0710))) {
		close(fd);
		return NULL;
	}
	state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (state == MAP_FAILED)
		return NULL;
	allow_removal(dir, path);
	*state = *from;
	state->magic = EMU_MAGIC;
	state->size = sizeof(*state);
	strcpy(state->opt.dir, dir);
	snprintf(state->opt.root, sizeof(state->opt.root), "%s/root", dir);
	return state;
}

static int make_tree(struct emu_state *state)
{
	char path[300];
	struct stat st;
	unsigned int d;
	int ret;

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
	snprintf(path, sizeof(path), "%s/proc/modules", state->opt.root);
	if (ret == 0)
		ret = emu_modules_list(path);
	return ret ? ret : emu_tree_make(state, state->opt.root);
}

/*
 * Is fd the standard output or error that the program gets? Then the trace file is neither emptied
 * nor opened again.
 */
static bool is_output(struct emu_options *opt, int fd)
{
	struct stat file, output;
	uint32_t n;

	if (fstat(fd, &file))
		return false;
	for (n = 2; n >= 1; n--) {
		if (fstat((int)n, &output) || output.st_dev != file.st_dev ||
		    output.st_ino != file.st_ino)
			continue;
		opt->trace_fd = n;
		opt->trace_dev = file.st_dev;
		opt->trace_ino = file.st_ino;
		return true;
	}
	return false;
}

/*
 * Empty the trace file and note its absolute name, as it is opened by processes with other working
 * directories. A file without such a name, as a pipe, is opened by the name that was given.
 */
static int make_trace(struct emu_options *opt, const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	char full[4096];
	struct stat st;

	if (fd < 0)
		return -errno;
	if (!is_output(opt, fd) && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && ftruncate(fd, 0)) {
		close(fd);
		return -errno;
	}
	close(fd);
	if (!realpath(name, full)) {
		if (name[0] != '/')
			return -errno;
		snprintf(full, sizeof(full), "%s", name);
	}
	if (strlen(full) >= sizeof(opt->trace_file))
		return -ENAMETOOLONG;
	strcpy(opt->trace_file, full);
	return 0;
}

/* A file that cannot be written is reported before the program is started. */
static int make_files(struct emu_launch *launch)
{
	const char *name = launch->trace_file;
	int ret = name ? make_trace(&launch->state->opt, name) : 0;

	if (ret == 0 && launch->stats_file) {
		name = launch->stats_file;
		launch->stats_out = fopen(name, "we");
		ret = launch->stats_out ? 0 : -errno;
	}
	if (ret)
		fprintf(stderr, "sva-emu: %s: %s\n", name, strerror(-ret));
	return ret;
}

int emu_run_prepare(struct emu_launch *launch)
{
	struct emu_state *shared = make_state(launch);

	if (!shared)
		return -errno;
	free(launch->state);
	launch->state = shared;
	return make_tree(shared);
}

int emu_run_library(char *path, size_t size)
{
	/* Beside this program in the build tree; otherwise where it was installed. */
	static const char *const beside[] = {"libsva-emu.so", ".libs/libsva-emu.so",
					     "../.libs/libsva-emu.so"};
	char self[4096], *slash;
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	unsigned int i;

	if (len > 0) {
		self[len] = '\0';
		slash = strrchr(self, '/');
		slash[1] = '\0';
		for (i = 0; i < sizeof(beside) / sizeof(beside[0]); i++)
			if ((size_t)snprintf(path, size, "%s%s", self, beside[i]) < size &&
			    access(path, R_OK) == 0)
				return 0;
	}
	snprintf(path, size, "%s", SVA_EMU_LIBRARY);
	return access(path, R_OK) ? -errno : 0;
}

static int check_program(const char *name, bool ptrace)
{
	struct emu_program found;
	int ret = emu_machine_program(name, &found);
	const char *why;

	if (ret) {
		fprintf(stderr, "sva-emu: %s: %s\n", name, strerror(-ret));
		return ret == -ENOENT ? EXIT_MISSING : EXIT_CANNOT;
	}
	if (ptrace && found.kind != EMU_BINARY_OTHER)
		return 0;
	why = found.kind == EMU_BINARY_OTHER ?
		      "it is no 64-bit x86 program" :
	      found.kind == EMU_BINARY_STATIC ?
		      "it is linked statically, so no library can be loaded into it" :
	      found.kind == EMU_BINARY_BARE ?
		      "it is linked without libc (as Go programs without cgo are), which the "
		      "preload library needs for threads" :
	      found.setuid ?
		      "it is set-user-ID, so the dynamic linker does not load the preload library into it" :
		      NULL;
	if (!why)
		return 0;
	fprintf(stderr, "sva-emu: %s cannot be emulated this way: %s%s\n", name, why,
		found.kind == EMU_BINARY_OTHER ? "" : "; sva-emu run --ptrace can");
	return EXIT_CANNOT;
}

static void forward_signal(int signo)
{
	if (program > 0)
		kill(program, signo);
}

static int wait_for_program(struct emu_state *state, const struct emu_child *child)
{
	struct sigaction act = { .sa_handler = forward_signal };
	int status = 0;

	program = child->pid;
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGHUP, &act, NULL);
	signal(SIGINT, SIG_IGN); /* the terminal sends it to the program too */
	signal(SIGQUIT, SIG_IGN);
	if (state->opt.ptrace)
		status = emu_tracer_run(state, child->pid, child->server);
	while (!state->opt.ptrace && waitpid(child->pid, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_SETUP;
	program = 0;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/*
 * Warn of descriptors that were written to a node unseen, by io_uring or a system call: they are in
 * its file, and lost.
 */
static void warn_of_lost(const struct emu_state *state)
{
	unsigned int d, w;
	char path[300];
	struct stat st;

	for (d = 0; d < state->devices; d++) {
		for (w = 0; w < EMU_MAX_WQS; w++) {
			snprintf(path, sizeof(path), "%s/dev/dsa/wq%u.%u", state->opt.root, d, w);
			if (stat(path, &st) == 0 && st.st_size > 0)
				fprintf(stderr,
					"sva-emu: %lld bytes were written to wq%u.%u past the emulator (io_uring, or a "
					"bare system call): these descriptors are lost\n",
					(long long)st.st_size, d, w);
		}
	}
}

/* Start the program in the best presentation and wait for its end. */
static int run_program(struct emu_launch *launch)
{
	struct emu_child child;
	unsigned int i;
	int ret = -EINVAL;

	for (i = launch->redirect ? 2 : geteuid() == 0 ? 0 : 1; i < 3; i++) {
		launch->state->opt.user_namespace =
			emu_launch_order[i] == EMU_PRESENT_USER_NAMESPACE ||
			!emu_machine_is_initial();
		ret = emu_launch(launch->state, emu_launch_order[i], launch->program, &child);
		if (ret == 0 || child.error)
			break;
	}
	if (ret) {
		fprintf(stderr, "sva-emu: %s: %s\n",
			child.error ? launch->program[0] : child.why.text, strerror(-ret));
		return child.error == ENOENT ? EXIT_MISSING :
		       child.error	     ? EXIT_CANNOT :
					       EXIT_SETUP;
	}
	ret = wait_for_program(launch->state, &child);
	emu_launch_finish(&child);
	warn_of_lost(launch->state);
	if (launch->stats)
		emu_stats_print(launch->state, launch->stats_out);
	launch->stats_out = NULL;
	return ret;
}

static int run_launch(struct emu_launch *launch, int argc, char **argv)
{
	char library[4096];
	int ret;

	emu_options_parse(argc, argv, launch);
	if (emu_options_devices(launch))
		return 2;
	if (emu_run_library(library, sizeof(library))) {
		fprintf(stderr, "sva-emu: %s: %s\n", library, strerror(errno));
		return EXIT_SETUP;
	}
	ret = check_program(launch->program[0], launch->state->opt.ptrace);
	if (ret)
		return ret;
	if (make_files(launch))
		return EXIT_SETUP;
	ret = emu_run_prepare(launch);
	if (ret == 0)
		ret = emu_launch_environment(launch->state);
	if (ret == 0 && launch->container && setenv("container", launch->container, 1))
		ret = -errno;
	if (ret == 0 && !launch->state->opt.ptrace)
		ret = emu_launch_preload(launch->state, library);
	if (ret) {
		fprintf(stderr, "sva-emu: preparing the run in %s: %s\n", launch->state->opt.dir,
			strerror(-ret));
		ret = EXIT_SETUP;
	} else {
		if (!launch->state->opt.quiet)
			fputs("sva-emu: the DSA is emulated; times are not DSA times\n", stderr);
		ret = run_program(launch);
	}
	if (launch->keep) {
		keep_directory(launch->state->opt.dir);
		fprintf(stderr, "sva-emu: the run's directory is %s\n", launch->state->opt.dir);
	} else if (launch->state->opt.dir[0]) {
		emu_run_remove(launch->state);
	}
	return ret;
}

int emu_run(int argc, char **argv)
{
	struct emu_state *plan = calloc(1, sizeof(*plan));
	struct emu_launch launch = { .state = plan };
	int ret;

	if (!plan)
		return EXIT_SETUP;
	ret = run_launch(&launch, argc, argv);
	if (launch.stats_out)
		fclose(launch.stats_out);
	/*
	 * emu_run_prepare() has replaced the plan by the shared state, unless the run ended before.
	 */
	if (launch.state == plan)
		free(plan);
	return ret;
}
