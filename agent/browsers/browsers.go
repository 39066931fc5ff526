// Package browsers finds the browsers and profiles of a machine, for all its users.
//
// [Find] knows a browser by the folder that it keeps in a home: one table (table_chromium.go, table_gecko.go) names
// them for Windows, macOS, Linux, Snap and Flatpak, with the evidence for each row. The operating system is data: the
// same code reads this machine and a mounted disk of another one ([Config].Root and OS).
//
// A Chromium profile is any folder below the user data folder that "Local State" lists or that holds preferences or
// extensions, whatever its name. A Gecko profile is any folder that profiles.ini names or that holds extensions.json or
// prefs.js. Running browsers add what no table can know: --user-data-dir, --load-extension and -profile.
//
// Homes belong to people who may be thieves. What is read there is bounded (limits.go), opened beneath the held home,
// and links that lead out of it are judged by one function, mayRead. What cannot be read is a [Problem]; a browser that
// is not installed is not.
//
// Of all these files only "Local State" and profiles.ini are opened, and only folder names and the names that people
// gave to their profiles are kept.
package browsers

import "context"

// A Family is the engine that decides how a profile is laid out.
type Family string

// The families.
const (
	Chromium Family = "chromium"
	Gecko    Family = "gecko"
	Safari   Family = "safari"
)

// A Profile is one browser profile of one user.
type Profile struct {
	Browser string // "chrome"
	Title   string // "Google Chrome", "Google Chrome (Flatpak)"
	// Channel is "stable", "beta" …; "custom" for a folder that only a running browser or the environment names; empty
	// for Firefox, whose channels share one folder.
	Channel string
	Family  Family
	User    User
	// Name is the folder's name, or its path below DataDir with forward slashes ("Default", "_side_profiles/x/Default");
	// "." when DataDir is itself the profile. A Gecko profile that lies outside DataDir has its base name.
	Name    string
	Display string // the name that the person gave it; may be empty, and is empty when it looks like an e-mail address
	DataDir string // absolute, links resolved: user data folder (Chromium), root with profiles.ini (Gecko)
	Dir     string // absolute, links resolved: the profile's folder
	// LoadExtension lists the absolute folders that a live process loads by --load-extension (or
	// --disable-extensions-except, which loads too) into this profile.
	LoadExtension []string
	// Running is set when a live process uses DataDir.
	Running bool
}

// A User is an account whose home may hold profiles.
type User struct {
	Name string // account name, or the home folder's name on a mounted disk
	Home string // absolute
	UID  int    // -1 when unknown or on Windows
}

// A Problem is a place that could not be read, and why.
type Problem struct {
	Path   string // may be empty when the whole machine is meant
	Reason string
}

// An Await is a folder entry whose appearance may mean a new browser or profile.
type Await struct {
	Dir  string // existing folder to watch
	Name string // entry of Dir whose appearance, or change, matters; "" is any new sub-folder
}

// Config says which machine to look at. The zero value is this machine, with all users that may be read.
type Config struct {
	OS    string // "linux", "windows", "darwin"; "" is this one
	Root  string // a mounted disk or image; "" is this machine
	Users []User // instead of all users; homes are paths on this host, also with Root
	// Env is the environment; nil is none on a mounted disk, os.Getenv otherwise. It moves folders only for the user
	// whose home it names (HOME, USERPROFILE).
	Env func(string) string
	// Processes lists the running browsers; nil asks the operating system, on this machine only. Beside an error, which
	// becomes a Problem, the list is used all the same.
	Processes func() ([]Process, error)
}

// A Machine is what Find saw, in a stable order.
type Machine struct {
	Profiles []Profile
	Awaited  []Await
	Problems []Problem
}

// Find lists all profiles. It fails only when ctx ends; everything else is a Problem.
func Find(ctx context.Context, cfg Config) (Machine, error) {
	return newScan(cfg).find(ctx)
}

// Users lists the accounts whose homes Find would read, for callers that read each with the rights of its owner (Config
// has Users for that). What the Machine holds is where new homes may appear, and what of the list could not be read.
func Users(cfg Config) ([]User, Machine) {
	s := newScan(cfg)
	users := s.users()
	return users, s.machine()
}
