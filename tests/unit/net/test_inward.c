/* Which addresses point inwards: RFC 6890, and what it founded. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/error.h"
#include "core/net/inward.h"

static gboolean inward(const char *text, const char *const *allowed)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    struct sockaddr_in four = {.sin_family = AF_INET};
    if (inet_pton(AF_INET6, text, &six.sin6_addr) == 1)
        return inward_address((const struct sockaddr *)&six, sizeof six, allowed);
    assert_int_equal(inet_pton(AF_INET, text, &four.sin_addr), 1);
    return inward_address((const struct sockaddr *)&four, sizeof four, allowed);
}

static void addresses_of_the_internet_are_not_inward(void **state)
{
    static const char *const addresses[] = {
        "1.1.1.1",         "9.255.255.255", "11.0.0.0",     "172.15.255.255", "172.32.0.0",    "192.167.0.1",
        "223.255.255.255", "100.128.0.1",   "2001:4860::1", "2a00::1",        "::ffff:8.8.8.8"};
    for (gsize i = 0; i < G_N_ELEMENTS(addresses); i++)
        if (inward(addresses[i], NULL))
            fail_msg("%s", addresses[i]);
}

static void this_machine_its_link_and_private_networks_are_inward(void **state)
{
    static const char *const addresses[] = {
        "127.0.0.1",       "127.255.0.9",     "0.0.0.0",      "10.1.2.3",    "172.16.0.1",
        "172.31.255.255",  "192.168.0.1",     "169.254.1.1",  "100.64.0.1",  "255.255.255.255",
        "224.0.0.1",       "240.0.0.1",       "::1",          "::",          "fe80::1",
        "fc00::1",         "fdff::1",         "ff02::1",      "2001:db8::1", "::ffff:127.0.0.1",
        "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"};
    for (gsize i = 0; i < G_N_ELEMENTS(addresses); i++)
        if (!inward(addresses[i], NULL))
            fail_msg("%s", addresses[i]);
}

static void a_network_of_the_group_is_allowed_and_its_neighbours_are_not(void **state)
{
    static const char *const allowed[] = {"10.20.0.0/16", "fd00:1234::/32", NULL};
    assert_false(inward("10.20.255.1", allowed));
    assert_false(inward("fd00:1234::1", allowed));
    assert_false(inward("::ffff:10.20.0.1", allowed));
    assert_true(inward("10.21.0.1", allowed));
    assert_true(inward("fd00:1235::1", allowed));
}

static void this_machine_is_never_allowed(void **state)
{
    static const char *const allowed[] = {"0.0.0.0/0", "::/0", NULL};
    assert_false(inward("192.168.0.1", allowed));
    assert_true(inward("127.0.0.1", allowed));
    assert_true(inward("169.254.169.254", allowed));
    assert_true(inward("::1", allowed));
}

static void other_families_are_inward(void **state)
{
    struct sockaddr other = {.sa_family = AF_UNIX};
    assert_true(inward_address(&other, sizeof other, NULL));
}

static void names_the_first_that_is_no_network(void **state)
{
    static const char *const good[] = {"10.0.0.0/8", "fd00::/8", "192.0.2.1", NULL};
    static const char *const bad[] = {"10.0.0.0/8", "10.1.2.3/8", NULL};
    g_autoptr(GError) error = NULL;
    assert_true(inward_check_networks(good, &error));
    assert_false(inward_check_networks(bad, &error));
    assert_true(g_error_matches(error, FUNDAMENT_ERROR, FUNDAMENT_ERROR_INVALID));
    assert_non_null(strstr(error->message, "10.1.2.3/8"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_of_the_internet_are_not_inward),
        cmocka_unit_test(this_machine_its_link_and_private_networks_are_inward),
        cmocka_unit_test(a_network_of_the_group_is_allowed_and_its_neighbours_are_not),
        cmocka_unit_test(this_machine_is_never_allowed),
        cmocka_unit_test(other_families_are_inward),
        cmocka_unit_test(names_the_first_that_is_no_network),
    };
    return cmocka_run_group_tests_name("inward", tests, NULL, NULL);
}
