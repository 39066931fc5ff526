package main

import (
	"fmt"
	"strings"

	"github.com/extwatch/extwatch/agent/settings"
)

// mobileConfig returns a configuration profile for macOS: an example of managed settings, all at their built-in values,
// and the right to read all users' folders (Full Disk Access), without which Safari's and protected folders stay unread.
// Its identifiers are fixed, so that a newer profile replaces it.
func mobileConfig(options []settings.Option) string {
	var values strings.Builder
	for _, o := range options {
		if o.Built == "" {
			continue
		}
		value := "<string>" + escape(o.Built) + "</string>"
		switch o.Kind {
		case settings.Bool:
			value = "<" + o.Built + "/>"
		case settings.Number:
			value = "<integer>" + o.Built + "</integer>"
		}
		fmt.Fprintf(&values, "\t\t\t<!-- %s -->\n\t\t\t<key>%s</key>\n\t\t\t%s\n", strings.ReplaceAll(escape(o.Help), "--", "- -"), o.PolicyName(), value)
	}
	return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>PayloadContent</key>
	<array>
		<dict>
			<key>PayloadType</key>
			<string>com.extwatch.agent</string>
			<key>PayloadIdentifier</key>
			<string>com.extwatch.profile.settings</string>
			<key>PayloadUUID</key>
			<string>6C0D8B1E-6A3C-4C53-9A63-6B4B0E9B2F01</string>
			<key>PayloadVersion</key>
			<integer>1</integer>
			<key>PayloadDisplayName</key>
			<string>ExtWatch settings</string>
` + values.String() + `		</dict>
		<dict>
			<key>PayloadType</key>
			<string>com.apple.TCC.configuration-profile-policy</string>
			<key>PayloadIdentifier</key>
			<string>com.extwatch.profile.files</string>
			<key>PayloadUUID</key>
			<string>6C0D8B1E-6A3C-4C53-9A63-6B4B0E9B2F02</string>
			<key>PayloadVersion</key>
			<integer>1</integer>
			<key>PayloadDisplayName</key>
			<string>ExtWatch: read browser profiles</string>
			<key>Services</key>
			<dict>
				<key>SystemPolicyAllFiles</key>
				<array>
					<dict>
						<key>Identifier</key>
						<string>/usr/local/bin/extwatch</string>
						<key>IdentifierType</key>
						<string>path</string>
						<!-- Replace it by what "codesign -d -r - /usr/local/bin/extwatch" prints for the program that you signed. -->
						<key>CodeRequirement</key>
						<string>identifier "com.extwatch.agent" and anchor apple generic and certificate leaf[subject.OU] = "YOURTEAMID"</string>
						<key>Allowed</key>
						<true/>
					</dict>
				</array>
			</dict>
		</dict>
	</array>
	<key>PayloadDisplayName</key>
	<string>ExtWatch</string>
	<key>PayloadDescription</key>
	<string>Settings of ExtWatch, and its right to read browser profiles</string>
	<key>PayloadIdentifier</key>
	<string>com.extwatch.profile</string>
	<key>PayloadScope</key>
	<string>System</string>
	<key>PayloadType</key>
	<string>Configuration</string>
	<key>PayloadUUID</key>
	<string>6C0D8B1E-6A3C-4C53-9A63-6B4B0E9B2F00</string>
	<key>PayloadVersion</key>
	<integer>1</integer>
</dict>
</plist>
`
}
