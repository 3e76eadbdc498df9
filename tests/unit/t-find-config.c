/* SPDX-License-Identifier: MIT */
/*
 * Settings: the grammar of every type, how file, environment and options may narrow each other,
 * damaged files, options of other versions, no memory.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "tap.h"
#include "unit/scene.h"

static bool hide_environment;

char *__wrap_secure_getenv(const char *name);
char *__wrap_secure_getenv(const char *name)
{
	return hide_environment ? NULL : getenv(name);
}

static struct sva_config config;

/*
 * Loads with nothing but the scene's file, the variables given ("NAME=VALUE", at most three), and
 * options.
 */
static int load(const struct sva_opts *opts, const char *a, const char *b, const char *c)
{
	struct sva_opts own = SVA_OPTS_INIT;
	const char *variables[] = { a, b, c };
	int err;

	scene_clear_environment();
	scene_forget();
	for (int i = 0; i < 3; i++)
		if (variables[i])
			putenv((char *)variables[i]);
	own.log = scene_log;
	err = sva_config_load(&config, opts ? opts : &own);
	scene_clear_environment();
	return err;
}

static int load_env(const char *variable)
{
	return load(NULL, variable, NULL, NULL);
}

static int load_with(const char *file, const char *variable)
{
	int err;

	scene_file("etc/libsva.conf", file);
	err = load(NULL, variable, NULL, NULL);
	unlink("etc/libsva.conf");
	return err;
}

static int load_file(const char *file)
{
	return load_with(file, NULL);
}

static const char *value(const char *key)
{
	const char *text = sva_config_key(&config, key);

	return text ? text : "";
}

/* Loading must work and give this value. */
static void gives(int err, const char *key, const char *want, const char *name)
{
	if (ok(!err, "%s: loads", name))
		tap_is(strcmp(value(key), want), 0, __FILE__, __LINE__, "%s: %s is '%s'", name, key,
		       want);
	if (!err)
		sva_config_free(&config);
}

/* Loading must fail with this error and a message that has both parts. */
static void fails(int err, int want, const char *part, const char *other, const char *name)
{
	is_rc(err, want, name);
	ok(scene_said(part) && scene_said(other), "%s: the message has '%s' and '%s'", name, part,
	   other);
	if (!err)
		sva_config_free(&config);
}

static void test_defaults(void)
{
	subject("default");
	is_rc(load_env(NULL), 0, "load without file, variables and options");
	is(config.path_count, 6, "number of paths");
	is_path(config.paths[0], SVA_PATH_ENQCMD, "the first path");
	is_path(config.paths[5], SVA_PATH_CPU, "the last path");
	is(config.path_mask, 0x3f, "the mask of paths has all of them");
	ok(!config.paths_explicit, "the paths do not count as chosen by the user");
	ok(!config.queues && !config.queue_file, "no lists of queues");
	is_str(value("plugins"), "dsa,file", "plug-ins dsa and file");
	is_str(value("plugin-dir"), SVA_PLUGIN_DIR, "directory of plug-ins as configured");
	is(config.threshold, 16384, "threshold of 16 KiB");
	is(config.flags, 0, "no flag is set");
	is(config.fault_policy, SVA_FAULT_TOUCH, "fault policy touch");
	is(config.fault_tries, 8, "8 fault tries");
	is(config.full_tries, 64, "64 full tries");
	is(config.soft_threads, 0, "no soft threads");
	is(config.record_timeout_ms, 10000, "record timeout of 10 s");
	is_str(config.soft_profile, "dsa2", "soft profile dsa2");
	is(config.log_level, LOG_WARNING, "log level warning");
	ok(sva_config_queue_allowed(&config, "dsa0", "wq0.0"), "every queue is allowed");
	ok(!sva_config_path_allowed(&config, -1) && !sva_config_path_allowed(&config, 6),
	   "no other path is allowed");
	sva_config_free(&config);
}

