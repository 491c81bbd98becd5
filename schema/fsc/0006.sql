-- What goes through our Inway and Outway, added up: for the pages and for whoever plans capacity. No record of a request.

-- A row is what one process (`writer`) counted in the `step` seconds from `start_s` on; processes add up when they are read.
-- `step` is 60 or 3600. `direction` as in core/node/frames.h: 1 incoming (Inway), 2 outgoing (Outway). `peer_id` and `service` are
-- empty for requests that were refused before they were known. `latency` is a histogram: "bucket:count bucket:count".
CREATE TABLE fsc_traffic (
  step BIGINT NOT NULL,
  start_s BIGINT NOT NULL,
  direction BIGINT NOT NULL,
  peer_id TEXT NOT NULL,
  service TEXT NOT NULL,
  writer TEXT NOT NULL,
  refused BIGINT NOT NULL,
  undelivered BIGINT NOT NULL,
  status_2xx BIGINT NOT NULL,
  status_3xx BIGINT NOT NULL,
  status_4xx BIGINT NOT NULL,
  status_5xx BIGINT NOT NULL,
  bytes_in BIGINT NOT NULL,
  bytes_out BIGINT NOT NULL,
  latency TEXT NOT NULL,
  PRIMARY KEY (step, start_s, direction, peer_id, service, writer)
);
