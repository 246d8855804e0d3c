# Obeys one line at a time, then cleans up: see guardian.rs. FOLDER and BINARIES are in the environment.
trap '' PIPE # nobody may be left to read an answer

initdb() { # its input is the superuser's password
  "$BINARIES/initdb" -D data -U postgres --pwfile=/dev/stdin --auth-local=trust --auth-host=scram-sha-256 --locale=C -E UTF8 --no-sync
}

postmaster=
while read -r order rest; do
  case $order in
    init)
      if ! { mkdir -m 700 "$FOLDER" && cd "$FOLDER"; }; then echo "no folder"
      elif printf '%s\n' "$rest" | initdb >log 2>&1; then echo done
      else echo failed
      fi ;;
    start) # The one before must be reaped: Postgres takes a zombie for a running server.
      [ -z "$postmaster" ] || wait "$postmaster"
      "$BINARIES/postgres" -D data -p "$rest" >>log 2>&1 </dev/null &
      postmaster=$!
      echo "$postmaster" ;;
  esac
done

if [ -n "$postmaster" ]; then
  kill -s CONT "$postmaster" 2>/dev/null
  kill -s QUIT "$postmaster" 2>/dev/null
  wait "$postmaster"
fi
# What a killed server has left: the small segment by which it would have been recognised.
segment=$(sed -n 7p data/postmaster.pid 2>/dev/null)
[ -z "$segment" ] || ipcrm -m "${segment##* }" 2>/dev/null
cd / && rm -rf "$FOLDER"