static void test_paths(void)
{
	subject("SVA_PATHS");
	is_rc(load_env("SVA_PATHS= write ,\tdma,soft "), 0, "white space around words");
	is(config.path_count, 3, "white space around words: three paths");
	is_path(config.paths[0], SVA_PATH_WRITE, "the first of three paths");
	is(config.path_mask, 1 << SVA_PATH_WRITE | 1 << SVA_PATH_DMA | 1 << SVA_PATH_SOFT,
	   "the mask has the three paths");
	ok(config.paths_explicit, "the paths count as chosen by the user");
	sva_config_free(&config);
	is_rc(load_env("SVA_PATHS="), 0, "an empty variable");
	ok(!config.paths_explicit, "an empty variable does not count as chosen by the user");
	sva_config_free(&config);
	gives(load_env("SVA_PATHS=  \t "), "paths", "enqcmd,movdir64b,write,dma,soft,cpu",
	      "a blank variable, as if not set");
	gives(load_env("SVA_PATHS=cpu,soft,dma,write,movdir64b,enqcmd"), "paths",
	      "cpu,soft,dma,write,movdir64b,enqcmd", "all paths in reversed order");
	fails(load_env("SVA_PATHS=write,dsa"), -EINVAL, "SVA_PATHS: unknown word 'dsa'",
	      "enqcmd,movdir64b,write,dma,soft,cpu", "an unknown word");
	fails(load_env("SVA_PATHS=Write"), -EINVAL, "SVA_PATHS", "'Write'", "capital letters");
	fails(load_env("SVA_PATHS=write soft"), -EINVAL, "SVA_PATHS", "'write soft'",
	      "words without a comma");
	fails(load_env("SVA_PATHS=soft,cpu,soft"), -EINVAL, "SVA_PATHS: 'soft' is named twice", "",
	      "a word that is named twice");
	fails(load_env("SVA_PATHS=soft,,cpu"), -EINVAL, "SVA_PATHS: empty word", "enqcmd,movdir64b",
	      "an empty word");
	fails(load_env("SVA_PATHS=soft,"), -EINVAL, "SVA_PATHS: empty word", "",
	      "comma at the end");
	fails(load_env("SVA_PATHS=,"), -EINVAL, "SVA_PATHS: empty word", "", "nothing but a comma");
	fails(load_env("SVA_PATHS=soft\033[31m"), -EINVAL, "'soft\\x1b[31m'", "",
	      "control characters, which the message escapes");
}

/* Each source can only take away from what the earlier ones permit. */
static void test_narrowing(void)
{
	struct sva_opts opts = SVA_OPTS_INIT;

	opts.log = scene_log;
	subject("narrowing");
	gives(load_with("paths = write,soft,cpu\n", "SVA_PATHS=cpu,enqcmd,write"), "paths",
	      "cpu,write", "paths are those of both, in the later order");
	fails(load_with("# none of them\n\npaths = soft,cpu\n", "SVA_PATHS=enqcmd"), -EACCES,
	      "SVA_PATHS: 'enqcmd' is not permitted", "libsva.conf:3: paths says 'soft,cpu'",
	      "no path in both");
	opts.paths = "soft";
	fails(load(&opts, "SVA_PATHS=write", NULL, NULL), -EACCES, "option paths: 'soft'",
	      "SVA_PATHS says 'write'", "an option outside what the environment permits");
	gives(load(&opts, "SVA_PATHS=write,soft", NULL, NULL), "paths", "soft",
	      "an option within what the environment permits");
	opts.paths = "quick";
	fails(load(&opts, NULL, NULL, NULL), -EINVAL, "option paths: unknown word 'quick'", "",
	      "an unknown word in an option");
	opts.paths = " ";
	fails(load(&opts, NULL, NULL, NULL), -EINVAL, "option paths: an empty list", "",
	      "an option of white space");
	opts.paths = NULL;
	opts.queues = "dsa0";
	gives(load(&opts, "SVA_QUEUES=wq0.0,dsa2", NULL, NULL), "queues", "dsa0/wq0.0",
	      "a device and a queue, which is that queue of the device");

	gives(load_with("queues = dsa0,dsa2/wq2.1\n", "SVA_QUEUES=wq2.1, wq0.3"), "queues",
	      "dsa0/wq2.1,dsa2/wq2.1,dsa0/wq0.3", "queues are those of both");
	gives(load_with("queues = wq0.0,wq0.1\n", "SVA_QUEUES=wq0.1"), "queues", "wq0.1",
	      "the same queue in both");
	fails(load_with("queues = wq0.0\n", "SVA_QUEUES=wq0.1"), -EACCES, "SVA_QUEUES: 'wq0.1'",
	      "libsva.conf:1", "different queues in both");
	fails(load_with("queues = dsa0/wq0.0\n", "SVA_QUEUES=dsa2,dsa2/wq0.0"), -EACCES,
	      "SVA_QUEUES", "dsa0/wq0.0", "queues of different devices");

	gives(load_with("plugins = dsa,file\n", "SVA_PLUGINS=file,other"), "plugins", "file",
	      "plug-ins are those of both");
	gives(load_env("SVA_PLUGINS=other"), "plugins", "other",
	      "without a file, any plug-in can be named");
	fails(load_with("plugins=dsa", "SVA_PLUGINS=file"), -EACCES, "SVA_PLUGINS: 'file'",
	      "libsva.conf:1: plugins says 'dsa'", "no plug-in is left");
	fails(load_with("plugin-dir=/a", "SVA_PLUGIN_DIR=/b"), -EACCES, "SVA_PLUGIN_DIR: '/b'",
	      "says '/a'", "the directory differs from that of the file");
	gives(load_with("plugin-dir=/a", "SVA_PLUGIN_DIR=/a"), "plugin-dir", "/a",
	      "the directory is the same as that of the file");
	fails(load_with("queue-file=/a", "SVA_QUEUE_FILE=/b"), -EACCES, "SVA_QUEUE_FILE: '/b'",
	      "says '/a'", "the list of queues differs from that of the file");

	gives(load_with("threshold = 1M\n", "SVA_THRESHOLD=4096"), "threshold", "4096",
	      "a tuning setting may be raised or lowered");
}

