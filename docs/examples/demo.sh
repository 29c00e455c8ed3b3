#!/bin/sh
# The whole of Tilia in a minute: a durable server, thousands of job tuples, workers on this
# host (and over ssh to it, when it lets us in without a password) that meet there.
set -eu
cd "$(dirname "$0")/../.."
build=${BUILD:-build}
case $build in /*) ;; *) build=$PWD/$build ;; esac
dir=$(mktemp -d "${TMPDIR:-/tmp}/tilia-demo.XXXXXX")
server=
# shellcheck disable=SC2329
finish() {
	[ -z "$server" ] || kill "$server" 2>/dev/null || :
	[ -z "$server" ] || wait "$server" 2>/dev/null || :
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

say() { printf '\n* %s\n' "$*"; }

say "a server on a store of its own: tiliad --listen unix:$dir/sock --store $dir/demo.db"
"$build/tiliad" --listen "unix:$dir/sock" --store "$dir/demo.db" 2>"$dir/log" &
server=$!
TILIA=unix:$dir/sock
export TILIA
tries=0
until [ -S "$dir/sock" ]; do
	kill -0 "$server" 2>/dev/null || { cat "$dir/log" >&2; exit 1; }
	tries=$((tries + 1))
	[ $tries -lt 600 ] || { echo "demo: the server does not answer" >&2; exit 1; }
	sleep 0.05
done

# Real text: the licences every Debian has, and our own words. What is not UTF-8 is left out.
for file in /usr/share/common-licenses/* LICENSE README.md docs/*.md; do
	if [ -f "$file" ] && [ ! -L "$file" ]; then cat "$file"; fi
done | iconv -f UTF-8 -t UTF-8 -c | tr -d '\000-\010\013-\037' | grep '[A-Za-z]' >"$dir/text"

say "$(wc -l <"$dir/text") lines of text become job tuples: tilia out --lines line <text"
"$build/tilia" out --lines line <"$dir/text" >"$dir/out"
"$build/tilia" out '["line", null]' >"$dir/out"

on=4/local workers=4
if ssh -o BatchMode=yes -o ConnectTimeout=3 localhost true >/dev/null 2>&1; then
	on="$on 2/localhost" workers=6
else
	say "no sshd here that lets us in without a password: local workers only"
fi
say "workers count the words of a line each: tilia run --on '$on' docs/examples/wordcount.py"
say "and one collects: tilia run --on local docs/examples/wordcount.py collect text"
"$build/tilia" run --on "$on" docs/examples/wordcount.py >"$dir/workers" 2>"$dir/errors" &
run=$!
status=0
"$build/tilia" run --on local docs/examples/wordcount.py collect "$dir/text" $workers || status=$?
wait $run || { status=$?; cat "$dir/errors" >&2; }
sort "$dir/workers"
if [ $status -ne 0 ]; then
	echo "demo: failed" >&2
	exit 1
fi
