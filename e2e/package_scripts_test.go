//go:build linux && packages

package e2e

import (
	"archive/tar"
	"cmp"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	diff "github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
)

// What the scripts of each package ask of the service manager, run in a folder whose service managers write down how
// they were called.
func TestPackageScriptlets(t *testing.T) {
	rpm := distFile(t, "extwatch-*.x86_64.rpm")
	tag := func(name string) string { return tool(t, "rpm", "-qp", "--qf", "%{"+name+"}", rpm) }
	arch := hidden(t, distFile(t, "extwatch-*-x86_64.pkg.tar.zst"))[".INSTALL"]
	apk := hidden(t, distFile(t, "extwatch_*_x86_64.apk"))
	const reload, install = "systemctl daemon-reload", "systemctl enable --now extwatch.service"
	const restart, remove, release = "systemctl try-restart extwatch.service", "systemctl disable --now extwatch.service", "extwatch service release"
	root := scriptRoot(t)
	for _, c := range []struct {
		what, script string
		args         []string
		want         []string
		shell        string
	}{
		{"rpm, installed", tag("POSTIN"), []string{"1"}, []string{reload, install}, ""},
		{"rpm, upgraded: the new one", tag("POSTIN"), []string{"2"}, []string{reload, restart}, ""},
		{"rpm, upgraded: the old one goes", tag("PREUN"), []string{"1"}, nil, ""},
		{"rpm, removed", tag("PREUN"), []string{"0"}, []string{remove, release}, ""},
		{"rpm, after the removal", tag("POSTUN"), []string{"0"}, []string{reload}, ""},
		{"Arch, installed", arch + "\npost_install 1.0-1", nil, []string{reload, install}, "bash"},
		{"Arch, upgraded", arch + "\npost_upgrade 1.1-1 1.0-1", nil, []string{reload, restart}, "bash"},
		{"Arch, removed", arch + "\npre_remove 1.0-1", nil, []string{remove, release}, "bash"},
		{"Arch, after the removal", arch + "\npost_remove 1.0-1", nil, []string{reload}, "bash"},
		{"apk, installed", apk[".post-install"], []string{"1.0"}, []string{"rc-update add extwatch default", "rc-service extwatch start"}, ""},
		{"apk, upgraded", apk[".post-upgrade"], []string{"1.1", "1.0"}, []string{"rc-service --ifstarted extwatch restart"}, ""},
		{"apk, removed", apk[".pre-deinstall"], []string{"1.0"}, []string{"rc-service extwatch stop", "rc-update del extwatch default", release}, ""},
	} {
		if err := os.RemoveAll(filepath.Join(root, "calls")); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("chroot", append([]string{root, "/bin/" + cmp.Or(c.shell, "sh"), "-c", c.script, "sh"}, c.args...)...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s\n%s", c.what, err, out, c.script)
		}
		if d := diff.Diff(c.want, calls(t, root)); d != "" {
			t.Errorf("%s: %s", c.what, d)
		}
	}
}

// scriptRoot is rpmRoot with service managers, and a program, that only write down how they were called.
func scriptRoot(t *testing.T) string {
	t.Helper()
	root := rpmRoot(t)
	for _, name := range []string{"systemctl", "rc-service", "rc-update", "extwatch"} {
		file := filepath.Join(root, "usr/bin", name)
		writeFile(t, file, "#!/bin/sh\necho \""+name+" $*\" >>/calls\n")
		if err := os.Chmod(file, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(root, "run/systemd/system"), 0o755); err != nil {
		t.Fatal(err)
	}
	return root
}

func calls(t *testing.T, root string) (list []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "calls"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		list = append(list, strings.TrimSpace(line))
	}
	return list
}

// hidden reads what an archive of a package manager holds for it: the files whose names begin with a dot.
func hidden(t *testing.T, file string) map[string]string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader
	if strings.HasSuffix(file, ".zst") {
		z, err := zstd.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		r = z
	} else if r, err = gzip.NewReader(f); err != nil { // three archives, one after the other: gzip reads on
		t.Fatal(err)
	}
	all := map[string]string{}
	for a := tar.NewReader(r); ; {
		h, err := a.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(h.Name, ".") && h.Typeflag == tar.TypeReg {
			data, err := io.ReadAll(a)
			if err != nil {
				t.Fatal(err)
			}
			all[h.Name] = string(data)
		}
	}
}

// Arch's own package manager installs it into a folder, keeps settings that were changed, and removes it again.
func TestPackageArchInstalls(t *testing.T) {
	root := scriptRoot(t)
	if err := os.Remove(filepath.Join(root, "usr/bin/extwatch")); err != nil { // it comes out of the package
		t.Fatal(err)
	}
	// Arch's sh is bash.
	tool(t, "sh", "-c", `cd "$1" && mkdir -p var/lib/pacman var/cache tmp && cp -f usr/bin/bash usr/bin/sh && printf '[options]\nArchitecture = auto\nSigLevel = Never\n' >pacman.conf`, "sh", root)
	pacman := func(args ...string) {
		t.Helper()
		tool(t, "pacman", append([]string{"--root", root, "--dbpath", filepath.Join(root, "var/lib/pacman"), "--cachedir", filepath.Join(root, "var/cache"),
			"--config", filepath.Join(root, "pacman.conf"), "--logfile", filepath.Join(root, "pacman.log"), "--noconfirm"}, args...)...)
	}
	file := distFile(t, "extwatch-*-x86_64.pkg.tar.zst")
	pacman("-Udd", file)
	if out, err := exec.Command("chroot", root, "/usr/bin/extwatch", "version").CombinedOutput(); err != nil || !strings.Contains(string(out), "extwatch") {
		t.Errorf("the program in it: %v\n%s", err, out)
	}
	pacman("-Qkk", "extwatch")
	config := filepath.Join(root, "etc/extwatch/config.yml")
	writeFile(t, config, "log: {level: debug}\n")
	pacman("-Udd", file) // for pacman, the same again is an upgrade
	if data, err := os.ReadFile(config); err != nil || !strings.Contains(string(data), "debug") {
		t.Errorf("the settings after an upgrade: %s, %v", data, err)
	}
	pacman("-R", "extwatch")
	want := []string{"systemctl daemon-reload", "systemctl enable --now extwatch.service", "systemctl daemon-reload", "systemctl try-restart extwatch.service",
		"systemctl disable --now extwatch.service", "systemctl daemon-reload"}
	if d := diff.Diff(want, calls(t, root)); d != "" {
		t.Error(d)
	}
	if _, err := os.Stat(filepath.Join(root, "usr/bin/extwatch")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the program is still there: %v", err)
	}
	if data, err := os.ReadFile(config + ".pacsave"); err != nil || !strings.Contains(string(data), "debug") {
		t.Errorf("the settings after the removal: %s, %v", data, err)
	}
}