static void test_switches(void)
{
	struct sva_opts opts = SVA_OPTS_INIT;

	opts.log = scene_log;
	opts.flags = SVA_OPEN_UNTRUSTED;
	subject("switches");
	fails(load_with("strict=yes\n", "SVA_STRICT=no"), -EACCES, "SVA_STRICT: 'no'",
	      "strict says 'yes'", "strict cannot be taken back");
	gives(load_with("strict=no\n", "SVA_STRICT=1"), "strict", "yes",
	      "strict can be asked for against the file");
	fails(load_with("untrusted=no\n", "SVA_UNTRUSTED=yes"), -EACCES, "SVA_UNTRUSTED: 'yes'",
	      "untrusted says 'no'", "untrusted devices cannot be allowed against the file");
	gives(load_with("untrusted=yes\n", "SVA_UNTRUSTED=0"), "untrusted", "no",
	      "untrusted devices can be refused against the file");
	gives(load_env("SVA_UNTRUSTED=yes"), "untrusted", "yes",
	      "untrusted devices can be allowed where the file does not mention them");
	fails(load(&opts, "SVA_UNTRUSTED=no", NULL, NULL), -EACCES, "option untrusted: 'yes'",
	      "SVA_UNTRUSTED says 'no'", "a program cannot overrule the environment");
	gives(load(&opts, NULL, NULL, NULL), "untrusted", "yes",
	      "a program can allow untrusted devices");
	opts.flags = SVA_OPEN_STRICT | SVA_OPEN_GUARD;
	is_rc(load(&opts, "SVA_STRICT=no", "SVA_GUARD=no", NULL), 0, "strict and guard as options");
	is(config.flags, SVA_OPEN_STRICT | SVA_OPEN_GUARD,
	   "strict and guard as options: both flags are set");
	sva_config_free(&config);
	gives(load_with("guard=yes\n", "SVA_GUARD=no"), "guard", "no",
	      "the guard may be switched off against the file");
	fails(load_env("SVA_GUARD=maybe"), -EINVAL, "SVA_GUARD: 'maybe' is neither yes nor no", "",
	      "a word that is neither yes nor no");
}

