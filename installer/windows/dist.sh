# Read by installer/dist: an MSI for each processor, and the templates for group policy.
# shellcheck shell=bash disable=SC2154

# uuid NAME: a UUID that follows from NAME, so that the same version always has the same codes.
uuid() {
	local h
	h=$(printf 'extwatch %s' "$1" | sha256sum | tr a-f A-F)
	echo "{${h:0:8}-${h:8:4}-5${h:13:3}-A${h:17:3}-${h:20:12}}"
}

# Windows Installer compares three numbers. What is no release has the number of its commits as the third.
msi_version=$version
case $version in *~git*) msi_version=${version%%~git*} msi_version=${msi_version%.*}.$(git rev-list --count HEAD) ;; esac

# What this wixl cannot say is said to the finished database: conditions of components, places in the sequence, and
# which properties an ordinary user's call hands on. 51 is "set a property".
msi_queries() {
	local name
	for name in FeedMirrors:FEED_MIRRORS FeedRoot:FEED_ROOT BlockAutomatic:BLOCK_AUTOMATIC NotifyDesktop:NOTIFY_DESKTOP; do
		echo "UPDATE Component SET Condition='${name#*:}' WHERE Component='Set${name%:*}'"
		echo "UPDATE InstallExecuteSequence SET Sequence=60 WHERE Action='Keep${name%:*}'"
		echo "UPDATE CustomAction SET Type=51 WHERE Action='Keep${name%:*}'"
	done
	echo "UPDATE Registry SET Value='#%%SystemRoot%\\System32\\EventCreate.exe' WHERE Name='EventMessageFile'" # "#%": to be expanded
	echo "UPDATE InstallExecuteSequence SET Sequence=1501 WHERE Action='RemoveExistingProducts'"
	echo "UPDATE InstallExecuteSequence SET Sequence=1910 WHERE Action='Release'"
	echo "UPDATE InstallExecuteSequence SET Sequence=1911 WHERE Action='ReleaseAndPurge'"
	echo "UPDATE Property SET Value='WIX_DOWNGRADE_DETECTED;WIX_UPGRADE_DETECTED;FEED_MIRRORS;FEED_ROOT;BLOCK_AUTOMATIC;NOTIFY_DESKTOP;PURGE' WHERE Property='SecureCustomProperties'"
}

# fake runs a tool at the time of the commit: the database says when it was made.
fake() { TZ=UTC faketime -f "$(date -u -d "@$SOURCE_DATE_EPOCH" '+%Y-%m-%d %H:%M:%S')" "$@"; }

msi() { # msi ARCH TEMPLATE
	local folder=$build/msi-$1 out=dist/extwatch-$version-windows-$1.msi q
	program windows "$1" .exe
	installer/windows/sign "$build/extwatch-windows-$1.exe"
	mkdir -p "$folder"
	cp "$build/extwatch-windows-$1.exe" "$folder/extwatch.exe"
	cp installer/windows/extwatch.wxs installer/windows/extwatch.ico "$folder"
	sed 's/$/\r/' LICENSE >"$folder/LICENSE.txt"
	licenses "$build/LICENSES-windows-$1" "$build/extwatch-windows-$1.exe"
	sed 's/$/\r/' "$build/LICENSES-windows-$1" >"$folder/LICENSES-of-libraries.txt"
	TZ=UTC find "$folder" -type f -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
	(cd "$folder" && fake wixl -a x64 -D "ProductCode=$(uuid "product $1 $version")" -D "PackageCode=$(uuid "package $1 $version")" \
		-D "Version=$msi_version" -o extwatch.msi extwatch.wxs)
	while read -r q; do fake msibuild "$folder/extwatch.msi" -q "$q"; done < <(msi_queries)
	fake msibuild "$folder/extwatch.msi" -s ExtWatch 'The ExtWatch authors' "$2;1033" "$(uuid "package $1 $version")"
	mv "$folder/extwatch.msi" "$out"
	installer/windows/sign "$out"
}
msi amd64 x64
msi arm64 Arm64

policies=$build/extwatch-$version-group-policy
mkdir -p "$policies"
cp -r "$files/admx/." "$policies"
archive "dist/extwatch-$version-group-policy.tar.gz" "$policies"
