package inventory

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/extwatch/extwatch/manifests"
)

const (
	// extensions.json of a profile with a hundred add-ons, each with its names in fifty languages, has about 3 MB.
	maxExtensionsJSON = 32 << 20
	// Optional permissions of all add-ons, usually some KB.
	maxGrants = 8 << 20
	// prefs.js keeps settings of all kinds; 100 KB is usual, some add-ons write megabytes into it.
	maxPrefsJS = 16 << 20
)

// An addon is what extensions.json says of one add-on.
type addon struct {
	id, location, path, sourceURI, installSource string
	kind                                         manifests.Kind
	signed                                       uint64
	foreign                                      bool
	active                                       bool
	disabled                                     []string
	installedAt, updatedAt                       time.Time
	names                                        []string
	granted                                      manifests.Access
	// said is the manifest as far as extensions.json repeats it.
	said *manifests.Manifest
}

// geckoFiles is what the files of a profile say.
type geckoFiles struct {
	addons []addon
	known  map[string]bool // IDs of all add-ons, of every type
	grants map[string]manifests.Access
	uuids  []string // IDs that ever had a moz-extension address
	more   bool
	noID   int // add-ons whose ID is missing or no string
}

// parseExtensionsJSON reads extensions.json (schema 37 measured on Firefox 153; older ones lack some keys). Dictionaries
// and language packs run no code and are left out.
func parseExtensionsJSON(data []byte) (geckoFiles, error) {
	var g geckoFiles
	top, err := manifests.ReadJSON(data)
	if err != nil {
		return g, fmt.Errorf("it is not valid JSON: %w", err)
	}
	list := member(top, "addons")
	if !list.IsArray() {
		return g, errors.New("it holds no list of add-ons")
	}
	g.known = make(map[string]bool)
	list.ForEach(func(_, value gjson.Result) bool {
		if len(g.addons) >= maxExtensions {
			g.more = true
			return false
		}
		o := manifests.Object(value)
		id := strings.Clone(o["id"].Str)
		if id == "" {
			g.noID++
			return true
		}
		g.known[id] = true
		kind := manifests.KindExtension
		switch o["type"].Str {
		case "locale", "dictionary", "sitepermission", "sitepermission-deprecated":
			return true
		case "theme":
			kind = manifests.KindTheme
		}
		g.addons = append(g.addons, parseAddon(id, kind, o))
		return true
	})
	return g, nil
}

func parseAddon(id string, kind manifests.Kind, o map[string]gjson.Result) addon {
	a := addon{
		id: id, kind: kind,
		location:      strings.Clone(o["location"].Str),
		path:          strings.Clone(o["path"].Str),
		sourceURI:     strings.Clone(o["sourceURI"].Str),
		installSource: strings.Clone(member(o["installTelemetryInfo"], "source").Str),
		signed:        wholeNumber(o["signedState"]),
		foreign:       o["foreignInstall"].Type == gjson.True,
		active:        o["active"].Type == gjson.True,
		installedAt:   unixMilli(o["installDate"]),
		updatedAt:     unixMilli(o["updateDate"]),
	}
	for _, reason := range [][2]string{
		{"userDisabled", "user"}, {"appDisabled", "app"}, {"embedderDisabled", "embedder"}, {"softDisabled", "soft"},
	} {
		if o[reason[0]].Type == gjson.True {
			a.disabled = append(a.disabled, reason[1])
		}
	}
	if wholeNumber(o["blocklistState"]) == 2 { // nsIBlocklistService.STATE_BLOCKED
		a.disabled = append(a.disabled, "blocklist")
	}

	name := member(o["defaultLocale"], "name").String()
	a.names = appendName(nil, strings.Clone(name))
	o["locales"].ForEach(func(_, l gjson.Result) bool {
		a.names = appendName(a.names, strings.Clone(member(l, "name").Str))
		return len(a.names) < maxLocales
	})
	granted, requested, optional := manifests.Object(o["userPermissions"]), manifests.Object(o["requestedPermissions"]), manifests.Object(o["optionalPermissions"])
	a.granted = manifests.Access{APIs: appendStrings(nil, granted["permissions"]), Hosts: appendStrings(nil, granted["origins"])}
	a.said = &manifests.Manifest{
		Kind:                kind,
		ManifestVersion:     int(min(wholeNumber(o["manifestVersion"]), 3)),
		Name:                strings.Clone(name),
		Description:         strings.Clone(member(o["defaultLocale"], "description").Str),
		Version:             strings.Clone(o["version"].String()),
		UpdateURL:           strings.Clone(o["updateURL"].Str),
		Permissions:         appendStrings(appendStrings(nil, granted["permissions"]), requested["permissions"]),
		Hosts:               appendStrings(appendStrings(nil, granted["origins"]), requested["origins"]),
		OptionalPermissions: appendStrings(nil, optional["permissions"]),
		OptionalHosts:       appendStrings(nil, optional["origins"]),
		Gecko:               manifests.Gecko{ID: id},
	}
	return a
}

func unixMilli(v gjson.Result) time.Time {
	ms := wholeNumber(v)
	// Past the year 9999 it is no date.
	if ms == 0 || ms > 253_402_300_799_000 {
		return time.Time{}
	}
	return time.UnixMilli(int64(ms)).UTC()
}

// parseGrants reads extension-preferences.json: the permissions that each add-on was given while it ran. Firefox keeps
// settings of its own among them, as "internal:privateBrowsingAllowed".
func parseGrants(data []byte) (map[string]manifests.Access, error) {
	top, err := manifests.ReadJSON(data)
	if err != nil {
		return nil, fmt.Errorf("it is not valid JSON: %w", err)
	}
	grants := make(map[string]manifests.Access)
	top.ForEach(func(id, value gjson.Result) bool {
		o := manifests.Object(value)
		apis := slices.DeleteFunc(appendStrings(nil, o["permissions"]), func(s string) bool {
			return strings.HasPrefix(s, "internal:")
		})
		hosts := appendStrings(nil, o["origins"])
		if len(apis)+len(hosts) > 0 {
			grants[strings.Clone(id.Str)] = manifests.Access{APIs: apis, Hosts: hosts}
		}
		return len(grants) < maxExtensions
	})
	return grants, nil
}

// parsePrefsJS returns the IDs in the setting extensions.webextensions.uuids of prefs.js, and reads nothing else of it.
// Each line is a call user_pref("name", value); a string value is escaped as in JavaScript.
func parsePrefsJS(data []byte) ([]string, error) {
	const call = `user_pref("extensions.webextensions.uuids",`
	var ids []string
	for line := range bytes.Lines(data) {
		rest, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte(call))
		if !ok {
			continue
		}
		rest, ok = bytes.CutSuffix(rest, []byte(");"))
		if !ok {
			return nil, errors.New("the setting extensions.webextensions.uuids is cut off")
		}
		text, err := manifests.ReadJSON(bytes.TrimSpace(rest))
		if err != nil {
			return nil, fmt.Errorf("the setting extensions.webextensions.uuids is not a string: %w", err)
		}
		inner, err := manifests.ReadJSON([]byte(text.Str))
		if err != nil {
			return nil, fmt.Errorf("the setting extensions.webextensions.uuids is not valid JSON: %w", err)
		}
		ids = nil // the last of several counts
		inner.ForEach(func(id, _ gjson.Result) bool {
			if id.Str != "" && !slices.Contains(ids, id.Str) {
				ids = append(ids, strings.Clone(id.Str))
			}
			return len(ids) < maxExtensions
		})
	}
	return ids, nil
}