static void test_queues(void)
{
	subject("SVA_QUEUES");
	is_rc(load_env("SVA_QUEUES=wq0.0, dsa2,dsa4/wq4.1"), 0, "a queue, a device, and both");
	ok(sva_config_queue_allowed(&config, "dsa0", "wq0.0"), "a queue by its name is allowed");
	ok(!sva_config_queue_allowed(&config, "dsa0", "wq0.1"),
	   "another queue of its device is not allowed");
	ok(sva_config_queue_allowed(&config, "dsa2", "wq2.7"),
	   "every queue of a named device is allowed");
	ok(sva_config_queue_allowed(&config, "dsa4", "wq4.1"),
	   "a queue named with its device is allowed");
	ok(!sva_config_queue_allowed(&config, "dsa4", "wq4.2"),
	   "another queue of that device is not allowed");
	ok(!sva_config_queue_allowed(&config, "dsa44", "wq4.1"),
	   "a device whose name begins the same is not allowed");
	sva_config_free(&config);
	fails(load_env("SVA_QUEUES=../wq"), -EINVAL, "SVA_QUEUES: '../wq' is not a name", "",
	      "a word that is not a name");
	fails(load_env("SVA_QUEUES=dsa0/"), -EINVAL, "SVA_QUEUES: 'dsa0/'", "",
	      "no queue behind the slash");
	fails(load_env("SVA_QUEUES=a/b/c"), -EINVAL, "SVA_QUEUES: 'a/b/c'", "", "two slashes");
	fails(load_env("SVA_QUEUES=wq0.0,wq0.0"), -EINVAL, "named twice", "",
	      "the same queue twice");
	fails(load_env(
		      "SVA_QUEUES=x123456789012345678901234567890123456789012345678901234567890123"),
	      -EINVAL, "SVA_QUEUES", "not a name", "a name of 64 letters");
	subject("plug-ins");
	fails(load_env("SVA_PLUGINS=../../tmp/evil"), -EINVAL,
	      "SVA_PLUGINS: '../../tmp/evil' is not a name", "",
	      "a path instead of the name of a plug-in");
	fails(load_env("SVA_PLUGIN_DIR=plugins"), -EINVAL,
	      "SVA_PLUGIN_DIR: 'plugins' is not an absolute path", "",
	      "a relative path of their directory");
}

static void test_values(void)
{
	static const char *const bad[] = {
		"SVA_THRESHOLD=-1",
		"SVA_THRESHOLD=0x10",
		"SVA_THRESHOLD=1kB",
		"SVA_THRESHOLD=1.5M",
		"SVA_THRESHOLD=k",
		"SVA_THRESHOLD=99999999999999999999",
		"SVA_THRESHOLD=99999999999999G",
		"SVA_FAULT_TRIES=65536",
		"SVA_FAULT_TRIES=8k",
		"SVA_FULL_TRIES=0",
		"SVA_SOFT_THREADS=65",
		"SVA_RECORD_TIMEOUT_MS=0",
		"SVA_SOFT_PROFILE=dsa4",
		"SVA_FAULT_POLICY=die",
		"SVA_FAULT_POLICY=1",
		"SVA_LOG=8",
		"SVA_LOG=loud",
	};

	subject("values");
	gives(load_env("SVA_THRESHOLD=16k"), "threshold", "16384", "a size in k");
	gives(load_env("SVA_THRESHOLD= 3M "), "threshold", "3145728", "a size in M");
	gives(load_env("SVA_THRESHOLD=1G"), "threshold", "1073741824", "a size in G");
	gives(load_env("SVA_THRESHOLD=0"), "threshold", "0", "a size of 0");
	gives(load_env("SVA_FAULT_POLICY=cpu"), "fault-policy", "cpu", "a fault policy");
	gives(load_env("SVA_SOFT_PROFILE=dsa3"), "soft-profile", "dsa3", "a profile of the model");
	gives(load_env("SVA_SOFT_THREADS=64"), "soft-threads", "64",
	      "the largest number of threads");
	gives(load_env("SVA_LOG=7"), "log", "debug", "a level as a number");
	gives(load_env("SVA_LOG=0"), "log", "none", "a level below all messages");
	gives(load_env("SVA_QUEUE_FILE=/etc/queues"), "queue-file", "/etc/queues",
	      "the path of a file");
	subject("a value that is refused");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char name[32];

		snprintf(name, sizeof(name), "%.*s: ", (int)strcspn(bad[i], "="), bad[i]);
		fails(load_env(bad[i]), -EINVAL, name, strchr(bad[i], '=') + 1, bad[i]);
	}
}

