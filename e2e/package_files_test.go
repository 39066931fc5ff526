//go:build linux && packages

package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"debug/macho"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"howett.net/plist"
)

// distFile is the one package in dist/ of that name.
func distFile(t *testing.T, pattern string) string {
	t.Helper()
	found, _ := filepath.Glob(filepath.Join("../dist", pattern))
	if len(found) != 1 {
		t.Fatalf("want one %s in dist/, found %q: run `make dist` first", pattern, found)
	}
	name, err := filepath.Abs(found[0])
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// tool runs a program that has to succeed, and returns what it printed.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %q: %v\n%s%s", name, args, err, &out, &errs)
	}
	return out.String()
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// linuxFiles is what every Linux package holds, wherever its system wants units and completions to be.
var linuxFiles = []string{
	"/usr/bin/extwatch", "/etc/extwatch/config.yml", "/usr/share/man/man1/extwatch.1.gz", "/usr/share/man/man1/extwatch-scan.1.gz",
	"/usr/share/bash-completion/completions/extwatch", "/usr/share/fish/vendor_completions.d/extwatch.fish", "/usr/share/applications/extwatch.desktop",
	"/usr/share/metainfo/com.extwatch.extwatch.metainfo.xml", "/usr/share/icons/hicolor/scalable/apps/extwatch.svg", "/usr/share/doc/extwatch/LICENSES-of-libraries.gz",
}

func wants(t *testing.T, what string, have []string, more ...string) {
	t.Helper()
	for _, name := range append(slices.Clone(linuxFiles), more...) {
		if !slices.Contains(have, name) {
			t.Errorf("%s holds no %s", what, name)
		}
	}
}

// rpm lists, checks and installs it, into a folder of its own: scripts run there with what is in it, a shell.
func TestPackageRPM(t *testing.T) {
	for _, arch := range []string{"x86_64", "aarch64"} {
		file := distFile(t, "extwatch-*."+arch+".rpm")
		wants(t, arch, strings.Fields(tool(t, "rpm", "-qpl", file)), "/usr/lib/systemd/system/extwatch.service", "/usr/share/licenses/extwatch/LICENSE")
		if out := tool(t, "rpm", "-K", "--nosignature", file); !strings.Contains(out, "digests OK") {
			t.Errorf("%s: %s", arch, out)
		}
		if out := tool(t, "rpm", "-qpc", file); strings.TrimSpace(out) != "/etc/extwatch/config.yml" {
			t.Errorf("%s: files of settings: %s", arch, out)
		}
		scripts := tool(t, "rpm", "-qp", "--scripts", file)
		for _, want := range []string{"postinstall scriptlet", "systemctl enable --now extwatch", "preuninstall scriptlet", "extwatch service release", "postuninstall scriptlet"} {
			if !strings.Contains(scripts, want) {
				t.Errorf("%s: no %q in the scripts", arch, want)
			}
		}
		if out := tool(t, "rpm", "-qp", "--requires", file); strings.Contains(out, "libc.so") {
			t.Errorf("%s needs libraries:\n%s", arch, out)
		}
	}
}

