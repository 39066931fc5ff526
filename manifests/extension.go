package manifests

import (
	"io"
	"io/fs"
	"time"
)

// An Origin says how an extension came to the browser.
type Origin string

const (
	OriginStore      Origin = "store"      // installed from the browser's store
	OriginPolicy     Origin = "policy"     // put there by managed policy
	OriginSideloaded Origin = "sideloaded" // put there by another program: external JSON, registry, system folder, file outside the store
	OriginUnpacked   Origin = "unpacked"   // a folder loaded in developer mode, by --load-extension, or a temporary add-on
	OriginBuiltin    Origin = "builtin"    // part of the browser
	OriginUnknown    Origin = "unknown"
)

// A Problem is something that could not be read or understood, and why. It never hides anything else.
type Problem struct {
	Path   string `json:"path,omitempty"` // absolute, when the problem is about a place on the machine
	File   string `json:"file,omitempty"` // relative to the extension, when it is about a file or a manifest key of one
	Reason string `json:"reason"`
}

// Access is a set of permissions: API names and match patterns.
type Access struct {
	APIs  []string
	Hosts []string
}

// Files gives the files of one extension, bounded and never followed out of its folder or package.
// Problems lists what it refused or could not read so far. The caller closes it.
type Files interface {
	fs.FS
	io.Closer
	Problems() []Problem
}

// An Extension is one installed extension. It is identified by browser, profile, ID, origin and path together:
// an unpacked one can claim any store ID (browsers.md §1.4).
type Extension struct {
	Browser string // "chrome"; "" for a folder or package given by path
	Channel string // "stable"
	User    string // account name
	Profile string // the profile's folder name, or its path below the user data folder
	// ProfileTitle is the name that the person sees for the profile, e.g. "Work"; may be empty.
	ProfileTitle string

	ID string
	// IDFromPath is set when the ID was computed from where the folder lies, so that it says nothing about who made it.
	IDFromPath bool
	Path       string // absolute: folder or package; "" when nothing is on disk

	Origin    Origin
	FromStore bool // the browser's own record says that it came from the store
	// Signed is set when a Gecko browser recorded that the store's signature, which names the ID, is good: only who
	// owns the ID at addons.mozilla.org can have had it signed, whichever way it was installed. Whether it is a good
	// extension is another matter: the store signs what nobody has looked at.
	Signed      bool
	CommandLine bool // loaded by --load-extension; counts as loaded only while a process has the flag
	Enabled     bool
	Pending     bool // on disk, not yet in the preferences
	// Disabled lists why it is not enabled, in the browser's terms ("user_action", "blocked_by_policy").
	Disabled []string

	InstalledAt time.Time // zero when unknown
	UpdatedAt   time.Time

	// Manifest is the one that runs: for packed Chromium extensions the browser's own copy. Localized. Nil when it
	// could not be read; then Unreadable says why.
	Manifest   *Manifest
	Unreadable string
	// Names holds the localized names of all locales, without duplicates: imitation may hide in one of them.
	Names []string
	// DiskDiffers lists the manifest keys in which the manifest on disk differs from the one that runs.
	DiskDiffers []string

	Granted  *Access // what the browser has granted now; nil when unknown
	Withheld bool    // the user lets it act on sites only on click

	Problems []Problem

	// Open gives the files; nil when there are none. Each call opens anew.
	Open func() (Files, error) `json:"-"`
}

// Name returns the localized name, or the ID when there is none.
func (e *Extension) Name() string {
	if e.Manifest != nil && e.Manifest.Name != "" {
		return e.Manifest.Name
	}
	return e.ID
}

// Version returns the manifest's version, or "".
func (e *Extension) Version() string {
	if e.Manifest == nil {
		return ""
	}
	return e.Manifest.Version
}