static void test_file(void)
{
	static char text[300000];

	subject("the file");
	gives(load_file("# comment\n\n  \t\n\tpaths\t=\twrite , cpu  \n#paths = soft"), "paths",
	      "write,cpu", "comments and white space");
	gives(load_file(""), "paths", "enqcmd,movdir64b,write,dma,soft,cpu", "an empty file");
	gives(load_file("log = debug"), "log", "debug", "no newline at the end");
	gives(load_with("paths = soft\n", "SVA_PATHS="), "paths", "soft",
	      "an empty variable leaves the file's word");
	fails(load_file("\nlog = debug\ncolour = red\n"), -EBADMSG,
	      "libsva.conf:3: unknown key 'colour'", "", "a line with an unknown key");
	fails(load_file("log = info\nlog = info\n"), -EBADMSG,
	      "libsva.conf:2: log: was set in line 1", "", "the same key twice");
	fails(load_file("strict\n"), -EBADMSG, "libsva.conf:1: 'strict' is not KEY = VALUE", "",
	      "a line without =");
	fails(load_file("= yes\n"), -EBADMSG, "libsva.conf:1: unknown key ''", "",
	      "a line without a key");
	fails(load_file("strict =\n"), -EBADMSG, "libsva.conf:1: strict: no value", "",
	      "a key with an empty value");
	fails(load_file("paths = fast\n"), -EBADMSG, "libsva.conf:1: paths: unknown word 'fast'",
	      "known are enqcmd", "an unknown word in a list");
	fails(load_file("threshold = lots\n"), -EBADMSG, "libsva.conf:1: threshold: 'lots'", "",
	      "a size that is not a number");
	fails(load_file("[paths]\nwrite=yes\n"), -EBADMSG, "libsva.conf:1: '[paths]'", "",
	      "a section as in other formats");
	fails(load_file("strict = yes\r\n"), -EBADMSG, "libsva.conf:1: control character 0x0d", "",
	      "a carriage return before the newline");
	scene_file_bytes("etc/libsva.conf", "log = info\nstr\0ict = yes\n", 24);
	fails(load_env(NULL), -EBADMSG, "libsva.conf:2: control character 0x00", "not a text file",
	      "a line with a NUL byte");
	scene_file_bytes("etc/libsva.conf",
			 "\x7f"
			 "ELF\x02\x01\x01",
			 7);
	fails(load_env(NULL), -EBADMSG, "libsva.conf:1: control character 0x7f", "",
	      "a file that is a program");
	memset(text, '#', sizeof(text) - 1);
	text[1023] = '\n';
	text[1024] = '\0';
	gives(load_file(text), "log", "warning", "a line of the greatest length");
	text[1023] = '#';
	text[1024] = '\n';
	text[1025] = '\0';
	fails(load_file(text), -EBADMSG, "libsva.conf:1: line is longer than 1023 bytes", "",
	      "a line that is too long");
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = i % 100 == 99 ? '\n' : '#';
	fails(load_file(text), -EBADMSG, "libsva.conf: larger than 262144 bytes", "",
	      "a file that is too large");
}

/* The example that is installed: it has every key, and without its #s it sets every default. */
static void test_example(void)
{
	static char text[16384], bare[16384];
	char path[600], *line, *save;
	FILE *file;

	subject("example of the file");

	snprintf(path, sizeof(path), "%s/src/lib/libsva.conf", getenv("top_srcdir"));
	file = fopen(path, "r");
	if (!ok(file && fread(text, 1, sizeof(text) - 1, file) > 0, "it can be read"))
		return;
	fclose(file);
	gives(load_file(text), "log", "warning", "as it is");
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (line[0] == '#' && line[1] >= 'a' && line[1] <= 'z')
			sprintf(bare + strlen(bare), "%s\n", line + 1);
	if (!ok(!load_file(bare), "it loads with every # taken away"))
		return;
	for (unsigned int i = 0; sva_setting_describe(i); i++) {
		const struct sva_setting *s = sva_setting_describe(i);
		char want[64];

		snprintf(want, sizeof(want), "\n%s = %s", s->key,
			 s->type[0] == 'p' || !*s->initial ? "" : s->initial);
		ok(strstr(bare, i ? want : want + 1) != NULL,
		   "it has %s with its default", s->key);
	}
	sva_config_free(&config);
}

