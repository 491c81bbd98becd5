#include "tests/unit/node/support.h"

#include "core/node/config.h"

static const char *const fruits[] = {"apple", "pear", NULL};

static const ConfigKey keys[] = {
    {"node", "oin", CONFIG_OIN, TRUE, NULL, "who"},
    {"node", "name", CONFIG_TEXT, FALSE, NULL, "a name"},
    {"node", "data", CONFIG_PATH, FALSE, "data", "a folder"},
    {"node", "anchors", CONFIG_FILE, FALSE, NULL, "a file"},
    {"node", "fruit", CONFIG_TEXT, FALSE, "pear", "one of a few", fruits},
    {"node", "basket", CONFIG_LIST, FALSE, NULL, "some of a few", fruits},
    {"times", "wait", CONFIG_INTEGER, FALSE, "2m", "how long"},
    {"times", "on", CONFIG_BOOLEAN, FALSE, "yes", "a switch"},
    {"client.*", "listen", CONFIG_ADDRESS, TRUE, NULL, "where"},
    {"client.*", "grants", CONFIG_LIST, FALSE, NULL, "what"},
    {"client.*", "retry", CONFIG_INTEGER, FALSE, "3", "how often"},
    {"fsc", "manager", CONFIG_URL, FALSE, NULL, "an address"},
};
static const ConfigKey *const tables[] = {keys};
static const gsize counts[] = {G_N_ELEMENTS(keys)};

#define START "[node]\noin = 00000001000000000002\n"

static Config *parse(const char *text, GPtrArray *faults)
{
    return config_parse("/etc/fundament/node.conf", text, strlen(text), tables, counts, 1, faults);
}

static Config *accepts(const char *text)
{
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    Config *config = parse(text, faults);
    if (config == NULL)
        fail_msg("%s", (const char *)faults->pdata[0]);
    assert_int_equal(faults->len, 0);
    return config;
}

/* Exactly these faults, in this order; each without the name of the file. */
static void refuses_all(const char *text, const char *const *expected)
{
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    assert_null(parse(text, faults));
    guint n = 0;
    for (; expected[n] != NULL && n < faults->len; n++) {
        g_autofree char *whole = g_strconcat("/etc/fundament/node.conf:", expected[n], NULL);
        assert_string_equal(faults->pdata[n], whole);
    }
    assert_null(expected[n]);
    assert_int_equal(faults->len, n);
}

#define refuses(text, ...) refuses_all(text, (const char *const[]){__VA_ARGS__, NULL})

static void reads_sections_keys_and_comments(void **state)
{
    g_autoptr(Config) config =
        accepts("# first\n\n  [ node ]  # the node\r\n oin=00000001000000000002\t# ours\n"
                "name = a = b #c\n[times]\nwait = 90s\non = no\n");
    assert_string_equal(config_text(config, "node", "oin"), "00000001000000000002");
    assert_string_equal(config_text(config, "node", "name"), "a = b");
    assert_int_equal(config_integer(config, "times", "wait"), 90);
    assert_false(config_boolean(config, "times", "on"));
    assert_int_equal(config_line(config, "node", "name"), 5);
    assert_string_equal(config_path(config), "/etc/fundament/node.conf");
}

static void keeps_a_hash_without_white_space_before_it(void **state)
{
    g_autoptr(Config) config = accepts(START "name = a#b\n");
    assert_string_equal(config_text(config, "node", "name"), "a#b");
}

static void fills_in_fallbacks_also_of_sections_that_are_not_there(void **state)
{
    g_autoptr(Config) config = accepts(START);
    assert_string_equal(config_text(config, "node", "data"), "/etc/fundament/data");
    assert_string_equal(config_text(config, "node", "fruit"), "pear");
    assert_int_equal(config_integer(config, "times", "wait"), 120);
    assert_true(config_boolean(config, "times", "on"));
    assert_null(config_text(config, "node", "name"));
    assert_null(config_text(config, "fsc", "manager"));
    assert_int_equal(config_integer(config, "nowhere", "nothing"), 0);
    assert_int_equal(config_line(config, "times", "wait"), 0);
    assert_false(config_has_section(config, "times"));
    assert_true(config_has_section(config, "node"));
    assert_null(config_list(config, "client.x", "grants")[0]);
}

static void reads_units_of_time_and_size(void **state)
{
    static const struct {
        const char *text;
        gint64 value;
    } table[] = {{"0", 0},       {"7", 7},          {"7s", 7},
                 {"2m", 120},    {"3h", 10800},     {"7d", 604800},
                 {"4KiB", 4096}, {"1MiB", 1 << 20}, {"2GiB", (gint64)2 << 30}};
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autofree char *text = g_strdup_printf(START "[times]\nwait = %s\n", table[i].text);
        g_autoptr(Config) config = accepts(text);
        assert_int_equal(config_integer(config, "times", "wait"), table[i].value);
    }
}

#define NOT_A_NUMBER "expected a number, with s, m, h or d for a time or KiB, MiB or GiB for a size"

