/* What stands between the edge and the log: templates, and telling resends from replays. */
#include "components/fsc/gateway.h"
#include "components/fsc/recent.h"
#include "tests/unit/fsc/sample.h"

#define HASH "$1$3$53nGkZldmXI7-3R-W1yeSFywZ3Y162RR0wArpDtUk-yyClOIDxbVw_8-eCaPLROc18atdUtXJbuROylbP-etXg"
#define ID "019b76da-a800-7000-8000-0123456789ab"
#define OTHER_ID "019b76da-a800-7000-8000-0123456789ac"

static void templates_come_back_as_they_were(void **state)
{
    guint8 data[1024];
    gsize length;
    GatewayTemplate in = {HASH, CONSUMER, OTHER, PROVIDER, DELEGATOR, "persons", "{\"a\":1}"}, out;
    assert_true(gateway_template_write(&in, data, sizeof data, &length));
    assert_true(gateway_template_read(data, length, &out));
    assert_string_equal(out.grant_hash, HASH);
    assert_string_equal(out.outway_peer_id, CONSUMER);
    assert_string_equal(out.outway_delegator, OTHER);
    assert_string_equal(out.service_peer_id, PROVIDER);
    assert_string_equal(out.service_delegator, DELEGATOR);
    assert_string_equal(out.service_name, "persons");
    assert_string_equal(out.additional_data, "{\"a\":1}");
}

static void what_is_absent_stays_absent(void **state)
{
    guint8 data[1024];
    gsize length;
    GatewayTemplate in = {HASH, CONSUMER, NULL, PROVIDER, NULL, "persons", NULL}, out;
    assert_true(gateway_template_write(&in, data, sizeof data, &length));
    assert_true(gateway_template_read(data, length, &out));
    assert_null(out.outway_delegator);
    assert_null(out.service_delegator);
    assert_null(out.additional_data);
}

static void a_template_cut_short_or_changed_is_refused(void **state)
{
    guint8 data[1024];
    gsize length;
    GatewayTemplate in = {HASH, CONSUMER, NULL, PROVIDER, NULL, "persons", NULL}, out;
    assert_true(gateway_template_write(&in, data, sizeof data, &length));
    for (gsize i = 0; i < length; i++)
        assert_false(gateway_template_read(data, i, &out));
    data[length] = 0;
    assert_false(gateway_template_read(data, length + 1, &out));
    data[4 + strlen(HASH)] = 'x'; /* the NUL that ends the first field */
    assert_false(gateway_template_read(data, length, &out));
    data[4 + strlen(HASH)] = '\0';
    data[6] = '\0'; /* and one too early */
    assert_false(gateway_template_read(data, length, &out));
}

static void a_template_that_does_not_fit_is_refused(void **state)
{
    guint8 data[1024];
    gsize length;
    GatewayTemplate in = {HASH, CONSUMER, NULL, PROVIDER, NULL, "persons", NULL};
    assert_true(gateway_template_write(&in, data, sizeof data, &length));
    assert_false(gateway_template_write(&in, data, length - 1, &length));
}

#define SECOND G_GUINT64_CONSTANT(1767225600000000)

/* decisions.md 2: "A LOG frame not confirmed is resent under the same (transaction_id, direction)" */
static void a_resend_is_admitted(void **state)
{
    g_autoptr(Recent) recent = recent_new();
    assert_true(recent_admits(recent, ID, 1, SECOND));
    assert_true(recent_admits(recent, ID, 1, SECOND));
    assert_true(recent_admits(recent, OTHER_ID, 1, SECOND + 1000000));
    assert_true(recent_admits(recent, ID, 1, SECOND));
}

/* decisions.md 10: "a client that retries needs a new id" */
static void a_replay_is_not(void **state)
{
    g_autoptr(Recent) recent = recent_new();
    assert_true(recent_admits(recent, ID, 1, SECOND));
    assert_false(recent_admits(recent, ID, 1, SECOND + 1));
    assert_false(recent_admits(recent, ID, 1, SECOND + 999999));
    assert_true(recent_admits(recent, ID, 1, SECOND));
    assert_true(recent_admits(recent, OTHER_ID, 1, SECOND + 1));
}

static void the_two_directions_are_two_records(void **state)
{
    g_autoptr(Recent) recent = recent_new();
    assert_true(recent_admits(recent, ID, 2, SECOND));
    assert_true(recent_admits(recent, ID, 1, SECOND + 5));
}

/* What is older than a second the log tells apart by created_at. */
static void memory_is_bounded_by_time(void **state)
{
    g_autoptr(Recent) recent = recent_new();
    assert_true(recent_admits(recent, ID, 1, SECOND));
    assert_false(recent_admits(recent, ID, 1, SECOND + 1500000));
    assert_true(recent_admits(recent, OTHER_ID, 1, SECOND + 3000000));
    assert_true(recent_admits(recent, ID, 1, SECOND + 3000000));
    assert_true(recent_admits(recent, "019b76da-a800-7000-8000-0123456789ad", 1, SECOND));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(templates_come_back_as_they_were),
        cmocka_unit_test(what_is_absent_stays_absent),
        cmocka_unit_test(a_template_cut_short_or_changed_is_refused),
        cmocka_unit_test(a_template_that_does_not_fit_is_refused),
        cmocka_unit_test(a_resend_is_admitted),
        cmocka_unit_test(a_replay_is_not),
        cmocka_unit_test(the_two_directions_are_two_records),
        cmocka_unit_test(memory_is_bounded_by_time),
    };
    return cmocka_run_group_tests_name("fsc gateway", tests, NULL, NULL);
}
