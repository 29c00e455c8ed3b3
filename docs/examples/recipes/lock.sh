#!/bin/sh
# A lock over all hosts, and why its token matters.
#
#     sh docs/examples/recipes/lock.sh          (with a server running)
#
# `tilia lock NAME -- command` runs one command at a time. The lock is a claim under a lease: when
# its holder dies, the next one gets it. A holder that was asleep for longer than its lease does
# not know that. So whatever the lock protects looks at $TILIA_TOKEN, which rises from holder to
# holder, and refuses one that is lower than the highest it has seen: here, `store`.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/store" <<'STORE'
#!/bin/sh
# store TEXT: keeps it, if the token is not an old one's
seen=$(cat "$FOLDER/token" 2>/dev/null || echo 0)
[ "$TILIA_TOKEN" -ge "$seen" ] || { echo "refused: token $TILIA_TOKEN is old, $seen was here"; exit 1; }
echo "$TILIA_TOKEN" >"$FOLDER/token"
echo "$1" >"$FOLDER/value"
STORE
export FOLDER="$folder"

# 20 at once raise a number by one; without the lock some of them would be lost.
echo 0 >"$folder/value"
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	tilia lock counter -- sh -c 'sh "$FOLDER/store" $(($(cat "$FOLDER/value") + 1))' &
done
wait
[ "$(cat "$folder/value")" = 20 ]

# One that sleeps through its lease: another gets the lock, writes, and the sleeper is refused.
tilia lock --lease 1s counter -- sh -c '
	echo "$TILIA_TOKEN" >"$FOLDER/mine"
	trap "" TERM                       # it does not even listen when it is told
	while [ ! -e "$FOLDER/late" ]; do sleep 0.1; done
	sh "$FOLDER/store" sleeper >"$FOLDER/said" || :' 2>/dev/null &
holder=$!
while [ ! -s "$folder/mine" ]; do sleep 0.1; done
kill -STOP $holder                         # asleep: it does not renew
tilia lock counter -- sh "$folder/store" successor
: >"$folder/late"
while [ ! -s "$folder/said" ]; do sleep 0.1; done
kill -CONT $holder
wait $holder || :
grep -q refused "$folder/said"
[ "$(cat "$folder/value")" = successor ]
echo "ok: 20 steps, and the holder whose lease had ended was $(cat "$folder/said")"
