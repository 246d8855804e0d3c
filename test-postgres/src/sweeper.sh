# Drops the databases of a test process on a given server when that process has ended: see guardian.rs.
# PSQL, URL, PGPASSWORD and PREFIX are in the environment.
trap '' PIPE # nobody may be left to read an answer
while read -r order; do
  if said=$("$PSQL" -XAtq -d "$URL" -c 'SELECT 1' 2>&1 </dev/null); then echo done; else printf '%s' "$said" | tr '\n' ' '; echo; fi
done
"$PSQL" -XAtq -d "$URL" <<SQL
SELECT format('DROP DATABASE %I WITH (FORCE)', datname) FROM pg_database WHERE starts_with(datname, '$PREFIX') \gexec
SQL
