# Read by installer/dist: .deb, .rpm, .apk and Arch packages for both processors.
# shellcheck shell=bash disable=SC2154
program linux amd64
program linux arm64
licenses "$files/LICENSES-of-libraries" "$build/extwatch-linux-amd64" "$build/extwatch-linux-arm64"
cp -r installer/linux/apk "$files/apk"
touch -d "@$SOURCE_DATE_EPOCH" "$files"/apk/* # the .apk holds the times of its scripts
gzip -9n "$files"/man/*.1
gzip -9n "$files/LICENSES-of-libraries"
{
	printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: ExtWatch\n'
	printf 'Source: https://github.com/extwatch/extwatch\n\nFiles: *\nCopyright: %s The ExtWatch authors\nLicense: Apache-2.0\n' \
		"$(date -d "@$SOURCE_DATE_EPOCH" +%Y)"
	printf ' On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.\n .\n'
	printf ' The licences of the libraries in the program are in LICENSES-of-libraries.gz.\n'
} >"$files/copyright"
printf 'extwatch (%s-1) stable; urgency=medium\n\n  * Built from commit %s.\n\n -- The ExtWatch authors <packages@extwatch.example>  %s\n' \
	"$version" "$(git rev-parse HEAD)" "$(date -R -d "@$SOURCE_DATE_EPOCH")" | gzip -9n >"$files/changelog.Debian.gz"
# Alpine and Arch know no tilde, only their own word for "before the release".
released=${version%%~git*} commit=${version#"$released"} commit=${commit#~git} commit=${commit%%.*}
for arch in amd64 arm64; do
	install -D -m 0755 "$build/extwatch-linux-$arch" "$build/program/extwatch"
	for packager in deb rpm apk archlinux; do
		v=$version
		if [ -n "$commit" ]; then
			case $packager in apk) v=${released}_pre$commit ;; archlinux) v=${released}pre$commit ;; esac
		fi
		ARCH=$arch VERSION=$v \
			$GO run "$NFPM" package --config installer/linux/nfpm.yaml --packager $packager --target dist/
	done
done
