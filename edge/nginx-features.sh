#!/bin/bash
# nginx-features.sh SOURCE OUTPUT SCRATCH: runs nginx's configure with the flags that Debian built its nginx with (nginx-dev keeps
# them in conf_flags) in a scratch copy, and leaves ngx_auto_config.h and ngx_auto_headers.h in OUTPUT.
set -eu
source=$1 output=$(realpath "$2")
mkdir -p "$3"
scratch=$(realpath "$3")
trap 'rm -rf "$scratch/src"' EXIT
rm -rf "$scratch/src"
cp -r "$source" "$scratch/src"
cd "$scratch/src"
. ./conf_flags
bash ./configure "${NGX_CONF_FLAGS[@]}" >"$scratch/configure.log" 2>&1 || { cat "$scratch/configure.log" >&2; exit 1; }
cp objs/ngx_auto_config.h objs/ngx_auto_headers.h "$output"
