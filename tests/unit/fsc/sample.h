/* Contracts for the tests of fsc: valid ones, to be made wrong in one place. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <glib.h>
#include <jansson.h>

#include "components/fsc/contract.h"
#include "components/fsc/verdict.h"
#include "core/format/json.h"

#define NOW 1767225600 /* 2026-01-01 */
#define GROUP "fsc-demo"
#define DIRECTORY "00000001000000000001"
#define PROVIDER "00000001000000000002"
#define CONSUMER "00000001000000000003"
#define OTHER "00000001000000000004"
#define DELEGATOR "00000001000000000005"
#define THUMBPRINT "3a56f2e9269ac63f0d4394c46b96539da1625b6a985d38029ff89f34e490960c"

static inline json_t *sample_grant(const char *text)
{
    g_autoptr(GError) error = NULL;
    json_t *data = json_parse_strict(text, -1, NULL, &error);
    assert_non_null(data);
    return json_pack("{s:o}", "data", data);
}

static inline json_t *sample_publication(void)
{
    return sample_grant("{\"type\":\"GRANT_TYPE_SERVICE_PUBLICATION\",\"directory\":{\"peer_id\":\"" DIRECTORY
                        "\"},"
                        "\"service\":{\"peer_id\":\"" PROVIDER
                        "\",\"name\":\"persons\",\"protocol\":\"PROTOCOL_TCP_HTTP_1.1\"}}");
}

static inline json_t *sample_delegated_publication(void)
{
    return sample_grant(
        "{\"type\":\"GRANT_TYPE_DELEGATED_SERVICE_PUBLICATION\",\"directory\":{\"peer_id\":\"" DIRECTORY
        "\"},"
        "\"delegator\":{\"peer_id\":\"" DELEGATOR "\"},"
        "\"service\":{\"peer_id\":\"" PROVIDER
        "\",\"name\":\"persons\",\"protocol\":\"PROTOCOL_TCP_HTTP_1.1\"}}");
}

#define SAMPLE_OUTWAY                                                                                        \
    "\"outway\":{\"peer_id\":\"" CONSUMER "\",\"identification\":{\"type\":"                                 \
    "\"OUTWAY_IDENTIFICATION_TYPE_PUBLIC_KEY_THUMBPRINT\",\"public_key_thumbprint\":\"" THUMBPRINT "\"}}"
#define SAMPLE_SERVICE                                                                                       \
    "\"service\":{\"type\":\"SERVICE_TYPE_SERVICE\",\"peer_id\":\"" PROVIDER "\",\"name\":\"persons\"}"

static inline json_t *sample_connection(void)
{
    return sample_grant("{\"type\":\"GRANT_TYPE_SERVICE_CONNECTION\"," SAMPLE_OUTWAY "," SAMPLE_SERVICE "}");
}

static inline json_t *sample_delegated_connection(void)
{
    return sample_grant("{\"type\":\"GRANT_TYPE_DELEGATED_SERVICE_CONNECTION\"," SAMPLE_OUTWAY
                        "," SAMPLE_SERVICE ",\"delegator\":{\"peer_id\":\"" OTHER "\"}}");
}

/* Valid content, from yesterday to tomorrow, around `grant` (taken; NULL for no grant). */
static inline json_t *sample_content(json_t *grant)
{
    json_t *grants = json_array();
    if (grant != NULL)
        json_array_append_new(grants, grant);
    return json_pack("{s:s, s:s, s:s, s:{s:I, s:I}, s:o, s:s, s:I}", "fsc_version", "2.0.0", "iv",
                     "019b76da-a800-7000-8000-000000000001", "group_id", GROUP, "validity", "not_before",
                     (json_int_t)(NOW - 86400), "not_after", (json_int_t)(NOW + 86400), "grants", grants,
                     "hash_algorithm", "HASH_ALGORITHM_SHA3_512", "created_at", (json_int_t)NOW);
}

/* The value at "grants.0.data.service"; borrowed. */
static inline json_t *sample_at(json_t *content, const char *path)
{
    g_auto(GStrv) names = g_strsplit(path, ".", -1);
    json_t *value = content;
    for (char **name = names; *name != NULL && **name != '\0'; name++)
        value = json_is_array(value) ? json_array_get(value, (gsize)g_ascii_strtoull(*name, NULL, 10))
                                     : json_object_get(value, *name);
    return value;
}

/* Sets (value taken) or, with NULL, removes the member `name` of the object at `path` ("" for the content).
 */
static inline void sample_change(json_t *content, const char *path, const char *name, json_t *value)
{
    json_t *object = sample_at(content, path);
    assert_true(json_is_object(object));
    if (value == NULL)
        assert_int_equal(json_object_del(object, name), 0);
    else
        json_object_set_new(object, name, value);
}

static inline void assert_verdict(const GError *error, Verdict verdict)
{
    assert_non_null(error);
    if (!g_error_matches(error, FSC_VERDICT, (int)verdict))
        fail_msg("%s/%s, expected %s", g_quark_to_string(error->domain), error->message,
                 verdict_row(verdict)->name);
}
