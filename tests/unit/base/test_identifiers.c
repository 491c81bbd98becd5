#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/identifiers.h"

#define MANY 5000

static void uuid7_has_version_variant_and_time(void **state)
{
    Clock clock = clock_fixed(1700000000);
    char id[UUID_TEXT_SIZE];
    clock.fixed_us += 123456;
    uuid7_new(&clock, id);
    assert_true(uuid7_valid(id));
    assert_int_equal(uuid7_time_ms(id), 1700000000123);
    assert_int_equal(strlen(id), 36);
    assert_int_equal(id[14], '7');
    assert_non_null(strchr("89ab", id[19]));
    g_autofree char *lower = g_ascii_strdown(id, -1);
    assert_string_equal(id, lower);
}

/* RFC 9562 6.2, method 1: monotonic within one process, also when a millisecond has more ids than the
 * counter. */
static void uuid7_is_in_order_within_a_millisecond(void **state)
{
    Clock clock = clock_fixed(1800000000);
    char last[UUID_TEXT_SIZE];
    char next[UUID_TEXT_SIZE];
    uuid7_new(&clock, last);
    for (int i = 0; i < MANY; i++) {
        uuid7_new(&clock, next);
        assert_true(strcmp(last, next) < 0);
        memcpy(last, next, sizeof last);
    }
    assert_in_range(uuid7_time_ms(last) - 1800000000000, 1, MANY / 2048);
}

/* RFC 9562 6.2: a clock that is set back a little does not disturb the order. */
static void uuid7_stays_in_order_when_the_clock_steps_back(void **state)
{
    Clock clock = clock_fixed(1900000000);
    char before[UUID_TEXT_SIZE];
    char after[UUID_TEXT_SIZE];
    uuid7_new(&clock, before);
    clock.fixed_us -= 5 * G_USEC_PER_SEC;
    uuid7_new(&clock, after);
    assert_true(strcmp(before, after) < 0);
    clock.fixed_us -= 60 * G_USEC_PER_SEC;
    uuid7_new(&clock, after);
    assert_int_equal(uuid7_time_ms(after), clock_now_ms(&clock));
}

typedef struct {
    const Clock *clock;
    char ids[MANY][UUID_TEXT_SIZE];
} Maker;

static gpointer make_ids(gpointer data)
{
    Maker *maker = data;
    for (int i = 0; i < MANY; i++)
        uuid7_new(maker->clock, maker->ids[i]);
    return NULL;
}

static void uuid7_is_unique_between_threads(void **state)
{
    Clock clock = clock_fixed(2000000000);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    g_autofree Maker *makers = g_new0(Maker, 4);
    GThread *threads[4];
    for (int i = 0; i < 4; i++) {
        makers[i].clock = &clock;
        threads[i] = g_thread_new("ids", make_ids, &makers[i]);
    }
    for (int i = 0; i < 4; i++) {
        g_thread_join(threads[i]);
        for (int j = 0; j < MANY; j++)
            assert_true(g_hash_table_add(seen, makers[i].ids[j]));
        for (int j = 1; j < MANY; j++)
            assert_true(strcmp(makers[i].ids[j - 1], makers[i].ids[j]) < 0);
    }
}

static void uuid_has_an_exact_shape(void **state)
{
    assert_true(uuid_valid("01890a5d-ac96-774b-bcce-b302099a8057"));
    assert_true(uuid_valid("01890A5D-AC96-474B-0CCE-B302099A8057"));
    assert_true(uuid_valid("00000000-0000-0000-0000-000000000000"));
    assert_false(uuid_valid(NULL));
    assert_false(uuid_valid(""));
    assert_false(uuid_valid("01890a5d-ac96-774b-bcce-b302099a805"));
    assert_false(uuid_valid("01890a5d-ac96-774b-bcce-b302099a80570"));
    assert_false(uuid_valid("01890a5dac96774bbcceb302099a8057"));
    assert_false(uuid_valid("01890a5d-ac96-774b-bcce_b302099a8057"));
    assert_false(uuid_valid("01890a5d-ac96-774b-bcceb-302099a8057"));
    assert_false(uuid_valid("01890a5d-ac96-774b-bcce-b302099a805g"));
    assert_false(uuid_valid("{1890a5d-ac96-774b-bcce-b302099a8057}"));
}

