/* SPDX-License-Identifier: MIT */
/*
 * The plug-in "file" with a host that is this test: the grammar of a list of queues, mistakes,
 * damage, no memory. Discovery with the plug-in itself is in t-find-discover.
 */
#include "lib/find/queue-check.h"
#include "tap.h"
#include "unit/scene.h"

static char queue_file[600], problem[8192], names[4096];
static unsigned int queues, refused;
static int answer;

static int add_queue(void *ctx, const struct sva_accfg_queue *queue)
{
	(void)ctx;
	queues++;
	refused += sva_queue_check(queue) != NULL;
	if (strlen(names) < sizeof(names) - 100)
		sprintf(names + strlen(names), "%s/%s ", queue->device, queue->name);
	return answer;
}

static void add_problem(void *ctx, uint32_t reason, const char *detail)
{
	(void)ctx;
	snprintf(problem, sizeof(problem), "%u %s", reason, detail ? detail : "");
}

static const char *get_setting(void *ctx, const char *key)
{
	(void)ctx;
	return *queue_file && !strcmp(key, "queue-file") ? queue_file : NULL;
}

static int enumerate(void)
{
	static const struct sva_accfg_host host = {sizeof(host), NULL, add_queue, add_problem,
						   get_setting};

	queues = refused = 0;
	problem[0] = names[0] = '\0';
	return sva_accfg_plugin_v1.enumerate(&host);
}

static int list(const char *text)
{
	scene_file("etc/queues", text);
	return enumerate();
}

static void good(const char *text, const char *want, const char *name)
{
	subject("%s", name);
	is_rc(list(text), 0, "the list is accepted");
	is_str(names, want, "it gives its queues");
	is_str(problem, "", "it gives no problem");
}

static void bad(const char *text, const char *part, const char *name)
{
	char want[256];

	snprintf(want, sizeof(want), "/etc/queues:%s", part);
	subject("%s", name);
	is_rc(list(text), 0, "the plug-in works");
	is(queues, 0, "no queue of the list is used");
	if (!ok(strstr(problem, want) != NULL, "the problem has '%s'", part))
		printf("# got '%s'\n", problem);
}

static void test_good(void)
{
	good("", "", "an empty file");
	good("# nothing\n\n", "", "comments");
	good("a device=b mode=shared", "b/a ", "one queue, no newline");
	good("  a\tdevice=b   mode=shared \n\n# and\nc mode=dedicated device=d entries=128\n",
	     "b/a d/c ", "two queues");
	good("a device=b mode=shared node= label=\n", "b/a ", "empty texts");
	good("a device=b mode=shared numa=-1 max-transfer=0x10000 max-batch=1k version=256\n",
	     "b/a ", "numbers in every form");
	good("a device=b mode=shared op-cap=00000000,00000000,00000000,00000000,00000000,"
	     "00000000,00000001,003f03ff\n",
	     "b/a ", "op_cap as sysfs has it");
}

/* The example that is installed. */
static void test_example(void)
{
	char there[600];

	memcpy(there, queue_file, sizeof(there));
	snprintf(queue_file, sizeof(queue_file), "%s/accfg-plugins/libsva.queues",
		 getenv("top_srcdir"));
	subject("the example that is installed");
	is_rc(enumerate(), 0, "it is accepted");
	is_str(names, "dsa0/wq0.0 dsa2/wq2.1 ", "it gives two queues");
	is_str(problem, "", "it gives no problem");
	memcpy(queue_file, there, sizeof(there));
}

