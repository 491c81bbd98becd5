/* The group's trust anchors and revocation lists, and the keys of our own certificates: read again when their
 * files change, without a reload of nginx (decisions.md 5), because a reload costs connections and leaves old
 * workers with old lists.
 *
 * A certificate that was accepted when its TLS connection was made is looked at again every minute and
 * whenever anchors or lists changed, so that a connection does not outlive what it was trusted for.
 */
#pragma once

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

typedef struct fsc_trust FscTrust;

/* What an accepted certificate was last found to be; part of FscCertificate. */
typedef struct {
    ngx_uint_t generation; /* of the anchors and lists; 0: not looked at yet */
    time_t when;
    unsigned holds : 1;
} FscTrustMark;

/* `crl` may be empty: revocation is not checked. A list that is out of date refuses everyone, but only
 * `grace` seconds after it should have been replaced. */
FscTrust *fsc_trust_create(ngx_cycle_t *cycle, const ngx_str_t *anchors, const ngx_str_t *crl, time_t grace);

/* The TLS contexts that check certificates of others, or show one of ours; files may be empty when they show
 * none. `asks`: the proxy of an Outway. */
ngx_int_t fsc_trust_add(FscTrust *trust, ngx_ssl_t *ssl, ngx_flag_t checks, ngx_flag_t asks,
                        const ngx_str_t *certificate, const ngx_str_t *key);

/* Reads what changed. NGX_OK when something did, NGX_DECLINED when nothing did. What cannot be read is left
 * as it was, with a line in the log. */
ngx_int_t fsc_trust_refresh(FscTrust *trust);

/* The keys of Outways, likewise. Only when the node says so (FLUSH): tokens are bound to the certificate of
 * the Outway, so both must change at one moment. */
ngx_int_t fsc_trust_refresh_outways(FscTrust *trust);

/* TRUE while the peer's certificate of this TLS connection is valid. */
ngx_flag_t fsc_trust_holds(FscTrust *trust, const ngx_connection_t *connection, FscTrustMark *mark);
