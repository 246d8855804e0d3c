# Runs PgBouncer, then cleans up: see guardian.rs. FOLDER, PGBOUNCER, SETTINGS and PASSWORD are in the environment.
trap '' PIPE # nobody may be left to read an answer
umask 077
process=
while read -r order port; do
  mkdir -p "$FOLDER" && cd "$FOLDER" || { echo "no folder"; continue; }
  printf '%s\nlisten_port = %s\n' "$SETTINGS" "$port" >settings.ini
  printf '"postgres" "%s"\n' "$PASSWORD" >users
  "$PGBOUNCER" settings.ini >log 2>&1 </dev/null &
  process=$!
  echo "$process"
done
[ -z "$process" ] || { kill -s KILL "$process" && wait "$process"; } 2>/dev/null
cd / && rm -rf "$FOLDER"
