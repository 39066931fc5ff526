# Read by installer/dist: an archive for macOS, one program for both processors.
# shellcheck shell=bash disable=SC2154
program darwin amd64
program darwin arm64
folder=$build/extwatch-$version-macos
mkdir -p "$folder"
$GO run ./installer/generate universal "$folder/extwatch" "$build/extwatch-darwin-amd64" "$build/extwatch-darwin-arm64"
licenses "$folder/LICENSES-of-libraries" "$build/extwatch-darwin-amd64" "$build/extwatch-darwin-arm64"
cp "$files/extwatch.plist" "$files/extwatch.mobileconfig" "$files/config.yml" LICENSE "$folder"
cp installer/macos/install installer/macos/uninstall installer/macos/build-pkg "$folder"
chmod 755 "$folder/extwatch" "$folder/install" "$folder/uninstall" "$folder/build-pkg"
archive "dist/extwatch-$version-macos-universal.tar.gz" "$folder"
sum=$(sha256sum "dist/extwatch-$version-macos-universal.tar.gz" | cut -d' ' -f1)
sed -e "s/@VERSION@/$version/g" -e "s/@SHA256@/$sum/g" installer/macos/extwatch.rb.in >dist/extwatch.rb
