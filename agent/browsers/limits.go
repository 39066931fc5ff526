package browsers

import "time"

// Bounds on what others control. Past one of them the rest is left out and a Problem says so.
const (
	// maxLocalState: "Local State" of a profile in daily use is 50 kB to 1.5 MB; Edge's can reach a few MB.
	maxLocalState = 16 << 20
	// maxDepth is the nesting at which Chromium's own JSON reader gives up; it keeps our recursive reader off deep stacks.
	maxDepth = 200
	// maxINI: a profiles.ini with 100 profiles is 10 kB.
	maxINI = 1 << 20
	// maxPasswd is room for some 50,000 accounts.
	maxPasswd = 4 << 20
	// maxEntries bounds one folder listing. A home or ~/.config has tens to hundreds, a busy Downloads thousands.
	maxEntries = 20_000
	// maxProfiles per data folder. Browsers get slow with a hundred; a thief could make a million to hide one.
	maxProfiles = 512
	// maxMatches of one "*" in the table: an app package or a Tor Browser folder, never more than a few.
	maxMatches = 64
	// maxUsers: a large terminal server has hundreds of homes.
	maxUsers = 4096
	// maxLinks is Linux's own bound on links in one path.
	maxLinks = 40
	// maxDisplay is longer than the profile-name field of any browser allows.
	maxDisplay = 128
	// maxPath: longer paths than this are refused by Linux, macOS and (in practice) Windows.
	maxPath = 4096
	// maxAwaited keeps our share of inotify watches small: 8192 per user on older kernels, and profiles need them too.
	maxAwaited = 512
	// maxProblems keeps a hostile home from flooding the report of all the others.
	maxProblems = 200
	// maxCmdline is the space that Linux gives to arguments with the usual stack limit (8 MiB / 4). Less would let a
	// long filler argument push --load-extension out of sight.
	maxCmdline = 2 << 20
	// maxLoad bounds the folders of one --load-extension.
	maxLoad = 256
	// homePatience is how long one home may take. Reading one takes milliseconds; a dead network mount takes for ever.
	homePatience = 15 * time.Second
)