static void test_bad(void)
{
	bad("a\n", "1: the queue has no device=", "a name alone");
	bad("a device=b\n", "1: the queue has no mode=", "no mode");
	bad("a device=b mode=dedicated\n",
	    "1: the queue is dedicated and has no entries=", "a dedicated queue of unknown size");
	bad("ok device=b mode=shared\n\na device=b mode=both\n", "3: 'both' is no value for mode",
	    "an unknown mode");
	bad("a device=b mode=shared size=16\n", "1: unknown key 'size'", "an unknown key");
	bad("a device=b mode=shared mode=shared\n", "1: mode is there twice", "a key twice");
	bad("a device=b mode=shared label=my queue\n", "1: 'queue' is not KEY=VALUE",
	    "a word that is no pair");
	bad("a/b device=b mode=shared\n", "1: the field name makes", "a name with a slash");
	bad("device=b mode=shared\n", "1: the queue has no device=", "no name");
	bad("a device=../b mode=shared\n", "1: the field device makes", "a device that is a path");
	bad("a device=b mode=shared node=dev/dsa/wq0.0\n", "1: the field node makes",
	    "a relative node");
	bad("a device=b mode=shared node=/dev/../etc/passwd\n", "1: the field node makes",
	    "a node with a detour");
	bad("a device=b mode=shared entries=0\n", "1: the field entries makes", "no entries");
	bad("a device=b mode=shared entries=65536\n", "1: the field entries makes",
	    "too many entries");
	bad("a device=b mode=shared entries=-1\n", "1: '-1' is no value for entries",
	    "less than none");
	bad("a device=b mode=shared entries=8 threshold=9\n", "1: the field threshold makes",
	    "a threshold over the entries");
	bad("a device=b mode=shared max-transfer=3M\n", "1: the field max_transfer makes",
	    "no power of two");
	bad("a device=b mode=shared max-transfer=4G\n", "1: the field max_transfer makes",
	    "too much for a descriptor");
	bad("a device=b mode=shared max-batch=65536\n", "1: the field max_batch makes",
	    "too large a batch");
	bad("a device=b mode=shared max-batch=4294967296\n",
	    "1: '4294967296' is no value for max-batch", "more than 32 bits");
	bad("a device=b mode=shared numa=-2\n", "1: '-2' is no value for numa", "a negative node");
	bad("a device=b mode=shared numa=1024\n", "1: the field numa_node makes",
	    "a node that no machine has");
	bad("a device=b mode=shared version=0x10000\n", "1: the field version makes",
	    "an impossible version");
	bad("a device=b mode=shared op-cap=all\n", "1: 'all' is no value for op-cap", "no bitmap");
	bad("a device=b mode=shared gen-cap=0x1ffffffffffffffff\n", "1: ", "more than 64 bits");
	bad("a device=b mode=shared block-on-fault=1\n", "1: '1' is no value for block-on-fault",
	    "neither yes nor no");
	good("a device=b mode=shared label=\xc2\x9b"
	     "31m\n",
	     "b/a ", "a label with a control character in two bytes");
	good("a device=b mode=shared label=\xff\n", "b/a ", "a label that is no UTF-8");
	bad("a device=b mode=shared\nc device=d mode=shared\na device=b mode=dedicated entries=1\n",
	    "3: the queue of line 1 is there again", "a queue twice");
	bad("a device=b mode=shared node=/dev/x\nc device=d mode=shared node=/dev/x\n",
	    "2: the queue of line 1 is there again", "a node twice");
	bad("a device=b mode=sh\001ared\n", "1: control character 0x01", "a control character");
	scene_file_bytes("etc/queues", "a device=b\0 mode=shared\n", 24);
	subject("a NUL byte");
	is_rc(enumerate(), 0, "the plug-in works");
	ok(strstr(problem, "/etc/queues:1: control character 0x00") && !queues,
	   "the list is refused with its line");
}

static void test_places(void)
{
	char there[600];

	memcpy(there, queue_file, sizeof(there));
	queue_file[0] = '\0';
	subject("no list is named");
	is_rc(enumerate(), 0, "the plug-in works");
	ok(!queues && !*problem, "it gives no queue and no problem");
	strcpy(queue_file, "/nowhere/at/all");
	subject("a list that does not exist");
	is_rc(enumerate(), 0, "the plug-in works");
	ok(strstr(problem, "/nowhere/at/all: there is no such file") != NULL,
	   "the problem is that there is no such file");
	strcpy(queue_file, "/dev/zero");
	subject("a device instead of a list");
	is_rc(enumerate(), 0, "the plug-in works");
	ok(strstr(problem, "/dev/zero: not a regular file") != NULL,
	   "the problem is that it is not a regular file");
	memcpy(queue_file, there, sizeof(there));
	answer = -EINVAL;
	is(list("a device=b mode=shared\nc device=d mode=shared\n"), 0,
	   "a host that refuses every queue");
	is(queues, 2, "the plug-in passes it both queues");
	answer = -ENOMEM;
	is_rc(enumerate(), -ENOMEM, "a host without memory");
	is(queues, 1, "the plug-in passes it only the first queue");
	answer = 0;
}

