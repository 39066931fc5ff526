//go:build linux

package e2e

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// The Windows program reads a Windows disk: same flags, same answer. Wine stands for Windows' calls, not for its access
// rights.
func TestWindowsProgramUnderWine(t *testing.T) {
	l, p := newLab(t), newProduct(t)
	disk := filepath.Join(l.tmp, "disk")
	profile := filepath.Join(disk, "Users", "ada", "AppData", "Local", "Google", "Chrome", "User Data", "Default")
	folder := filepath.Join(profile, "Extensions", p.id, "1.0_0")
	writeFile(t, filepath.Join(folder, "manifest.json"), manifest("Quote Helper", "1.0"))
	writeFile(t, filepath.Join(folder, "bg.js"), "self.quotes = 1;\n")
	writeFile(t, filepath.Join(profile, "Secure Preferences"), fmt.Sprintf(
		`{"extensions":{"settings":{"%s":{"location":3,"path":"%s\\1.0_0","manifest":%s,"disable_reasons":[]}}}}`,
		p.id, p.id, manifest("Quote Helper", "1.0")))

	exe := filepath.Join(l.tmp, "extwatch.exe")
	build := exec.Command("go", "build", "-o", exe, "..")
	build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build for Windows: %v\n%s", err, out)
	}
	wine := winePrefix(t, l.tmp)
	out, code := wine(exe, "scan", "--root", `Z:`+filepath.ToSlash(disk), "--os", "windows", "--format", "json")
	var report struct{ Extensions []extension }
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatalf("scan printed no JSON: %v\n%s", err, out)
	}
	if len(report.Extensions) != 1 {
		t.Fatalf("scan lists %d extensions, want 1", len(report.Extensions))
	}
	e := report.Extensions[0]
	got := extension{Browser: e.Browser, User: e.User, ID: e.ID, Name: e.Name, Origin: e.Origin, Enabled: e.Enabled, Verdict: e.Verdict}
	want := extension{Browser: "chrome", User: "ada", ID: p.id, Name: "Quote Helper", Origin: "sideloaded", Enabled: true, Verdict: "suspicious"}
	if fmt.Sprint(got) != fmt.Sprint(want) || !e.reaches("binance") {
		t.Errorf("scan says  %+v reach %+v\nwant       %+v", got, e.Reach, want)
	}
	if code != 3 {
		t.Errorf("exit code %d, want 3", code)
	}
	if out, code := wine(exe, "scan", "--nonsense"); code != 2 {
		t.Errorf("a bad flag gives exit code %d, want 2\n%s", code, out)
	}
	serviceUnderWine(t, l.tmp, exe, wine)
}

// winePrefix makes a fresh Windows and returns how to run a program in it.
func winePrefix(t *testing.T, tmp string) func(args ...string) (stdout string, code int) {
	t.Helper()
	prefix := filepath.Join(tmp, "wine")
	env := append(os.Environ(), "HOME="+tmp, "WINEPREFIX="+prefix, "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree=;mshtml=", "DISPLAY=")
	command := func(name string, args ...string) (string, int) {
		var stdout, stderr bytes.Buffer
		cmd := exec.Command(name, args...)
		cmd.Env, cmd.Stdout, cmd.Stderr = env, &stdout, &stderr
		cmd.WaitDelay = time.Second // Wine's own programs, which the first call starts, keep what they inherit
		if err := cmd.Run(); cmd.ProcessState == nil {
			t.Fatalf("%s (are the packages wine and wine64 installed?): %v", name, err)
		}
		if stdout.Len() == 0 {
			t.Logf("%s %q: %s", name, args, stderr.String())
		}
		return stdout.String(), cmd.ProcessState.ExitCode()
	}
	command("wineboot", "-i")
	command("wineserver", "-w")
	t.Cleanup(func() { command("wineserver", "-k") })
	// Wine 8 lacks the library from which Go takes random numbers; Wine 10 has it.
	dll := filepath.Join(prefix, "drive_c", "windows", "system32", "bcryptprimitives.dll")
	if _, err := os.Stat(dll); err != nil {
		if err := os.WriteFile(dll, forwarder("bcryptprimitives.dll", "ProcessPrng", "ADVAPI32.SystemFunction036"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return func(args ...string) (string, int) { return command("wine", args...) }
}

// forwarder returns a Windows library without code whose one export stands for a function of another library.
func forwarder(self, export, target string) []byte {
	const (
		base    = 0x1000 // where the one section is loaded
		headers = 0x200
	)
	type directory struct { // IMAGE_EXPORT_DIRECTORY
		Flags, Time, Version, Name, Base, Functions, Names, FunctionTable, NameTable, OrdinalTable uint32
	}
	tables := uint32(base + binary.Size(directory{}))
	text := tables + 4 + 4 + 2
	at := func(before ...string) uint32 {
		n := text
		for _, s := range before {
			n += uint32(len(s)) + 1
		}
		return n
	}
	var section bytes.Buffer
	le := func(b *bytes.Buffer, v any) { binary.Write(b, binary.LittleEndian, v) }
	le(&section, directory{Name: at(), Base: 1, Functions: 1, Names: 1, FunctionTable: tables, NameTable: tables + 4, OrdinalTable: tables + 8})
	le(&section, []uint32{at(self, export), at(self)})
	le(&section, uint16(0))
	for _, s := range []string{self, export, target} {
		section.WriteString(s + "\x00")
	}
	size := uint32(section.Len())

	var out bytes.Buffer
	dos := make([]byte, 64)
	copy(dos, "MZ")
	dos[0x3c] = 64
	out.Write(dos)
	out.WriteString("PE\x00\x00")
	le(&out, pe.FileHeader{Machine: pe.IMAGE_FILE_MACHINE_AMD64, NumberOfSections: 1, SizeOfOptionalHeader: uint16(binary.Size(pe.OptionalHeader64{})),
		Characteristics: pe.IMAGE_FILE_EXECUTABLE_IMAGE | pe.IMAGE_FILE_LARGE_ADDRESS_AWARE | pe.IMAGE_FILE_DLL})
	optional := pe.OptionalHeader64{Magic: 0x20b, ImageBase: 0x180000000, SectionAlignment: base, FileAlignment: headers, MajorSubsystemVersion: 6,
		MajorOperatingSystemVersion: 6, SizeOfImage: 2 * base, SizeOfHeaders: headers, Subsystem: pe.IMAGE_SUBSYSTEM_WINDOWS_CUI,
		DllCharacteristics: pe.IMAGE_DLLCHARACTERISTICS_NX_COMPAT | pe.IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE, NumberOfRvaAndSizes: 16}
	optional.DataDirectory[pe.IMAGE_DIRECTORY_ENTRY_EXPORT] = pe.DataDirectory{VirtualAddress: base, Size: size}
	le(&out, optional)
	le(&out, pe.SectionHeader32{Name: [8]uint8{'.', 'r', 'd', 'a', 't', 'a'}, VirtualSize: size, VirtualAddress: base, SizeOfRawData: headers,
		PointerToRawData: headers, Characteristics: pe.IMAGE_SCN_CNT_INITIALIZED_DATA | pe.IMAGE_SCN_MEM_READ})
	out.Write(make([]byte, headers-out.Len()))
	out.Write(section.Bytes())
	out.Write(make([]byte, headers-section.Len()))
	return out.Bytes()
}
