#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "core/store/crc32c.h"

/* RFC 3720, appendix B.4: the examples, and the check value of the polynomial's catalogues. */
static void gives_the_values_of_rfc_3720(void **state)
{
    guint8 bytes[32];
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(crc32c(bytes, sizeof bytes), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(crc32c(bytes, sizeof bytes), 0x62a8ab43);
    for (guint8 i = 0; i < sizeof bytes; i++) {
        bytes[i] = i;
    }
    assert_int_equal(crc32c(bytes, sizeof bytes), 0x46dd794e);
    for (guint8 i = 0; i < sizeof bytes; i++) {
        bytes[i] = (guint8)(31 - i);
    }
    assert_int_equal(crc32c(bytes, sizeof bytes), 0x113fdb5c);
    assert_int_equal(crc32c("123456789", 9), 0xe3069283);
    assert_int_equal(crc32c("", 0), 0);
}

static void table_and_instruction_agree(void **state)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(3720);
    guint8 bytes[600];
    for (gsize i = 0; i < sizeof bytes; i++) {
        bytes[i] = (guint8)g_rand_int(random);
    }
    for (gsize start = 0; start < 9; start++) {
        for (gsize length = 0; start + length <= sizeof bytes; length++) {
            assert_int_equal(crc32c(bytes + start, length), crc32c_by_table(bytes + start, length));
        }
    }
}

static void one_flipped_bit_changes_it(void **state)
{
    guint8 bytes[64] = {1, 2, 3};
    guint32 before = crc32c(bytes, sizeof bytes);
    for (gsize bit = 0; bit < sizeof bytes * 8; bit++) {
        bytes[bit / 8] ^= (guint8)(1 << bit % 8);
        assert_int_not_equal(crc32c(bytes, sizeof bytes), before);
        bytes[bit / 8] ^= (guint8)(1 << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_values_of_rfc_3720),
        cmocka_unit_test(table_and_instruction_agree),
        cmocka_unit_test(one_flipped_bit_changes_it),
    };
    return cmocka_run_group_tests_name("crc32c", tests, NULL, NULL);
}