static void rejects_numbers_that_are_none(void **state)
{
    static const char *const table[] = {
        "-1", "1x", "s", "1 s", "0x10", "1.5", "99999999999999999999", "999999999999999GiB"};
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autofree char *text = g_strdup_printf(START "[times]\nwait = %s\n", table[i]);
        g_autofree char *fault = g_strdup_printf("4: wait: \"%s\": " NOT_A_NUMBER, table[i]);
        refuses(text, fault);
    }
}

static void reads_lists_families_and_hosts_in_file_order(void **state)
{
    g_autoptr(Config) config = accepts(
        START
        "[client.permits]\nlisten = 127.0.0.1:9001\ngrants =  a.1\t b.* \n[hosts]\nm.test = 127.0.0.12\n"
        "n.test = ::1\n[client.a.b]\nlisten = [::1]:9002\ngrants =\n");
    const char *const *clients = config_family(config, "client");
    assert_string_equal(clients[0], "permits");
    assert_string_equal(clients[1], "a.b");
    assert_null(clients[2]);
    assert_null(config_family(config, "service")[0]);
    const char *const *grants = config_list(config, "client.permits", "grants");
    assert_string_equal(grants[0], "a.1");
    assert_string_equal(grants[1], "b.*");
    assert_null(grants[2]);
    assert_null(config_list(config, "client.a.b", "grants")[0]);
    assert_int_equal(config_integer(config, "client.permits", "retry"), 3);
    assert_string_equal(config_host(config, "m.test"), "127.0.0.12");
    assert_null(config_host(config, "x.test"));
    const char *const *resolve = config_resolve(config);
    assert_string_equal(resolve[0], "m.test:443:127.0.0.12");
    assert_string_equal(resolve[1], "m.test:8443:127.0.0.12");
    assert_string_equal(resolve[2], "n.test:443:::1");
    assert_string_equal(resolve[3], "n.test:8443:::1");
    assert_null(resolve[4]);
}

static void says_every_fault_at_once_in_the_order_of_lines(void **state)
{
    refuses(
        "x = 1\n[node]\noni = 1\nname = a\nname = b\nfruit = appel\n[nod]\nwhatever = 1\n[times]\non = "
        "maybe\n"
        "wait = 5y\n[client.a]\n[hosts]\na = 1.2.3\n[fsc]\nmanager = ftp://x\nrubbish\n[un closed\nb = 1\n",
        "1: a key must stand below a [section]", "2: [node] lacks the key \"oin\": who",
        "3: unknown key \"oni\" in [node]; did you mean \"oin\"?",
        "5: key \"name\" is there already, at line 4; keep one of the two",
        "6: fruit: \"appel\" is none of: apple, pear; did you mean \"apple\"?",
        "7: unknown section [nod]; did you mean [node]?", "10: on: \"maybe\": expected yes or no",
        "11: wait: \"5y\": " NOT_A_NUMBER, "12: [client.a] lacks the key \"listen\": where",
        "14: a: \"1.2.3\": expected an IP address",
        "16: manager: \"ftp://x\": expected an address that begins with https:// or http:// and a host",
        "17: expected [section], key = value or a comment that begins with \"#\"",
        "18: a section is written as [name] on a line of its own");
}

static void rejects_a_section_that_is_there_twice(void **state)
{
    refuses(START "[times]\non = no\n[node]\noin = 00000001000000000002\n",
            "5: section [node] is there already, at line 1; put its keys together",
            "6: key \"oin\" is there already, at line 2; keep one of the two");
}

static void rejects_sections_that_nobody_knows(void **state)
{
    refuses(START "[client]\n", "3: section [client] needs a name: [client.NAME]");
    refuses(START "[client.]\n", "3: section [client.] needs a name: [client.NAME]");
    refuses(START "[cleint.a]\n", "3: unknown section [cleint.a]; did you mean [client.a]?");
    refuses(START "[times.a]\n", "3: unknown section [times.a]; did you mean [times]?");
    refuses(START "[host]\n", "3: unknown section [host]; did you mean [hosts]?");
    refuses(START "[completely-else]\na = 1\n", "3: unknown section [completely-else]");
    refuses(START "[a b]\n", "3: the name of a section holds letters, digits, \".\", \"_\" and \"-\" only");
    refuses(START "[]\n", "3: the name of a section holds letters, digits, \".\", \"_\" and \"-\" only");
    refuses(START "a b = 1\n", "3: the name of a key holds letters, digits, \".\", \"_\" and \"-\" only");
    refuses(START "completely-else = 1\n", "3: unknown key \"completely-else\" in [node]");
}

static void rejects_words_outside_the_choices_in_lists_too(void **state)
{
    g_autoptr(Config) config = accepts(START "basket = pear apple\n");
    assert_string_equal(config_list(config, "node", "basket")[1], "apple");
    refuses(START "basket = pear perr xyzzy\n",
            "3: basket: \"perr\" is none of: apple, pear; did you mean \"pear\"?",
            "3: basket: \"xyzzy\" is none of: apple, pear");
}