func TestPackageRPMInstalls(t *testing.T) {
	root := rpmRoot(t)
	rpm := func(args ...string) (string, error) {
		out, err := exec.Command("rpm", append([]string{"--root", root}, args...)...).CombinedOutput()
		return string(out), err
	}
	if out, err := rpm("-i", "--nodeps", "--ignorearch", "--ignoreos", distFile(t, "extwatch-*.x86_64.rpm")); err != nil { // Debian's rpm prints a warning
		t.Fatalf("install: %v\n%s", err, out)
	}
	if out, err := exec.Command("chroot", root, "/usr/bin/extwatch", "version").CombinedOutput(); err != nil || !strings.Contains(string(out), "extwatch") {
		t.Errorf("the program in it: %v\n%s", err, out)
	}
	if out, err := rpm("-V", "--nodeps", "extwatch"); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
	config := filepath.Join(root, "etc/extwatch/config.yml")
	if err := os.WriteFile(config, []byte("log: {level: debug}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := rpm("-U", "--force", "--nodeps", "--ignorearch", "--ignoreos", distFile(t, "extwatch-*.x86_64.rpm")); err != nil {
		t.Errorf("install again: %v\n%s", err, out)
	}
	if data, err := os.ReadFile(config); err != nil || !strings.Contains(string(data), "debug") {
		t.Errorf("the settings after an upgrade: %s, %v", data, err)
	}
	if out, err := rpm("-e", "extwatch"); err != nil {
		t.Fatalf("remove: %v\n%s", err, out)
	}
	if _, err := os.Stat(filepath.Join(root, "usr/bin/extwatch")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the program is still there: %v", err)
	}
}

// rpmRoot is a folder with a shell and its libraries, in which rpm's scripts run.
func rpmRoot(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	tool(t, "sh", "-c", `set -e; cd "$1"; mkdir -p usr/bin usr/lib usr/lib64 dev etc; ln -s usr/bin bin; ln -s usr/lib lib; ln -s usr/lib64 lib64
for f in /bin/sh /bin/bash $(ldd /bin/sh /bin/bash | grep -o '/lib[^ ]*'); do mkdir -p ".$(dirname "$f")"; cp -L "$f" ".$f"; done; rpm --root "$1" --initdb`, "sh", root)
	return root
}

func TestPackageApkAndArch(t *testing.T) {
	list := func(file string) (names []string) {
		for name := range strings.Lines(tool(t, "tar", "-tf", file, "--warning=no-unknown-keyword")) {
			names = append(names, "/"+strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(name), "./"), "/"))
		}
		return names
	}
	for _, arch := range []string{"x86_64", "aarch64"} {
		apk := list(distFile(t, "extwatch_*_"+arch+".apk"))
		wants(t, arch+".apk", apk, "/etc/init.d/extwatch", "/.post-install", "/.post-upgrade", "/.pre-deinstall", "/.PKGINFO")
		arch := arch + ".pkg.tar.zst"
		pkg := list(distFile(t, "extwatch-*-"+arch))
		wants(t, arch, pkg, "/usr/lib/systemd/system/extwatch.service", "/.PKGINFO", "/.MTREE", "/.INSTALL")
	}
}

func TestPackageLintian(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		tool(t, "lintian", "--fail-on", "error,warning", "--allow-root", distFile(t, "extwatch_*_"+arch+".deb"))
	}
	tool(t, "appstreamcli", "validate", "--no-net", "../installer/linux/com.extwatch.extwatch.metainfo.xml")
	tool(t, "desktop-file-validate", "../installer/linux/extwatch.desktop")
}

func TestPackageScripts(t *testing.T) {
	files := []string{"../installer/dist", "../installer/reproduce", "../installer/version", "../installer/windows/sign"}
	for _, pattern := range []string{"linux/deb/*", "linux/rpm/*", "linux/apk/*", "linux/arch/*", "macos/install", "macos/uninstall", "macos/build-pkg"} {
		found, _ := filepath.Glob(filepath.Join("../installer", pattern))
		files = append(files, found...)
	}
	tool(t, "shellcheck", append([]string{"-x", "-P", ".."}, files...)...)
	// openrc-run reads the variables that only seem to be unused.
	tool(t, "shellcheck", "-s", "sh", "-e", "SC2034", "../agent/service/extwatch.openrc")
}

