# fsctl: bring the database up to date, and remove the records of old calls. Where there is no
# systemd; where there is, its timers do both and these lines do nothing.
#
# Install as /etc/cron.d/fsctl: without the dot, or Debian's cron passes it over. On every node:
# whoever comes first does the work. It writes nothing, and cron mails nothing, unless something was
# done or went wrong: exit code 75 is a database that was busy too long, 3 one of a newer fsctl,
# 1 an upgrade that failed and changed nothing.
#
# Settings are in /etc/fsctl/fsctl.toml.

SHELL=/bin/sh
PATH=/usr/local/bin:/usr/bin:/bin
MAILTO=root

# minute hour day month weekday user command
*/10 * * * * fsctl test -d /run/systemd/system || fsctl db upgrade
# How long records are to be kept is for you to say; then take the mark off.
#30 3 * * * fsctl test -d /run/systemd/system || fsctl calls purge --older-than 365d
#45 3 * * * fsctl test -d /run/systemd/system || fsctl audit purge --older-than 1095d
