package inventory

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/manifests/archive"
)

const manifestName = "manifest.json"

// errGone says that a folder vanished while it was read, as in an uninstall.
var errGone = errors.New("the folder is gone")

// readFolder reads the manifest in the folder dir below root. live says that people edit its files in place, so that a
// change of any message must be noticed; what a browser installs arrives whole, and its name is the one in the
// preferences.
func (r *Reader) readFolder(m *memory, key string, root *os.Root, dir string, live bool) (folder, error) {
	fi, err := root.Stat(path.Join(dir, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		if _, derr := root.Stat(dir); errors.Is(derr, fs.ErrNotExist) {
			return folder{}, errGone
		}
		return folder{unreadable: manifestName + " is missing"}, nil
	}
	if err != nil {
		return folder{unreadable: manifestName + ": " + reason(err), extension: true}, nil
	}
	if !fi.Mode().IsRegular() {
		return folder{unreadable: manifestName + ": " + errNotRegular.Error(), extension: true}, nil
	}
	stamps := []stamp{stampOf(fi)}
	localeDir := path.Join(dir, "_locales")
	if live {
		stamps = append(stamps, localeStamps(root, localeDir)...)
	}
	return m.folderOf(key, stamps, func() folder {
		f := r.parseFolder(root, dir)
		f.modified = fi.ModTime()
		return f
	}), nil
}

// parseFolder reads the manifest and the messages of the folder dir below root. Both folders are held open meanwhile:
// that keeps links inside them, and is cheaper than walking the whole path for each of up to a hundred locales.
func (r *Reader) parseFolder(root *os.Root, dir string) folder {
	own, err := openFolder(root, dir)
	if err != nil {
		return folder{unreadable: reason(err)}
	}
	defer own.Close()
	data, err := readRegular(own, manifestName, maxManifest)
	if err != nil {
		return folder{unreadable: manifestName + ": " + reason(err), extension: true}
	}
	var messages *os.Root
	locales := func() []string {
		if messages, err = openFolder(own, "_locales"); err != nil {
			return nil
		}
		return localesIn(messages, ".")
	}
	f := r.parseManifest(data, locales, func(name string) ([]byte, error) {
		inner, ok := strings.CutPrefix(name, "_locales/")
		if !ok || messages == nil || !fs.ValidPath(inner) {
			return nil, fs.ErrNotExist
		}
		return readRegular(messages, inner, maxMessages)
	})
	if messages != nil {
		messages.Close()
	}
	// Only what says that it came from a store is asked for the store's proof.
	if f.manifest != nil && isStoreURL(f.manifest.UpdateURL) {
		fi, err := own.Stat("_metadata/verified_contents.json")
		f.verified = err == nil && fi.Mode().IsRegular()
	}
	return f
}

// parseManifest reads and localizes a manifest. locales and read are asked only when a name needs them.
func (r *Reader) parseManifest(data []byte, locales func() []string, read func(string) ([]byte, error)) folder {
	man, err := manifests.Parse(data)
	if err != nil {
		return folder{unreadable: manifestName + ": " + err.Error(), extension: bytes.Contains(data, []byte(`"manifest_version"`))}
	}
	f := folder{manifest: man, extension: looksLikeExtension(man)}
	if man.DefaultLocale != "" && bytes.Contains(data, []byte("__MSG_")) {
		list := locales()
		if r.brief {
			list = slices.DeleteFunc(list, func(l string) bool { return !r.shows(l, man.DefaultLocale) })
		}
		f.names = manifests.Localize(man, r.locale, list, read)
	}
	if man.Name != "" && !slices.Contains(f.names, man.Name) {
		f.names = append(f.names, man.Name)
	}
	return f
}

// shows reports whether messages of the locale may be shown in the UI locale.
func (r *Reader) shows(locale, defaultLocale string) bool {
	language, _, _ := strings.Cut(r.locale, "_")
	return locale == r.locale || locale == language || strings.EqualFold(strings.ReplaceAll(locale, "-", "_"), strings.ReplaceAll(defaultLocale, "-", "_"))
}

// looksLikeExtension tells the manifest of an extension from the others of that name, as web apps have them. Manifest V1
// needs no manifest_version.
func looksLikeExtension(m *manifests.Manifest) bool {
	return slices.Contains(m.Keys, "manifest_version") || m.Name != "" && m.Version != ""
}

// localeStamps returns the states of all messages of an extension.
func localeStamps(root *os.Root, dir string) []stamp {
	fi, err := root.Stat(dir)
	if err != nil {
		return nil
	}
	stamps := []stamp{stampOf(fi)}
	for _, locale := range localesIn(root, dir) {
		if fi, err := root.Stat(path.Join(dir, locale, "messages.json")); err == nil {
			stamps = append(stamps, stampOf(fi))
		}
	}
	return stamps
}

// localesIn lists what lies in _locales: folders, as a rule. Only the names are asked for, since listing an os.Root looks at
// each entry otherwise.
func localesIn(root *os.Root, dir string) []string {
	f, err := root.OpenFile(dir, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	list, err := f.Readdirnames(maxLocales)
	if err != nil {
		return nil
	}
	slices.Sort(list)
	return list
}

// readPackage reads the manifest in the package name below root.
func (r *Reader) readPackage(m *memory, key string, root *os.Root, name string) folder {
	fi, err := root.Stat(name)
	if err != nil {
		return folder{unreadable: reason(err)}
	}
	if !fi.Mode().IsRegular() {
		return folder{unreadable: errNotRegular.Error()}
	}
	return m.folderOf(key, []stamp{stampOf(fi)}, func() folder {
		a, err := archive.OpenRoot(root, name, archive.Limits{FileBytes: maxManifest})
		if err != nil {
			return folder{unreadable: err.Error()}
		}
		defer a.Close()
		return r.parsePackage(a)
	})
}

func (r *Reader) parsePackage(a *archive.Archive) folder {
	var f folder
	data, err := fs.ReadFile(a, manifestName)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f = folder{unreadable: manifestName + " is missing"}
	case err != nil:
		f = folder{unreadable: manifestName + ": " + reason(err), extension: true}
	default:
		f = r.parseManifest(data, func() []string { return packedLocales(a) }, func(name string) ([]byte, error) {
			return fs.ReadFile(a, name)
		})
	}
	f.problems = a.Problems()
	if a.Signature.Reason != "" {
		f.problems = append(f.problems, manifests.Problem{Reason: "its signature does not hold: " + a.Signature.Reason})
	}
	if a.Signature.Verified {
		f.signedID, f.fromStore = a.Signature.ID, a.Signature.WebStore
	}
	return f
}

func packedLocales(a fs.FS) []string {
	entries, err := fs.ReadDir(a, "_locales")
	if err != nil {
		return nil
	}
	var list []string
	for _, e := range entries {
		if e.IsDir() && len(list) < maxLocales {
			list = append(list, e.Name())
		}
	}
	return list
}

// differences lists the keys in which the manifest on disk says something else than the one that runs. What Chromium
// rewrites in its own copy is left out: key, current_locale, and the localized names and descriptions.
func differences(run, disk *manifests.Manifest) []string {
	var keys []string
	differ := func(key string, same bool) {
		if !same {
			keys = append(keys, key)
		}
	}
	hosts := "host_permissions"
	if run.ManifestVersion < 3 {
		hosts = "permissions" // Manifest V2 writes them there
	}
	differ("manifest_version", run.ManifestVersion == disk.ManifestVersion)
	differ("version", run.Version == disk.Version)
	differ("update_url", run.UpdateURL == disk.UpdateURL)
	differ("permissions", sameSet(run.Permissions, disk.Permissions))
	differ(hosts, sameSet(run.Hosts, disk.Hosts))
	differ("optional_permissions", sameSet(run.OptionalPermissions, disk.OptionalPermissions))
	differ("optional_host_permissions", sameSet(run.OptionalHosts, disk.OptionalHosts))
	differ("content_scripts", sameList(run.ContentScripts, disk.ContentScripts))
	differ("background", reflect.DeepEqual(run.Background, disk.Background))
	differ("externally_connectable", reflect.DeepEqual(run.ExternallyConnectable, disk.ExternallyConnectable))
	differ("content_security_policy", sameList(run.ContentSecurityPolicy, disk.ContentSecurityPolicy))
	return slices.Compact(keys)
}

func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

func sameList[T any](a, b []T) bool { return len(a) == 0 && len(b) == 0 || reflect.DeepEqual(a, b) }

// apply sets what a folder says on an extension that runs with the manifest on disk.
func (f folder) apply(e *manifests.Extension) {
	e.Manifest, e.Names, e.Unreadable = f.manifest, f.names, f.unreadable
	e.Problems = append(e.Problems, f.problems...)
	if f.manifest != nil {
		e.Problems = append(e.Problems, f.manifest.Problems...)
	}
}

// ownID returns the ID that a folder or package gives itself. os decides how Chromium would name an unsigned one after
// its path.
func (f folder) ownID(os, path string) (id string, fromPath bool) {
	if f.signedID != "" {
		return f.signedID, false
	}
	if f.manifest != nil {
		if f.manifest.Key != "" {
			if id, err := manifests.IDFromKey(f.manifest.Key); err == nil {
				return id, false
			}
		}
		if f.manifest.Gecko.ID != "" {
			return f.manifest.Gecko.ID, false
		}
	}
	return manifests.IDFromPath(os, path), true
}