/* sva_queue_check(): fields that the grammar of the list has no words for. */
static void test_check(void)
{
	struct {
		struct sva_accfg_queue queue;
		uint64_t more;
	} longer = {.queue = {.name = "a",
			      .device = "b",
			      .node = "",
			      .label = "",
			      .entries = 1,
			      .numa_node = -1}};
	struct sva_accfg_queue *q = &longer.queue;

	q->size = sizeof(*q);
	ok(!sva_queue_check(q), "a queue with few fields set is good");
	q->size--;
	is_str(sva_queue_check(q), "size", "a structure that is smaller than the first version");
	q->size = sizeof(longer);
	ok(!sva_queue_check(q), "a longer structure whose new part is 0 is good");
	longer.more = 1;
	is_str(sva_queue_check(q), "size", "a longer structure whose new part is not 0");
	q->size = sizeof(*q);
	q->name = NULL;
	is_str(sva_queue_check(q), "name", "an empty name");
	q->name = "a";
	q->label = NULL;
	is_str(sva_queue_check(q), "label", "an empty label");
	q->label = "";
	q->entries = 0;
	is_str(sva_queue_check(q), "entries", "an enabled queue without entries");
	q->reason = SVA_REASON_QUEUE_DISABLED;
	ok(!sva_queue_check(q), "a disabled queue without entries is good");
	q->reason = SVA_REASON_COUNT_;
	is_str(sva_queue_check(q), "reason", "an unknown reason");
	q->reason = SVA_REASON_OK;
	q->entries = 1;
	q->mode = 3;
	is_str(sva_queue_check(q), "mode", "an unknown mode");
	q->mode = 0;
	q->trust = 3;
	is_str(sva_queue_check(q), "trust", "an unknown trust");
	q->trust = 0;
	q->block_on_fault = 2;
	is_str(sva_queue_check(q), "block_on_fault", "block_on_fault is neither 0 nor 1");
	q->block_on_fault = 0;
	q->reserved = 1;
	is_str(sva_queue_check(q), "reserved", "a reserved field is not 0");
}

static void test_no_memory(void)
{
	int err = -ENOMEM;
	unsigned int n;

	scene_file("etc/queues", "a device=b mode=shared\nc device=d mode=shared\n");
	for (n = 1; n < 50 && err == -ENOMEM; n++) {
		scene_fail_allocation(n);
		err = enumerate();
		scene_fail_allocation(0);
	}
	subject("list of two queues");
	ok(!err && n > 5, "no memory: each of %u allocations may fail", n - 2);
	is(queues, 2, "with memory the list gives its two queues");
}

static void test_damage(void)
{
	static const char whole[] =
		"wq0.0 device=dsa0 node=/dev/dsa/wq0.0 mode=shared entries=16 threshold=16 max-transfer=2M "
		"max-batch=32 numa=0\nwq0.1 device=dsa0 mode=dedicated entries=8 version=0x100 gen-cap=0x40915f010f "
		"op-cap=0x3ff label=x\n";
	unsigned int seed = 3, wrong = 0, broken = 0;
	char text[sizeof(whole)];

	for (int i = 0; i < 3000; i++) {
		memcpy(text, whole, sizeof(whole));
		for (int k = 0; k <= i % 4; k++) {
			seed = seed * 1103515245 + 12345;
			text[(seed >> 8) % (sizeof(whole) - 1)] ^= (char)(1u << (seed >> 4 & 7));
		}
		scene_file_bytes("etc/queues", text, sizeof(whole) - 1);
		wrong += enumerate() != 0 || refused || (*problem ? queues != 0 : queues > 2);
		broken += *problem != 0;
	}
	subject("damage");
	is(wrong, 0, "3000 damaged lists give all of their queues or none");
	ok(broken > 1000, "%u damaged lists give no queue", broken);
}

int main(void)
{
	snprintf(queue_file, sizeof(queue_file), "%s/etc/queues", scene_root());
	is_str(sva_accfg_plugin_v1.name, "file", "the plug-in is named \"file\"");
	is(sva_accfg_plugin_v1.size, sizeof(struct sva_accfg_plugin),
	   "the plug-in has the size of its structure");
	test_good();
	test_example();
	test_bad();
	test_places();
	test_check();
	test_no_memory();
	test_damage();
	return done();
}
