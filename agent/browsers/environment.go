package browsers

import (
	"context"
	"path/filepath"
)

// environment looks where the environment moves folders to, for the one user whose environment it is. The default
// places count as well: a browser that was started by a menu may have no such variable.
func (h *homeScan) environment(ctx context.Context) {
	homeVar := "HOME"
	if h.os == onWindows {
		homeVar = "USERPROFILE"
	}
	mine := h.env(homeVar)
	if mine == "" || !h.samePath(filepath.Clean(mine), filepath.Clean(h.user.Home)) {
		return
	}
	moved := []struct {
		name string
		base base
	}{{"LOCALAPPDATA", localData}, {"APPDATA", roamingData}}
	if h.os != onWindows {
		moved = moved[:0]
	}
	if h.os == onLinux { // chrome_paths_linux.cc; Firefox knows the second only
		moved = append(moved, struct {
			name string
			base base
		}{"CHROME_CONFIG_HOME", config}, struct {
			name string
			base base
		}{"XDG_CONFIG_HOME", config})
	}
	for _, m := range moved {
		f, ok := h.envFolder(m.name)
		if !ok || h.samePath(f.path, filepath.Join(h.top.path, filepath.FromSlash(string(m.base)))) {
			continue
		}
		h.walk(ctx, f, buildTree(table(), h.fold, func(r row) string {
			if r.os != h.os || r.base != m.base {
				return ""
			}
			return r.path
		}))
	}
	if f, ok := h.envFolder("CHROME_USER_DATA_DIR"); ok && h.os == onLinux {
		h.dataFolder(f, custom(executable{browser: "chrome", title: "Google Chrome"}, f.path))
	}
}

// envFolder returns the folder that a variable names, if it is there.
func (h *homeScan) envFolder(name string) (folder, bool) {
	path := h.env(name)
	if path == "" || !filepath.IsAbs(path) {
		return folder{}, false
	}
	path = filepath.Clean(path)
	real, err := resolve("", path)
	if err != nil {
		if !missing(err) {
			h.problem(path, h.reason(err))
		}
		return folder{}, false
	}
	return h.at(real, path)
}
