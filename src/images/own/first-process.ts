// The first process of a container that is a cluster: starts it, takes care of processes whose parents have ended,
// ends the cluster in order when the container is stopped, and ends with an error when the server does.

/** Docker waits ten seconds by default. */
const stopSeconds = 8

/** A script for the shell of busybox. What `docker run IMAGE` gets as arguments are options of `sampan up`. */
export const firstProcess = `#!/bin/sh
# Sockets and lists of processes of a run before; a machine that boots has none either.
rm -rf /run/sampan
sampan up --bind-address 0.0.0.0 "$@" || exit 1
pid_file=$(echo /run/sampan/*/server.pid)
name=$(basename "$(dirname "$pid_file")")
trap 'exec sampan down --name "$name" --timeout "\${SAMPAN_STOP_SECONDS:-${stopSeconds}}"' TERM INT
while kill -0 "$(cat "$pid_file")" 2>/dev/null; do
  sleep 1 &
  wait $!
done
echo "error: the server has ended; the end of its log:" >&2
tail -n 5 /var/lib/sampan/*/server.log >&2
exit 1
`