// The archive for macOS cannot be run here; it holds what its scripts install.
func TestPackageMacOS(t *testing.T) {
	all := untar(t, distFile(t, "extwatch-*-macos-universal.tar.gz"))
	for _, name := range []string{"install", "uninstall", "build-pkg", "extwatch"} {
		if f, ok := all[name]; !ok || f.mode != 0o755 {
			t.Errorf("%s has mode %v", name, f.mode)
		}
	}
	if !bytes.Contains(all["LICENSES-of-libraries"].data, []byte("\nstdlib 1.")) || bytes.Contains(all["LICENSES-of-libraries"].data, []byte("go-seccomp-bpf")) {
		t.Error("the licences are not those of its libraries")
	}
	fat, err := macho.NewFatFile(bytes.NewReader(all["extwatch"].data))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []macho.Cpu{macho.CpuAmd64, macho.CpuArm64} {
		if a := fat.Arches[i]; a.Cpu != want || a.Type != macho.TypeExec || a.Segment("__TEXT") == nil {
			t.Errorf("part %d is for %v, of type %v", i, a.Cpu, a.Type)
		}
	}
	for _, name := range []string{"extwatch.plist", "extwatch.mobileconfig"} {
		var v map[string]any
		if _, err := plist.Unmarshal(all[name].data, &v); err != nil || len(v) == 0 {
			t.Errorf("%s: %v", name, err)
		}
		file := filepath.Join(t.TempDir(), name)
		writeFile(t, file, string(all[name].data))
		tool(t, "plistutil", "-i", file, "-o", file+".bin") // another reader than ours
	}
	formula, err := os.ReadFile(distFile(t, "extwatch.rb"))
	if err != nil {
		t.Fatal(err)
	}
	sum, _, _ := strings.Cut(tool(t, "sha256sum", distFile(t, "extwatch-*-macos-universal.tar.gz")), " ")
	if !strings.Contains(string(formula), sum) || strings.Contains(string(formula), "@") {
		t.Errorf("the formula does not name this archive:\n%s", formula)
	}
}

type tarred struct {
	mode fs.FileMode
	data []byte
}

// untar reads an archive of one folder, and expects that all belongs to root.
func untar(t *testing.T, file string) map[string]tarred {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]tarred{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Uid != 0 || h.Gid != 0 {
			t.Errorf("%s belongs to %d:%d", h.Name, h.Uid, h.Gid)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all[path.Base(h.Name)] = tarred{fs.FileMode(h.Mode).Perm(), data}
	}
}

// The checksums fit, and the bill of materials names the libraries of every system.
func TestPackageSums(t *testing.T) {
	cmd := exec.Command("sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS")
	cmd.Dir = "../dist"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	sums, err := os.ReadFile("../dist/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir("../dist")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != "SHA256SUMS" && !strings.Contains(string(sums), "  "+e.Name()+"\n") {
			t.Errorf("%s has no checksum", e.Name())
		}
	}
	file := distFile(t, "extwatch-*.cdx.json")
	bill, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	version := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "extwatch-"), ".cdx.json")
	for _, want := range []string{`"version": "` + version + `"`, "/spf13/cobra@", "/go-seccomp-bpf@", "/go-winio@", "/stdlib@1."} {
		if !strings.Contains(string(bill), want) {
			t.Errorf("the bill of materials has no %s", want)
		}
	}
}

// A signature made with a certificate of our own verifies, and no longer when a byte was changed.
func TestPackageSignature(t *testing.T) {
	dir := t.TempDir()
	ca, cert, key := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	tool(t, "sh", "-c", `set -e; cd "$1"
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj "/CN=Test CA" -addext basicConstraints=critical,CA:TRUE
openssl req -newkey rsa:2048 -nodes -keyout key.pem -out cert.csr -subj "/CN=Test signer"
printf 'extendedKeyUsage=codeSigning\nkeyUsage=digitalSignature\n' >ext
openssl x509 -req -in cert.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out cert.pem`, "sh", dir)
	msi := filepath.Join(dir, "extwatch.msi")
	copyFile(t, distFile(t, "extwatch-*-windows-amd64.msi"), msi)
	tool(t, "msiextract", "-C", dir, msi)
	exe := tool(t, "find", dir, "-name", "extwatch.exe")
	for _, file := range []string{msi, strings.TrimSpace(exe)} {
		sign := exec.Command("../installer/windows/sign", file)
		sign.Env = append(os.Environ(), "SIGN_CERT="+cert, "SIGN_KEY="+key)
		if out, err := sign.CombinedOutput(); err != nil {
			t.Fatalf("sign %s: %v\n%s", file, err, out)
		}
		verify := func() error { return exec.Command("osslsigncode", "verify", "-CAfile", ca, "-in", file).Run() }
		if err := verify(); err != nil {
			t.Errorf("%s: the signature does not verify: %v", filepath.Base(file), err)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		data[len(data)/2] ^= 1
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if verify() == nil {
			t.Errorf("%s: the signature verifies in spite of a changed byte", filepath.Base(file))
		}
	}
}
