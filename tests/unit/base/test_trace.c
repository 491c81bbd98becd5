#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/trace.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define SPAN "b7ad6b7169203331"

static void a_new_trace_has_ids_and_no_parent(void **state)
{
    TraceContext a;
    TraceContext b;
    trace_new(&a);
    trace_new(&b);
    assert_true(trace_id_valid(a.trace_id));
    assert_true(span_id_valid(a.span_id));
    assert_string_equal(a.parent_id, "");
    assert_string_not_equal(a.trace_id, b.trace_id);
    assert_string_not_equal(a.span_id, b.span_id);
}

/* Trace Context 3.3: a receiver keeps the trace-id and takes the parent-id as the caller's span. */
static void continues_the_trace_of_the_caller(void **state)
{
    TraceContext context;
    assert_true(trace_continue("00-" TRACE "-" SPAN "-01", &context));
    assert_string_equal(context.trace_id, TRACE);
    assert_string_equal(context.parent_id, SPAN);
    assert_true(span_id_valid(context.span_id));
    assert_string_not_equal(context.span_id, SPAN);
    assert_int_equal(context.flags, 1);
    assert_true(trace_continue("00-" TRACE "-" SPAN "-a2", &context));
    assert_int_equal(context.flags, 0xa2);
}

static void starts_anew(const char *traceparent)
{
    TraceContext context;
    if (trace_continue(traceparent, &context))
        fail_msg("accepted: %s", traceparent != NULL ? traceparent : "nothing");
    assert_true(trace_id_valid(context.trace_id));
    assert_string_not_equal(context.trace_id, TRACE);
    assert_string_equal(context.parent_id, "");
}

/* Trace Context 3.2.2.3 and 3.2.2.4: all zero is invalid; 3.2.2.1: version ff is. */
static void rejects_zero_ids_and_version_ff(void **state)
{
    starts_anew("00-00000000000000000000000000000000-" SPAN "-01");
    starts_anew("00-" TRACE "-0000000000000000-01");
    starts_anew("ff-" TRACE "-" SPAN "-01");
}

/* Trace Context 3.2.2: lower-case hexadecimal of a fixed length. */
static void rejects_any_other_shape(void **state)
{
    starts_anew(NULL);
    starts_anew("");
    starts_anew("00");
    starts_anew("00-" TRACE "-" SPAN);
    starts_anew("00-" TRACE "-" SPAN "-1");
    starts_anew("00-" TRACE "-" SPAN "-0g");
    starts_anew("00-" TRACE "-" SPAN "-0A");
    starts_anew("0x-" TRACE "-" SPAN "-01");
    starts_anew("00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01");
    starts_anew("00-" TRACE "-B7AD6B7169203331-01");
    starts_anew("00_" TRACE "-" SPAN "-01");
    starts_anew("00-" TRACE "_" SPAN "-01");
    starts_anew("00-" TRACE "-" SPAN "_01");
    starts_anew(" 00-" TRACE "-" SPAN "-01");
    starts_anew("00-" TRACE "-" SPAN "-01 ");
}

/* Trace Context 3.2.4: version 00 ends after the flags; a later version may go on after a dash. */
static void reads_what_it_knows_of_later_versions(void **state)
{
    TraceContext context;
    starts_anew("00-" TRACE "-" SPAN "-01-what");
    starts_anew("01-" TRACE "-" SPAN "-01what");
    assert_true(trace_continue("01-" TRACE "-" SPAN "-01-what", &context));
    assert_string_equal(context.trace_id, TRACE);
    assert_string_equal(context.parent_id, SPAN);
    assert_true(trace_continue("cc-" TRACE "-" SPAN "-01", &context));
}

static void a_child_hangs_below_the_action_that_calls(void **state)
{
    TraceContext context;
    TraceContext child;
    trace_continue("00-" TRACE "-" SPAN "-01", &context);
    trace_child(&context, &child);
    assert_string_equal(child.trace_id, TRACE);
    assert_string_equal(child.parent_id, context.span_id);
    assert_string_not_equal(child.span_id, context.span_id);
    assert_int_equal(child.flags, 1);
    TraceContext in_place = context;
    trace_child(&in_place, &in_place);
    assert_string_equal(in_place.parent_id, context.span_id);
}

/* Trace Context 3.2.2.5: flags that this version does not define MUST be sent as zero. */
static void formats_what_the_next_one_can_continue(void **state)
{
    TraceContext context;
    TraceContext next;
    char text[TRACEPARENT_SIZE];
    trace_continue("00-" TRACE "-" SPAN "-ff", &context);
    trace_format(&context, text);
    assert_int_equal(strlen(text), 55);
    assert_true(g_str_has_prefix(text, "00-" TRACE "-"));
    assert_true(g_str_has_suffix(text, "-01"));
    assert_true(trace_continue(text, &next));
    assert_string_equal(next.parent_id, context.span_id);
    context.flags = 0xfe;
    trace_format(&context, text);
    assert_true(g_str_has_suffix(text, "-00"));
}

static void ids_have_exact_shapes(void **state)
{
    assert_true(trace_id_valid(TRACE));
    assert_false(trace_id_valid(TRACE "0"));
    assert_false(trace_id_valid(SPAN));
    assert_false(trace_id_valid("0AF7651916CD43DD8448EB211C80319C"));
    assert_false(trace_id_valid("00000000000000000000000000000000"));
    assert_false(trace_id_valid(NULL));
    assert_true(span_id_valid(SPAN));
    assert_false(span_id_valid(SPAN "0"));
    assert_false(span_id_valid("b7ad6b716920333"));
    assert_false(span_id_valid("b7ad6b716920333g"));
    assert_false(span_id_valid("0000000000000000"));
    assert_false(span_id_valid(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_trace_has_ids_and_no_parent),
        cmocka_unit_test(continues_the_trace_of_the_caller),
        cmocka_unit_test(rejects_zero_ids_and_version_ff),
        cmocka_unit_test(rejects_any_other_shape),
        cmocka_unit_test(reads_what_it_knows_of_later_versions),
        cmocka_unit_test(a_child_hangs_below_the_action_that_calls),
        cmocka_unit_test(formats_what_the_next_one_can_continue),
        cmocka_unit_test(ids_have_exact_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
