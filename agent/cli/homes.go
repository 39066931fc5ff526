package cli

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/extwatch/extwatch/agent/browsers"
)

// homes are home folders to look at instead of all users'.
type homes []string

func (h *homes) flag(flags *pflag.FlagSet) {
	flags.StringArrayVar((*[]string)(h), "home", nil, "look only at the home folder `DIR` (may be given more than once)")
}

// machine says which machine to look at: all of it, or the homes that were given and nothing beside them.
func (h homes) machine() (browsers.Config, error) {
	if len(h) == 0 {
		return browsers.Config{}, nil
	}
	var users []browsers.User
	var paths []string
	for _, dir := range h {
		abs, err := directory(dir)
		if err != nil {
			return browsers.Config{}, err
		}
		// Command lines and browsers name the folder with its links resolved, or without.
		paths = append(paths, abs)
		if real, err := filepath.EvalSymlinks(abs); err == nil && real != abs {
			paths = append(paths, real)
		}
		users = append(users, browsers.User{Name: filepath.Base(abs), Home: abs, UID: -1})
	}
	return browsers.Config{Users: users, Processes: func() ([]browsers.Process, error) {
		all, err := browsers.Processes()
		return slices.DeleteFunc(all, func(p browsers.Process) bool { return !names(p, paths) }), err
	}}, nil
}

// names reports whether a command line names something below one of the folders.
func names(p browsers.Process, folders []string) bool {
	return slices.ContainsFunc(p.Args, func(arg string) bool {
		return slices.ContainsFunc(folders, func(dir string) bool { return strings.Contains(arg, dir+string(filepath.Separator)) })
	})
}
