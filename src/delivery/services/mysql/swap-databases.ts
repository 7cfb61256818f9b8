// The way back of a dump: into a spare database first, since no transaction holds what changes tables. When all of it is
// there, its tables take the place of the old ones in one short script, whose text is whole before it begins: it goes on to
// its end, also when nobody waits for it any more.
import { createHash } from 'node:crypto'

/** Without characters that are patterns where rights are given. */
export const spareOf = (database: string): string =>
  `sampan-restore-${createHash('sha256').update(database).digest('hex').slice(0, 32)}`

const inBackquotes = (column: string): string =>
  `CONCAT(CHAR(96), REPLACE(${column}, CHAR(96), REPEAT(CHAR(96), 2)), CHAR(96))`

/**
 * Arguments: the spare database, the name of the other one as it stands between back-quotes, and how the server is
 * reached. Back-quotes would be commands of the shell, so it has them in a variable.
 */
export const swapScript = `
set -ef
spare=$1 goal=$2
shift 2
client=$(command -v mariadb || command -v mysql)
dumper=$(command -v mariadb-dump || command -v mysqldump)
b=$(printf '\\140')
ask() {
  question=$1
  shift
  printf '%s;\\n' "$question" | "$client" "$@" --batch --raw --skip-column-names
}
dump() { "$dumper" "$@" --no-data --no-tablespaces --loose-set-gtid-purged=OFF --loose-column-statistics=0; }

triggers=$(ask "SELECT CONCAT('DROP TRIGGER $b$spare$b.', ${inBackquotes('TRIGGER_NAME')}, ';')
  FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = '$spare'" "$@")
tables=$(ask "SELECT CONCAT('RENAME TABLE $b$spare$b.', ${inBackquotes('TABLE_NAME')}, ' TO ', ${inBackquotes('TABLE_NAME')}, ';')
  FROM information_schema.TABLES WHERE TABLE_SCHEMA = '$spare' AND TABLE_TYPE <> 'VIEW'" "$@")
code=$(dump "$@" --no-create-info --triggers --routines --events "$spare")
views=$(ask "SELECT TABLE_NAME FROM information_schema.VIEWS WHERE TABLE_SCHEMA = '$spare'" "$@")
IFS='
'
[ -z "$views" ] || code="$(dump "$@" --skip-triggers "$spare" $views)
$code"
# Tables change places in one packet, which the server carries out whoever is still there.
printf '%s\\n' "DELIMITER //swap
$triggers
DROP DATABASE IF EXISTS $b$goal$b;
CREATE DATABASE $b$goal$b CHARACTER SET utf8mb4;
USE $b$goal$b;
$tables
//swap
DELIMITER ;
$code
DROP DATABASE $b$spare$b;" | "$client" "$@"
`