static void test_places(void)
{
	char path[600];

	subject("in place of the file");
	snprintf(path, sizeof(path), "%s/etc/libsva.conf", scene_root());
	remove(path);
	gives(load_env(NULL), "log", "warning", "nothing");
	mkdir(path, 0755);
	fails(load_env(NULL), -EBADMSG, "libsva.conf: not a regular file", "", "a directory");
	rmdir(path);
	mkfifo(path, 0644);
	fails(load_env(NULL), -EBADMSG, "libsva.conf: not a regular file", "",
	      "a FIFO, on which an open would block");
	unlink(path);
	if (symlink("libsva.conf", path))
		printf("# no symbolic link\n");
	fails(load_env(NULL), -EBADMSG, "libsva.conf: cannot be opened", "",
	      "a symbolic link to itself");
	unlink(path);
	scene_file("etc/libsva.conf", "strict = yes\n");
	chmod(path, 0);
	if (geteuid() && access(path, R_OK) == 0)
		skip("a file that the user cannot read", "this user can read everything");
	else {
		bool root = !geteuid();

		if (root && seteuid(65534))
			skip("a file that the user cannot read",
			     "root cannot become another user here");
		else
			fails(load_env(NULL), -EACCES, "libsva.conf: cannot be opened", "",
			      "a file that the user cannot read");
		if (root && seteuid(0))
			exit(1);
	}
	unlink(path);
}

struct longer {
	struct sva_opts opts;
	uint64_t more;
};

static void test_options(void)
{
	struct sva_opts opts = SVA_OPTS_INIT;
	struct longer longer = { .opts = SVA_OPTS_INIT };

	opts.log = longer.opts.log = scene_log;
	opts.threshold = 1;
	opts.fault_policy = SVA_FAULT_CPU;
	opts.fault_tries = 3;
	opts.soft_threads = 2;
	opts.record_timeout_ms = 5;
	subject("options of sva_open()");
	is_rc(load(&opts, "SVA_THRESHOLD=2", NULL, NULL), 0, "every numeric option");
	ok(config.threshold == 1 && config.fault_policy == SVA_FAULT_CPU &&
		   config.fault_tries == 3 && config.soft_threads == 2 &&
		   config.record_timeout_ms == 5 && config.log == scene_log,
	   "each numeric option sets its field");
	sva_config_free(&config);
	opts = (struct sva_opts)SVA_OPTS_INIT;
	opts.log = scene_log;
	opts.soft_threads = 65;
	fails(load(&opts, NULL, NULL, NULL), -EINVAL,
	      "option soft-threads: 65 is out of range: 0 to 64", "", "too many soft threads");
	opts.soft_threads = 0;
	opts.flags = 0x80;
	fails(load(&opts, NULL, NULL, NULL), -EINVAL, "flags", "", "an unknown flag");
	opts.flags = 0;
	opts.reserved = 1;
	fails(load(&opts, NULL, NULL, NULL), -EINVAL, "reserved", "",
	      "a reserved field that is not 0");
	opts.reserved = 0;
	opts.fault_policy = 4;
	fails(load(&opts, NULL, NULL, NULL), -EINVAL, "fault_policy", "",
	      "an unknown fault policy");
	opts.fault_policy = 0;

	longer.opts.size = sizeof(longer);
	gives(load(&longer.opts, NULL, NULL, NULL), "log", "warning",
	      "a longer structure whose new part is 0");
	longer.more = 1ull << 63;
	fails(load(&longer.opts, NULL, NULL, NULL), -EINVAL, "does not know", "",
	      "a longer structure whose new part is not 0");
	opts.size = offsetof(struct sva_opts, record_timeout_ms);
	opts.record_timeout_ms = 77;
	is_rc(load(&opts, "SVA_LOG=none", NULL, NULL), 0,
	      "a shorter structure of an older program");
	is(config.record_timeout_ms, 10000, "a field beyond the shorter structure is not read");
	sva_config_free(&config);
	opts.size = 0;
	is_rc(load(&opts, "SVA_LOG=none", NULL, NULL), -EINVAL, "a structure of size 0");
	opts.size = 4097;
	is_rc(load(&opts, "SVA_LOG=none", NULL, NULL), -EINVAL, "a structure of 4097 bytes");
	opts.size = (size_t)-1;
	is_rc(load(&opts, "SVA_LOG=none", NULL, NULL), -EINVAL, "a structure of SIZE_MAX bytes");
}

