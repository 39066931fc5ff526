#!/bin/sh
# Builds the extensions in source/ and components/ with the toolchains that real extensions are built with. Parcel and
# ts-loader name files after the folder of the tools, so their names change with each run. Needs Node.js 20 or newer and
# npm. Run it after a change of a script there, and commit the result:
#
#	sh signatures/testdata/toolchains/toolchains.sh
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
npm install --prefix "$tools" --silent --no-audit --no-fund --no-package-lock \
	webpack@5.112.2 ts-loader@9.6.2 typescript@5.8.3 rollup@4.68.7 parcel@2.16.4 \
	svelte@4.2.20 rollup-plugin-svelte@7.2.3 @rollup/plugin-node-resolve@16.0.3 @rollup/plugin-terser@0.4.4
cp "$here/toolchains.mjs" "$tools/toolchains.mjs"
node "$tools/toolchains.mjs" "$here"
