#!/bin/sh
# Makes the other forms of the test extensions: bundled, minified and obfuscated, as thieves and honest makers ship
# their code. Needs Node.js 18 or newer and npm. Run it after a change of a script in this folder, and commit the result:
#
#	sh signatures/testdata/extensions/forms.sh
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
npm install --prefix "$tools" --silent --no-audit --no-fund --no-package-lock \
	esbuild@0.28.2 webpack@5.112.2 terser-webpack-plugin@5.6.1 javascript-obfuscator@5.8.0
cp "$here/forms.mjs" "$tools/forms.mjs"
node "$tools/forms.mjs" "$here" "$here/../forms"