static void test_asking(void)
{
	char text[256];
	int rows = 0;

	subject("sva_setting_describe()");
	while (sva_setting_describe((unsigned int)rows)) {
		const struct sva_setting *s = sva_setting_describe((unsigned int)rows++);

		ok(!strncmp(s->env, "SVA_", 4) && *s->key && *s->type && s->initial && *s->help,
		   "%s has all of its texts", s->env);
	}
	is(rows, 16, "there are sixteen settings");
	subject("questions about the configuration");
	is_str(sva_config_file(), SVA_CONFIG_FILE, "sva_config_file() gives the path");
	is_rc(load_env("SVA_PATHS=soft"), 0, "load");
	is_rc(sva_config_value(&config, 0, text, sizeof(text)), 0, "a value in a large buffer");
	is_str(text, "soft", "the value is the path that was set");
	is_rc(sva_config_value(&config, 0, text, 4), -ERANGE,
	      "a buffer that is one byte too small");
	is_rc(sva_config_value(&config, 0, text, 5), 0, "a buffer that has just the size");
	is_rc(sva_config_value(&config, 16, text, sizeof(text)), -ENOENT,
	      "a setting beyond the last");
	ok(!sva_config_key(&config, "colour") && !sva_config_key(&config, "queues"),
	   "unknown and empty keys have no value");
	sva_config_free(&config);
}

static void test_secure(void)
{
	hide_environment = true;
	subject("environment");
	gives(load_env("SVA_PATHS=soft"), "paths", "enqcmd,movdir64b,write,dma,soft,cpu",
	      "a set-user-ID program, which does not read it");
	hide_environment = false;
}

static void test_errno(void)
{
	errno = 12345;
	subject("errno");
	is_rc(load_env("SVA_PATHS=nonsense"), -EINVAL, "a bad value");
	is(errno, 12345, "errno is not changed by a bad value");
}

/* Fail each allocation in turn. */
static void test_no_memory(void)
{
	struct sva_opts opts = SVA_OPTS_INIT;
	unsigned int n, wrong = 0;
	char text[1024];
	int err = -ENOMEM;

	subject("no memory");
	opts.log = scene_log;
	opts.queues = "wq0.0,dsa0";
	opts.paths = "soft,cpu";
	snprintf(text, sizeof(text),
		 "queues = dsa0, dsa2\nplugins = file,dsa\nqueue-file = /x\ninclude = %s/etc/more\n",
		 scene_root());
	scene_file("etc/libsva.conf", text);
	scene_file("etc/more", "threshold = 64k\n");
	for (n = 1; n < 500 && err == -ENOMEM; n++) {
		scene_fail_allocation(n);
		err = load(&opts, "SVA_PLUGINS=dsa", "SVA_QUEUES=dsa0,wq2.0", NULL);
		scene_fail_allocation(0);
		wrong += err && err != -ENOMEM;
	}
	ok(!wrong && !err && n > 40, "each of %u allocations may fail, with -ENOMEM", n - 2);
	if (!err)
		sva_config_free(&config);
	remove("etc/libsva.conf");
	scene_tree(NULL);
}

/* A good file with random damage: it loads or is refused with -EBADMSG. */
static void test_damage(void)
{
	static const char good[] =
		"# a file\npaths = write,soft,cpu\nqueues = dsa0, dsa2/wq2.0\nplugins=dsa,file\n"
		"threshold=64k\nstrict = yes\nrecord-timeout-ms = 100\nlog = none\n";
	unsigned int wrong = 0, refused = 0, seed = 1;
	char text[sizeof(good)];

	subject("damage");
	for (int i = 0; i < 2000; i++) {
		int err;

		memcpy(text, good, sizeof(good));
		for (int k = 0; k <= i % 3; k++) {
			seed = seed * 1103515245 + 12345;
			text[(seed >> 8) % (sizeof(good) - 1)] ^= (char)(1u << (seed >> 4 & 7));
		}
		scene_file_bytes("etc/libsva.conf", text, sizeof(good) - 1);
		err = load_env(NULL);
		wrong += err && err != -EBADMSG;
		refused += err != 0;
		if (!err)
			sva_config_free(&config);
	}
	is(wrong, 0, "2000 damaged files give no other error than -EBADMSG");
	ok(refused > 1000, "most of them, %u, are refused", refused);
	scene_tree(NULL);
}

int main(void)
{
	if (chdir(scene_root()))
		return 1;
	test_defaults();
	test_paths();
	test_narrowing();
	test_switches();
	test_queues();
	test_values();
	test_file();
	test_example();
	test_places();
	test_options();
	test_asking();
	test_secure();
	test_errno();
	test_no_memory();
	test_damage();
	return done();
}
