#include "fsc_transaction.h"

#include <openssl/rand.h>
#include <time.h>

static ngx_flag_t is_hex(u_char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

ngx_flag_t fsc_transaction_valid(const ngx_str_t *id)
{
    if (id->len != FSC_TRANSACTION_SIZE)
        return 0;
    for (size_t i = 0; i < id->len; i++) {
        ngx_flag_t dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? id->data[i] != '-' : !is_hex(id->data[i]))
            return 0;
    }
    return id->data[14] == '7' &&
           ngx_strlchr((u_char *)"89abAB", (u_char *)"89abAB" + 6, id->data[19]) != NULL;
}

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Randomness is fetched by the page: asking OpenSSL for ten bytes a request costs more than the rest of an
 * id. */
static ngx_int_t random_bytes(u_char *out, size_t n)
{
    static u_char pool[4000];
    static size_t used = sizeof pool;
    if (used + n > sizeof pool) {
        if (RAND_bytes(pool, sizeof pool) != 1)
            return NGX_ERROR;
        used = 0;
    }
    ngx_memcpy(out, pool + used, n);
    ngx_memzero(pool + used, n);
    used += n;
    return NGX_OK;
}

ngx_int_t fsc_transaction_new(u_char out[FSC_TRANSACTION_SIZE])
{
    u_char bytes[16], hex[32];
    uint64_t ms = now_us() / 1000;
    if (random_bytes(bytes + 6, 10) != NGX_OK)
        return NGX_ERROR;
    for (int i = 0; i < 6; i++)
        bytes[i] = (u_char)(ms >> (40 - 8 * i));
    bytes[6] = (u_char)(0x70 | (bytes[6] & 0x0f));
    bytes[8] = (u_char)(0x80 | (bytes[8] & 0x3f));
    ngx_hex_dump(hex, bytes, sizeof bytes);
    u_char *end = ngx_cpymem(out, hex, 8);
    for (size_t at = 8; at < 20; at += 4) {
        *end++ = '-';
        end = ngx_cpymem(end, hex + at, 4);
    }
    *end++ = '-';
    ngx_memcpy(end, hex + 20, 12);
    return NGX_OK;
}

ngx_flag_t fsc_traceparent_valid(const ngx_str_t *traceparent)
{
    const u_char *text = traceparent->data;
    if (traceparent->len != 55 || ngx_memcmp(text, "00-", 3) != 0)
        return 0;
    ngx_uint_t trace = 0, span = 0; /* all zeros is not an id */
    for (size_t i = 3; i < 55; i++) {
        ngx_flag_t dash = i == 35 || i == 52;
        if (dash ? text[i] != '-' : !is_hex(text[i]) || (text[i] >= 'A' && text[i] <= 'F'))
            return 0;
        trace += i < 35 && text[i] != '0';
        span += i > 35 && i < 52 && text[i] != '0';
    }
    return trace > 0 && span > 0;
}

/* Differs for each record of this worker: by it `serve` tells a resend from a replay. */
static uint64_t made_now(void)
{
    static uint64_t last;
    uint64_t now = now_us();
    last = now > last ? now : last + 1;
    return last;
}

ngx_str_t fsc_transaction_record(ngx_pool_t *pool, FscDirection direction, const ngx_str_t *id,
                                 const ngx_str_t *template, const ngx_str_t *traceparent)
{
    u_char lower[FSC_TRANSACTION_SIZE];
    ngx_strlow(lower, id->data, FSC_TRANSACTION_SIZE);
    const ngx_str_t key = {FSC_TRANSACTION_SIZE, lower};
    size_t size = fsc_frame_size(5, key.len + template->len + traceparent->len);
    u_char *bytes = ngx_pnalloc(pool, size);
    FscFrame frame;
    fsc_frame_begin(&frame, bytes, bytes != NULL ? size : 0);
    fsc_frame_number(&frame, direction);
    fsc_frame_text(&frame, &key);
    fsc_frame_text(&frame, template);
    fsc_frame_text(&frame, traceparent);
    fsc_frame_number(&frame, made_now());
    return fsc_frame_end(&frame, FRAME_LOG);
}

ngx_str_t fsc_transaction_outcome(u_char bytes[FSC_OUTCOME_SIZE], FscDirection direction, const ngx_str_t *id,
                                  ngx_flag_t sent, ngx_uint_t status, off_t body)
{
    u_char lower[FSC_TRANSACTION_SIZE];
    ngx_strlow(lower, id->data, FSC_TRANSACTION_SIZE);
    const ngx_str_t key = {FSC_TRANSACTION_SIZE, lower};
    FscFrame frame;
    fsc_frame_begin(&frame, bytes, FSC_OUTCOME_SIZE);
    fsc_frame_number(&frame, direction);
    fsc_frame_text(&frame, &key);
    fsc_frame_number(&frame, sent ? 1 : 0);
    fsc_frame_number(&frame, status);
    fsc_frame_number(&frame, body > 0 ? (uint64_t)body : 0);
    return fsc_frame_end(&frame, FRAME_OUTCOME);
}