static void rejects_values_of_the_wrong_kind(void **state)
{
    refuses("[node]\noin = 0000000100000000000\n",
            "2: oin: \"0000000100000000000\": expected an OIN, 20 digits");
    refuses("[node]\noin =\n", "2: oin has no value; leave the line out for the default");
    static const char *const addresses[] = {"127.0.0.1",     "127.0.0.1:0", "127.0.0.1:65536",
                                            "localhost:80",  "::1:80",      "[::1]80",
                                            "127.0.0.1:+80", ":80",         "[127.0.0.1]:80"};
    for (gsize i = 0; i < G_N_ELEMENTS(addresses); i++) {
        g_autofree char *text = g_strdup_printf(START "[client.a]\nlisten = %s\n", addresses[i]);
        g_autofree char *fault = g_strdup_printf(
            "4: listen: \"%s\": expected an address as 127.0.0.1:443 or [::1]:443", addresses[i]);
        refuses(text, fault);
    }
    static const char *const urls[] = {"manager.test",    "https://",  "https://u:p@host",
                                       "https://host/#x", "file:///x", "https:host"};
    for (gsize i = 0; i < G_N_ELEMENTS(urls); i++) {
        g_autofree char *text = g_strdup_printf(START "[fsc]\nmanager = %s\n", urls[i]);
        g_autofree char *fault = g_strdup_printf(
            "4: manager: \"%s\": expected an address that begins with https:// or http:// and a host",
            urls[i]);
        refuses(text, fault);
    }
    g_autoptr(Config) config = accepts(START "[fsc]\nmanager = https://manager.test:8443\n");
    assert_string_equal(config_text(config, "fsc", "manager"), "https://manager.test:8443");
}

static void rejects_files_that_cannot_be_read(void **state)
{
    refuses(START "anchors = nowhere.crt\n",
            "3: [node] anchors: cannot read /etc/fundament/nowhere.crt: No such file or directory");
    refuses(START "anchors = /\n", "3: [node] anchors: cannot read /: it is a folder");
    g_autoptr(Config) config = accepts(START "anchors = /etc/../etc/passwd\n");
    assert_string_equal(config_text(config, "node", "anchors"), "/etc/passwd");
}

static void rejects_text_that_is_not_utf_8_or_too_long(void **state)
{
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    static const char bytes[] = START "name = \xff\n";
    assert_null(parse(bytes, faults));
    assert_string_equal(faults->pdata[0],
                        "/etc/fundament/node.conf:3: the text is not UTF-8, or holds a NUL");
    g_ptr_array_set_size(faults, 0);
    assert_null(config_parse("n", "[node]\0", 7, tables, counts, 1, faults));
    assert_string_equal(faults->pdata[0], "n:1: the text is not UTF-8, or holds a NUL");
    g_ptr_array_set_size(faults, 0);
    gsize length = 1024 * 1024 + 1;
    g_autofree char *long_text = g_strnfill(length, '#');
    assert_null(config_parse("n", long_text, length, tables, counts, 1, faults));
    assert_string_equal(faults->pdata[0], "n: the file is larger than 1048576 bytes");
}

static void says_which_file_cannot_be_opened(void **state)
{
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    assert_null(config_load("/nowhere/node.conf", tables, counts, 1, faults));
    assert_int_equal(faults->len, 1);
    assert_non_null(strstr(faults->pdata[0], "/nowhere/node.conf"));
}

static void peeks_at_words_in_a_faulty_file(void **state)
{
    g_autofree char *folder = test_folder_new();
    g_autofree char *path = g_build_filename(folder, "node.conf", NULL);
    assert_true(g_file_set_contents(path, "rubbish\n[node]\ncomponents = fsc  brp\n[x", -1, NULL));
    g_auto(GStrv) words = config_peek(path, "node", "components");
    assert_string_equal(words[0], "fsc");
    assert_string_equal(words[1], "brp");
    assert_null(words[2]);
    assert_null(config_peek(path, "node", "run"));
    assert_null(config_peek("/nowhere/node.conf", "node", "run"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_sections_keys_and_comments),
        cmocka_unit_test(keeps_a_hash_without_white_space_before_it),
        cmocka_unit_test(fills_in_fallbacks_also_of_sections_that_are_not_there),
        cmocka_unit_test(reads_units_of_time_and_size),
        cmocka_unit_test(rejects_numbers_that_are_none),
        cmocka_unit_test(reads_lists_families_and_hosts_in_file_order),
        cmocka_unit_test(says_every_fault_at_once_in_the_order_of_lines),
        cmocka_unit_test(rejects_a_section_that_is_there_twice),
        cmocka_unit_test(rejects_sections_that_nobody_knows),
        cmocka_unit_test(rejects_words_outside_the_choices_in_lists_too),
        cmocka_unit_test(rejects_values_of_the_wrong_kind),
        cmocka_unit_test(rejects_files_that_cannot_be_read),
        cmocka_unit_test(rejects_text_that_is_not_utf_8_or_too_long),
        cmocka_unit_test(says_which_file_cannot_be_opened),
        cmocka_unit_test(peeks_at_words_in_a_faulty_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
