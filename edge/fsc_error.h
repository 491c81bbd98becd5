/* Errors made by the edge, written as FSC asks: {"message", "domain", "code"} and Fsc-Error-Code where the
 * standard has a code (FSC Core 2.0.0, 4.6.1.4 and 4.7.2.2; FSC Logging 1.1.0, 3.3.1.3),
 * application/problem+json (RFC 9457) where it has none. */
#pragma once

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

/* Who speaks. */
typedef enum {
    FSC_ERROR_PROBLEM, /* problem+json only: Manager, log */
    FSC_ERROR_INWAY,   /* ERROR_DOMAIN_INWAY */
    FSC_ERROR_OUTWAY,  /* ERROR_DOMAIN_OUTWAY */
    FSC_ERROR_PAGE,    /* a short page for people: portal */
} FscErrorForm;

typedef struct {
    ngx_uint_t http;
    const char *code; /* Fsc-Error-Code, "" when the standard has none */
    const char *message;
} FscRefusal;

/* The row of an answer of `serve` (enum frame_status, FSC_CALL_SILENT); a number that is not known is
 * BAD_FRAME. Never NULL. */
const FscRefusal *fsc_refusal_of(ngx_uint_t frame_status);

/* The client's certificate was revoked. */
extern const FscRefusal fsc_refusal_revoked;
/* It is not, or not any more, valid in this group. */
extern const FscRefusal fsc_refusal_untrusted;
/* There is no client certificate where there must be one. */
extern const FscRefusal fsc_refusal_certificate;

/* Answers with this error; `message` may be empty. What ngx_http_finalize_request() is to be given. */
ngx_int_t fsc_error_send(ngx_http_request_t *http, FscErrorForm form, const FscRefusal *refusal,
                         const ngx_str_t *message);

/* Reads "problem", "inway", "outway" or "page"; NGX_CONF_OK or a complaint. */
char *fsc_error_form(const ngx_str_t *word, FscErrorForm *form);

/* The location directive `fsc_error inway|outway|problem|page`: the place to which error_page sends every
 * error that nginx makes. */
char *fsc_error_directive(ngx_conf_t *conf, ngx_command_t *command, void *location);