/* Digikoppeling REST API profile 3.0.1: the Fsc-Transaction-Id MUST be a UUIDv7. RFC 9562 5.7: version 7,
 * variant 10. */
static void uuid7_needs_version_7_and_variant_10(void **state)
{
    assert_true(uuid7_valid("01890a5d-ac96-774b-8cce-b302099a8057"));
    assert_true(uuid7_valid("01890A5D-AC96-774B-BCCE-B302099A8057"));
    assert_false(uuid7_valid("01890a5d-ac96-474b-bcce-b302099a8057"));
    assert_false(uuid7_valid("01890a5d-ac96-774b-7cce-b302099a8057"));
    assert_false(uuid7_valid("01890a5d-ac96-774b-ccce-b302099a8057"));
    assert_false(uuid7_valid(NULL));
    assert_int_equal(uuid7_time_ms("01890a5d-ac96-774b-8cce-b302099a8057"), 0x01890a5dac96);
    assert_int_equal(uuid7_time_ms("01890a5d-ac96-474b-8cce-b302099a8057"), -1);
    assert_int_equal(uuid7_time_ms(NULL), -1);
}

static void oin_is_20_digits(void **state)
{
    assert_true(oin_valid("00000099000000001000"));
    assert_false(oin_valid("0000009900000000100"));
    assert_false(oin_valid("000000990000000010000"));
    assert_false(oin_valid("0000009900000000100a"));
    assert_false(oin_valid(" 0000099000000001000"));
    assert_false(oin_valid("-0000099000000001000"));
    assert_false(oin_valid(""));
    assert_false(oin_valid(NULL));
}

/* The 11-test: 9a+8b+7c+6d+5e+4f+3g+2h-i is a multiple of 11. Made up for this test. */
static void bsn_passes_the_11_test(void **state)
{
    assert_true(bsn_valid("111222333"));
    assert_true(bsn_valid("123456782"));
    assert_true(bsn_valid("000000012"));
    assert_false(bsn_valid("111222334"));
    assert_false(bsn_valid("123456789"));
    assert_false(bsn_valid("112122333"));
    assert_false(bsn_valid("000000000"));
    assert_false(bsn_valid("23456782"));
    assert_false(bsn_valid("0123456782"));
    assert_false(bsn_valid("12345678x"));
    assert_false(bsn_valid(""));
    assert_false(bsn_valid(NULL));
}

static void check_name(gboolean (*valid)(const char *text))
{
    g_autofree char *longest = g_strnfill(100, 'a');
    g_autofree char *longer = g_strnfill(101, 'a');
    assert_true(valid("a"));
    assert_true(valid("Group-1.test_x"));
    assert_true(valid(longest));
    assert_false(valid(longer));
    assert_false(valid(""));
    assert_false(valid(NULL));
    assert_false(valid("a b"));
    assert_false(valid("a:b"));
    assert_false(valid("a\n"));
    assert_false(valid("caf\xc3\xa9"));
}

/* FSC Core 2.0.0, 4.1.2 and 4.2.1.1: only the Group ID may hold a slash. */
static void fsc_names_have_their_own_alphabets(void **state)
{
    check_name(fsc_group_id_valid);
    check_name(fsc_service_name_valid);
    assert_true(fsc_group_id_valid("nl/test"));
    assert_false(fsc_service_name_valid("nl/test"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uuid7_has_version_variant_and_time),
        cmocka_unit_test(uuid7_is_in_order_within_a_millisecond),
        cmocka_unit_test(uuid7_stays_in_order_when_the_clock_steps_back),
        cmocka_unit_test(uuid7_is_unique_between_threads),
        cmocka_unit_test(uuid_has_an_exact_shape),
        cmocka_unit_test(uuid7_needs_version_7_and_variant_10),
        cmocka_unit_test(oin_is_20_digits),
        cmocka_unit_test(bsn_passes_the_11_test),
        cmocka_unit_test(fsc_names_have_their_own_alphabets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
