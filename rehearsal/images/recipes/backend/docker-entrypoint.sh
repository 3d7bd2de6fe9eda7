#!/bin/sh
# As in the official Node image: options alone belong to the program, anything else is the command.
set -eu
case ${1-} in
    '' | -*) set -- server "$@" ;;
esac
exec "$@"
